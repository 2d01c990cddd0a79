//! What the examples of a drain share: the settings of the demonstration.

mod failure;

use std::env;
use std::net::SocketAddr;
use std::process;
use std::time::Duration;

pub(crate) use self::failure::Failure;

/// The address to serve at: `BIND`, or 127.0.0.1:8080.
pub(crate) fn address() -> Result<SocketAddr, Failure> {
    let bind = env::var("BIND").unwrap_or_else(|_| "127.0.0.1:8080".to_owned());
    let address = bind.parse();
    let failure = |_| {
        Failure::from(format!(
            "BIND={bind} is not an address such as 127.0.0.1:8080"
        ))
    };
    address.map_err(failure)
}

/// How long to go on serving after the signal: `DRAIN_DELAY` in seconds, or 10.
pub(crate) fn delay() -> Result<Duration, Failure> {
    let delay = env::var("DRAIN_DELAY").unwrap_or_else(|_| "10".to_owned());
    let seconds = delay.parse().ok();
    let duration = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    let failure = || Failure::from(format!("DRAIN_DELAY={delay} is not a number of seconds"));
    duration.ok_or_else(failure)
}

/// Prints what to try.
pub(crate) fn introduce(address: SocketAddr) {
    println!("Serving http://{address}. In another terminal, try:\n");
    println!("  kill {}", process::id());
    println!("  curl -i http://{address}/ready      # 503 DRAINING, as long as DRAIN_DELAY says");
    println!("  curl -i http://{address}/live       # 200 OK");
    println!("  curl http://{address}/              # the application still answers");
}

//! What the examples of a drain share: the settings of the demonstration.

use std::env;
use std::error::Error;
use std::net::SocketAddr;
use std::time::Duration;

/// Shown where `main` returns it.
pub(crate) type Failure = Box<dyn Error + Send + Sync>;

/// The address to serve at: `BIND`, or 127.0.0.1:8080.
pub(crate) fn address() -> Result<SocketAddr, Failure> {
    let bind = env::var("BIND").unwrap_or_else(|_| "127.0.0.1:8080".to_owned());
    let address = bind.parse();
    address.map_err(|_| format!("BIND={bind} is not an address such as 127.0.0.1:8080").into())
}

/// How long to go on serving after the signal: `DRAIN_DELAY` in seconds, or 10.
pub(crate) fn delay() -> Result<Duration, Failure> {
    let delay = env::var("DRAIN_DELAY").unwrap_or_else(|_| "10".to_owned());
    let seconds = delay.parse().ok();
    let duration = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    duration.ok_or_else(|| format!("DRAIN_DELAY={delay} is not a number of seconds").into())
}

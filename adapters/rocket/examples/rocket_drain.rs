//! A Rocket application that leaves the load balancer before it stops:
//! `cargo run -p health-rocket --example rocket_drain`.
//!
//! `BIND` sets the address, `DRAIN_DELAY` for how many seconds it serves on at least, and `DRAIN_MAX` for how many at
//! most; without `DRAIN_MAX` it is exactly `DRAIN_DELAY`. `DRAIN_FAILURES` says how many failures its pollers wait for.
//! Needs the feature `signal` of `health-rocket`.

use std::env;
use std::error::Error;
use std::net::SocketAddr;
use std::process;
use std::str::FromStr;
use std::time::Duration;

use anyhow::Context as _;
use health_rocket::{Drain, Endpoint, Health, HealthConfig, Signals};
use rocket::fairing::AdHoc;
use rocket::tokio::time::sleep;
use rocket::{get, post, routes};

#[get("/")]
fn home() -> &'static str {
    "the application\n"
}

#[post("/orders", data = "<_order>")]
async fn order(_order: String) -> &'static str {
    sleep(Duration::from_millis(5)).await;
    "ordered\n"
}

#[rocket::main]
async fn main() -> anyhow::Result<()> {
    tracing_subscriber::fmt().init();
    // Until the server waits for the drain, SIGTERM ends the process at once.
    let signals = Signals::new()?;
    let health = Health::builder()
        .config(HealthConfig::from_env()?)
        .endpoint(Endpoint::liveness("/live"))
        .endpoint(Endpoint::readiness("/ready"))
        .build()?;
    let drained = health.drain_when(signals, drain()?);

    let bind = env::var("BIND").unwrap_or_else(|_| "127.0.0.1:8080".to_owned());
    let address: SocketAddr = bind.parse().with_context(|| format!("BIND={bind}"))?;
    // Rocket's `shutdown.grace` need not be longer, because the drain waits for active requests; Rocket waits that long
    // if a connection is open at the end, even an idle one.
    let config =
        rocket::Config::figment().merge(("address", address.ip())).merge(("port", address.port()));
    let rocket = rocket::custom(config)
        .mount("/", routes![home, order])
        .attach(health_rocket::fairing(&health))
        .attach(AdHoc::on_liftoff("introduction", |rocket| {
            // Rocket has bound by now, and knows the port.
            let config = rocket.config();
            introduce(SocketAddr::new(config.address, config.port));
            Box::pin(async {})
        }));
    health.shut_down_after(health_rocket::launch(rocket, drained)).await.exit()
}

/// How long it drains.
fn drain() -> anyhow::Result<Drain> {
    let least = seconds("DRAIN_DELAY")?.unwrap_or(Duration::from_secs(10));
    let drain = Drain::at_least(least).failure_threshold(variable("DRAIN_FAILURES")?.unwrap_or(3));
    Ok(match seconds("DRAIN_MAX")? {
        Some(most) => drain.at_most(most)?,
        None => drain,
    })
}

fn seconds(name: &str) -> anyhow::Result<Option<Duration>> {
    Ok(variable(name)?.map(Duration::try_from_secs_f64).transpose()?)
}

/// The value of an environment variable, if it is set.
fn variable<T: FromStr<Err: Error + Send + Sync + 'static>>(
    name: &str,
) -> anyhow::Result<Option<T>> {
    let Ok(value) = env::var(name) else {
        return Ok(None);
    };
    Ok(Some(value.parse().with_context(|| format!("{name}={value}"))?))
}

/// Prints what to try.
fn introduce(address: SocketAddr) {
    println!("Serving http://{address}. In another terminal, try:\n");
    println!("  kill {}", process::id());
    println!(
        "  curl -i http://{address}/ready      # 503 DRAINING, for as long as DRAIN_DELAY says"
    );
    println!("  curl -i http://{address}/live       # 200 OK");
    println!("  curl http://{address}/              # the application still responds");
}

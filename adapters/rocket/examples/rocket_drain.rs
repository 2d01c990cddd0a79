//! A Rocket application that leaves the load balancer before it stops:
//! `cargo run -p health-rocket --example rocket_drain`.
//!
//! `BIND` sets the address, and `DRAIN_DELAY` for how many seconds it serves on.

#[path = "../../drain.rs"]
mod drain;

use std::time::Duration;

use health_core::{Endpoint, Health, HealthConfig, Signals};
use rocket::tokio::{spawn, time::sleep};
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
async fn main() -> Result<(), drain::Failure> {
    tracing_subscriber::fmt().init();
    // From here on SIGTERM is a message: it cannot end a process that serves already.
    let signals = Signals::new()?;
    let health = Health::builder()
        .config(HealthConfig::from_env()?)
        .endpoint(Endpoint::liveness("/live"))
        .endpoint(Endpoint::readiness("/ready"))
        .build()?;
    let drained = health.drain_when(signals, drain::delay()?);

    let address = drain::address()?;
    drain::introduce(address);
    // Its own way with signals is to stop at once.
    let config = rocket::Config::figment()
        .merge(("address", address.ip()))
        .merge(("port", address.port()))
        .merge(("shutdown.ctrlc", false))
        .merge(("shutdown.signals", [""; 0]));
    let rocket = rocket::custom(config)
        .mount("/", routes![home, order])
        .attach(health_rocket::fairing(health))
        .ignite()
        .await?;
    let shutdown = rocket.shutdown();
    spawn(async move {
        drained.await;
        shutdown.notify();
    });
    rocket.launch().await?;
    Ok(())
}

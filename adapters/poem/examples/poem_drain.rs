//! A poem application that leaves the load balancer before it stops: `cargo run -p health-poem --example poem_drain`.
//!
//! `BIND` sets the address, and `DRAIN_DELAY` for how many seconds it serves on.

#[path = "../../drain.rs"]
mod drain;

use std::time::Duration;

use health_core::{Endpoint, Health, HealthConfig, Signals};
use poem::endpoint::make_sync;
use poem::listener::TcpListener;
use poem::{EndpointExt, Route, Server, handler, post};
use tokio::time::sleep;

#[handler]
async fn order(_order: String) -> &'static str {
    sleep(Duration::from_millis(5)).await;
    "ordered\n"
}

#[tokio::main]
async fn main() -> Result<(), drain::Failure> {
    tracing_subscriber::fmt().init();
    // From here on SIGTERM is a message: it cannot end a process that serves already.
    let signals = Signals::new()?;
    let health = Health::builder()
        .config(HealthConfig::from_env()?)
        .endpoint(Endpoint::liveness("/live"))
        .endpoint(Endpoint::readiness("/ready"))
        .build()?;
    let app = Route::new()
        .at("/", make_sync(|_| "the application\n"))
        .at("/orders", post(order))
        .with(health_poem::middleware(health.clone()));

    let drained = health.drain_when(signals, drain::delay()?);
    let address = drain::address()?;
    drain::introduce(address);
    Server::new(TcpListener::bind(address))
        .run_with_graceful_shutdown(app, drained, None)
        .await?;
    Ok(())
}

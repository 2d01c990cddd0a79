//! An axum application that leaves the load balancer before it stops: `cargo run -p health-axum --example axum_drain`.
//!
//! `BIND` sets the address, and `DRAIN_DELAY` for how many seconds it serves on.

#[path = "../../drain.rs"]
mod drain;

use std::time::Duration;

use axum::Router;
use axum::routing::{get, post};
use health_core::{Endpoint, Health, HealthConfig, Signals};
use tokio::net::TcpListener;
use tokio::time::sleep;

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
    let app = Router::new()
        .route("/", get(|| async { "the application\n" }))
        .route("/orders", post(order))
        .merge(health_axum::router(health.clone()));

    let listener = TcpListener::bind(drain::address()?).await?;
    drain::introduce(listener.local_addr()?);
    axum::serve(listener, app)
        .with_graceful_shutdown(health.drain_when(signals, drain::delay()?))
        .await?;
    Ok(())
}

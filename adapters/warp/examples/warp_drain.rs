//! A warp application that leaves the load balancer before it stops: `cargo run -p health-warp --example warp_drain`.
//!
//! `BIND` sets the address, and `DRAIN_DELAY` for how many seconds it serves on.

#[path = "../../drain.rs"]
mod drain;

use std::time::Duration;

use health_core::{Endpoint, Health, HealthConfig, Signals};
use tokio::net::TcpListener;
use tokio::time::sleep;
use warp::Filter;

async fn order() -> &'static str {
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
    let home = warp::path::end().map(|| "the application\n");
    let orders = warp::post()
        .and(warp::path!("orders"))
        .and(warp::body::bytes())
        .then(|_order| order());
    let app = health_warp::filter(health.clone()).or(home).or(orders);

    let listener = TcpListener::bind(drain::address()?).await?;
    drain::introduce(listener.local_addr()?);
    warp::serve(app)
        .incoming(listener)
        .graceful(health.drain_when(signals, drain::delay()?))
        .run()
        .await;
    Ok(())
}

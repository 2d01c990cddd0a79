//! A tonic application that leaves the load balancer before it stops: `cargo run -p health-tonic --example tonic_drain`.
//!
//! It also serves a page of axum. `BIND` sets the address, `DRAIN_DELAY` for how many seconds it serves on at least, and
//! `DRAIN_MAX` for how many at most; without `DRAIN_MAX` it is exactly `DRAIN_DELAY`. `DRAIN_FAILURES` says how many
//! failures its pollers wait for. Needs the feature `signal` of `health-tonic`.

use std::env;
use std::error::Error;
use std::net::SocketAddr;
use std::process;
use std::str::FromStr;
use std::time::Duration;

use anyhow::Context as _;
use axum::Router;
use axum::routing::get;
use health_tonic::{Drain, Endpoint, Health, HealthConfig, Signals};
use tokio::net::TcpListener;
use tonic::service::Routes;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    tracing_subscriber::fmt().init();
    // Until the server waits for the drain, SIGTERM ends the process at once.
    let signals = Signals::new()?;
    let health = Health::builder()
        .config(HealthConfig::from_env()?)
        .endpoint(Endpoint::liveness("/live"))
        .endpoint(Endpoint::readiness("/ready"))
        .build()?;
    let app = Router::new().route("/", get(|| async { "the application\n" }));
    let routes = Routes::from(app).add_service(health_tonic::service(&health)?);

    let bind = env::var("BIND").unwrap_or_else(|_| "127.0.0.1:50051".to_owned());
    let listener = TcpListener::bind(&bind).await;
    let listener = listener.with_context(|| format!("cannot listen on BIND={bind}"))?;
    introduce(listener.local_addr()?);
    let drained = health.drain_when(signals, drain()?);
    let server = Server::builder()
        .accept_http1(true)
        .add_routes(routes)
        .serve_with_incoming_shutdown(TcpIncoming::from(listener), drained);
    health.shut_down_after(server).await.exit()
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
        "  grpc-health-probe -addr {address} -service /ready   # NOT_SERVING, for as long as DRAIN_DELAY says"
    );
    println!("  grpc-health-probe -addr {address} -service /live    # status: SERVING");
    println!("  curl http://{address}/              # the application still responds");
}

//! A poem application that leaves the load balancer before it stops: `cargo run -p health-poem --example poem_drain`.
//!
//! `BIND` sets the address, and `DRAIN_DELAY` for how many seconds it serves on. If `DRAIN_MAX` is set, `DRAIN_DELAY` is
//! only the least, and `DRAIN_MAX` the most. Needs the feature `signal` of `health-poem`.

use std::env;
use std::net::SocketAddr;
use std::process;
use std::time::Duration;

use anyhow::Context as _;
use health_poem::{Drain, Endpoint, Health, HealthConfig, Signals};
use poem::endpoint::make_sync;
use poem::listener::TcpAcceptor;
use poem::{EndpointExt, Route, Server, handler, post};
use tokio::net::TcpListener;
use tokio::time::sleep;

#[handler]
async fn order(_order: String) -> &'static str {
    sleep(Duration::from_millis(5)).await;
    "ordered\n"
}

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
    let app = Route::new()
        .at("/", make_sync(|_| "the application\n"))
        .at("/orders", post(order))
        .with(health_poem::middleware(health.clone()));

    let drained = health.drain_when(signals, drain()?);
    let bind = env::var("BIND").unwrap_or_else(|_| "127.0.0.1:8080".to_owned());
    let listener = TcpListener::bind(&bind).await;
    let listener = listener.with_context(|| format!("cannot listen on BIND={bind}"))?;
    introduce(listener.local_addr()?);
    let server = Server::new_with_acceptor(TcpAcceptor::from_tokio(listener)?);
    let server = server.run_with_graceful_shutdown(app, drained, None);
    health.shut_down_after(server).await.exit()
}

/// How long it drains.
fn drain() -> anyhow::Result<Drain> {
    let least = seconds("DRAIN_DELAY")?.unwrap_or(Duration::from_secs(10));
    let drain = Drain::at_least(least);
    Ok(match seconds("DRAIN_MAX")? {
        Some(most) => drain.at_most(most)?,
        None => drain,
    })
}

/// The seconds that an environment variable says.
fn seconds(variable: &str) -> anyhow::Result<Option<Duration>> {
    let Ok(value) = env::var(variable) else { return Ok(None) };
    let seconds = value.parse().with_context(|| format!("{variable}={value}"))?;
    Ok(Some(Duration::try_from_secs_f64(seconds)?))
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

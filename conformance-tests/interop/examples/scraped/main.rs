//! The service that `metrics` lets a Prometheus scrape.
//!
//! `BIND` is its address. In the directory `FILES`, the file `fail` makes its database fail, `slow` makes its search exceed the
//! timeout, and it starts when there is the file `warm`. `TOKEN` is that of the full level. It drains for three seconds.

use std::env;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use axum::Router;
use health_axum::{
    BearerTokens, Check, CheckResult, Drain, Endpoint, Health, HealthConfig, Signals, StartupLatch,
    Unit,
};
use tokio::net::TcpListener;
use tokio::time::sleep;

const PERIOD: Duration = Duration::from_millis(500);

async fn database(files: PathBuf) -> io::Result<CheckResult> {
    if files.join("fail").exists() {
        return Err(io::Error::other("the password is hunter2"));
    }
    Ok(CheckResult::ok().value("connections", 7.0, Unit::Count))
}

async fn search(files: PathBuf) -> io::Result<()> {
    if files.join("slow").exists() {
        sleep(4 * PERIOD).await;
    }
    Ok(())
}

async fn start(latch: StartupLatch, warm: impl AsRef<Path>) {
    while !warm.as_ref().exists() {
        sleep(PERIOD / 10).await;
    }
    latch.release();
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    tracing_subscriber::fmt().init();
    let signals = Signals::new()?;
    let files = PathBuf::from(env::var("FILES")?);
    let tokens = BearerTokens::new([env::var("TOKEN")?])?;
    let cache = StartupLatch::new("cache");
    let health = Health::builder()
        .config(HealthConfig::from_env()?)
        .service("shop", "1.4.2")
        .register(Check::with("database", files.clone(), database).every(PERIOD).timeout(PERIOD))
        .register(
            Check::with("search \"é\"", files.clone(), search)
                .optional()
                .every(PERIOD)
                .timeout(PERIOD / 2),
        )
        .latch(&cache)
        .endpoint(Endpoint::readiness("/ready"))
        .endpoint(Endpoint::metrics("/metrics").full_details_for(&tokens))
        .build()?;
    tokio::spawn(start(cache, files.join("warm")));
    let listener = TcpListener::bind(env::var("BIND")?).await?;
    let drained = health.drain_when(signals, Drain::at_least(Duration::from_secs(3)));
    let server = health_axum::serve(listener, Router::new(), &health, drained);
    health.shut_down_after(server).await.exit()
}

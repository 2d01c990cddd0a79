//! A host of a fleet that one command puts into maintenance: `cargo run -p health-axum --example fleet`.
//!
//! Needs a Redis, by default at redis://127.0.0.1/ (set `REDIS` for another). Start it on several ports (`BIND`), then:
//!
//! ```console
//! $ redis-cli set shop:maintenance 1     # all of them answer 299 MAINTENANCE (redis-cli -u $REDIS for another)
//! $ redis-cli del shop:maintenance       # and 200 OK again
//! ```

#[cfg(test)]
mod tests;
mod watcher;

use std::env;
use std::error::Error;

use axum::Router;
use axum::routing::get;
use health_axum::{Endpoint, Health, HealthConfig, StartupLatch};
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    tracing_subscriber::fmt().init();
    let known = StartupLatch::new("fleet-maintenance");
    let health = Health::builder()
        .config(HealthConfig::from_env()?)
        .endpoint(Endpoint::readiness("/ready"))
        .endpoint(Endpoint::liveness("/live"))
        .latch(&known)
        .build()?;
    let redis = env::var("REDIS").unwrap_or_else(|_| "redis://127.0.0.1/".to_owned());
    let client = redis::Client::open(redis)?;
    let switch = health.maintenance_switch();
    let _watcher = watcher::watch(client, "shop:maintenance", switch, known);

    let app = Router::new()
        .route("/", get(|| async { "the application\n" }))
        .merge(health_axum::router(health));
    let bind = env::var("BIND").unwrap_or_else(|_| "127.0.0.1:8080".to_owned());
    let listener = TcpListener::bind(&bind).await?;
    println!("Serving http://{}/health", listener.local_addr()?);
    Ok(axum::serve(listener, app).await?)
}

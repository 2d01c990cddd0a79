//! A host of a fleet that one command puts into maintenance, and that leaves if it alone has lost its database:
//! `cargo run -p health-axum --example fleet`.
//!
//! Needs a Redis, by default at redis://127.0.0.1/ (set `REDIS` for another). Start it on several ports (`BIND`), then:
//!
//! ```console
//! $ redis-cli set shop:maintenance 1     # all of them answer 299 MAINTENANCE (redis-cli -u $REDIS for another)
//! $ redis-cli del shop:maintenance       # and 200 OK again
//! ```
//!
//! With `DATABASE=127.0.0.1:5432`, or another address for each host, it checks whether that accepts connections, and
//! exchanges with the other hosts whether they can connect.
//!
//! `fleet cost` measures what that costs Redis, in a Redis without other users: it writes 10,000 keys, and removes them.

mod cost;
mod peers;
#[cfg(test)]
mod tests;
mod watcher;

use std::env;
use std::error::Error;
use std::process;
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use health_axum::{Check, Endpoint, Health, HealthBuilder, HealthConfig, StartupLatch};
use redis::Client;
use tokio::net::{TcpListener, TcpStream};

use self::peers::Meeting;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    tracing_subscriber::fmt().init();
    let redis = env::var("REDIS").unwrap_or_else(|_| "redis://127.0.0.1/".to_owned());
    let client = Client::open(redis)?;
    if env::args().nth(1).as_deref() == Some("cost") {
        return cost::print(&client).await;
    }
    let bind = env::var("BIND").unwrap_or_else(|_| "127.0.0.1:8080".to_owned());
    let known = StartupLatch::new("fleet-maintenance");
    let mut builder = Health::builder()
        .config(HealthConfig::from_env()?)
        .endpoint(Endpoint::readiness("/ready"))
        .endpoint(Endpoint::liveness("/live"))
        .latch(&known);
    if let Ok(database) = env::var("DATABASE") {
        let machine = env::var("HOSTNAME").unwrap_or_default();
        let host = format!("{machine} {bind} {}", process::id());
        builder = with_database(builder, database, client.clone(), &host);
    }
    let health = builder.build()?;
    let switch = health.maintenance_switch();
    let _watcher = watcher::watch(client, "shop:maintenance", switch, known);

    let app = Router::new()
        .route("/", get(|| async { "the application\n" }))
        .merge(health_axum::router(health));
    let listener = TcpListener::bind(&bind).await?;
    println!("Serving http://{}/health", listener.local_addr()?);
    Ok(axum::serve(listener, app).await?)
}

/// Adds a check of the database, which all hosts share, and the exchange with the other hosts about it.
fn with_database(
    builder: HealthBuilder,
    database: String,
    redis: Client,
    host: &str,
) -> HealthBuilder {
    let period = Duration::from_secs(5);
    let timeout = Duration::from_secs(2);
    builder
        .register(
            Check::with("database", database, |database| async move {
                TcpStream::connect(database).await.map(drop)
            })
            .shared()
            .every(period)
            .timeout(timeout),
        )
        .register(
            Check::peers("peers", Meeting::new(redis, "shop", host, 3 * period))
                .every(period)
                .timeout(timeout),
        )
}

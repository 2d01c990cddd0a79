//! A service to copy: axum, PostgreSQL and Redis, with liveness, readiness, details, metrics, a drain, and settings from a
//! file: `cargo run -p shop -- adapters/axum/examples/shop/shop.toml`.
//!
//! | request | response |
//! |---|---|
//! | `GET /live` | 200 as long as the process works: for the liveness probe |
//! | `GET /ready` | 200 if it should get traffic: for the readiness probe and load balancers. `?format=html` shows details |
//! | `GET /health` | 200, or 299 in maintenance: the endpoint that every service has |
//! | `GET /metrics` | metrics for Prometheus |
//! | `POST /orders` | the application: an order in PostgreSQL, counted in Redis |

use std::convert::Infallible;
use std::net::SocketAddr;
use std::time::Duration;
use std::{env, fs};

use anyhow::Context as _;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use axum::{Json, Router};
use health_axum::{
    BearerTokens, Check, DetailLevel, Drain, Endpoint, Health, HealthConfig, Signals, StartupLatch,
};
use health_indicators::{Indicator as _, redis_1, sqlx_0_9};
use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use serde::Deserialize;
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;
use tokio::net::TcpListener;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    listen: SocketAddr,
    database: String,
    cache: String,
    operators_token: String,
    drain: DrainSettings,
    #[serde(default)]
    healthcheck: HealthConfig,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DrainSettings {
    at_least: f64,
    at_most: f64,
}

#[derive(Clone)]
struct Shop {
    database: PgPool,
    cache: ConnectionManager,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    tracing_subscriber::fmt().init();
    // First: from here on, a SIGTERM also ends the first process of a container.
    let signals = Signals::new()?;
    let path = env::args().nth(1).context("usage: shop SETTINGS.toml")?;
    let settings = fs::read_to_string(&path).with_context(|| format!("cannot read {path}"))?;
    // Only the message: the error would show the line, which may contain a password.
    let settings: Settings = toml::from_str(&settings)
        .map_err(|error| anyhow::anyhow!("{path}, byte {:?}: {}", error.span(), error.message()))?;

    // Nothing here waits for a server: the process starts, and tells that it is not ready.
    let pool = PgPoolOptions::new().acquire_timeout(Duration::from_secs(3));
    // The check of the pool notices by them that no connection returns.
    let (pool, returns) = sqlx_0_9::count_returns(pool);
    let database = pool.connect_lazy(&settings.database)?;
    let cache = redis::Client::open(&*settings.cache)?;
    // Without retries: an order does not wait for the cache.
    let without_retries = ConnectionManagerConfig::new().set_number_of_retries(0);
    let cache = ConnectionManager::new_lazy_with_config(cache, without_retries)?;
    let migrations = StartupLatch::new("migrations");
    let database_check = sqlx_0_9::pool(&database).returns(returns).check("database");
    let health = health(&settings, &database, database_check, &migrations)?;
    tokio::spawn(migrate(database.clone(), migrations));

    let shop = Shop { database, cache };
    let app = Router::new().route("/orders", post(order)).with_state(shop);
    let listener = TcpListener::bind(settings.listen).await?;
    println!("Serving http://{}", listener.local_addr()?);
    let drained = health.drain_when(signals, drain(&settings.drain)?);
    let server = health_axum::serve(listener, app, &health, drained);
    health.shut_down_after(server).await.exit()
}

fn health(
    settings: &Settings,
    database: &PgPool,
    database_check: Check,
    migrations: &StartupLatch,
) -> anyhow::Result<Health> {
    let operators = BearerTokens::new([&settings.operators_token])?;
    let pool = database.clone();
    let period = Duration::from_secs(5);
    let health = Health::builder()
        .config(settings.healthcheck.clone())
        .service("shop", env!("CARGO_PKG_VERSION"))
        .register(Check::tokio_runtime("runtime", Duration::from_secs(5)))
        .register(database_check.every(period))
        // The shop sells without it, so that its failure is no reason to take the host out.
        .register(redis_1::connection(&*settings.cache).check("cache").every(period).optional())
        .latch(migrations)
        .shutdown_phase("close-pool", Duration::from_secs(2), move || async move {
            pool.close().await;
            Ok::<_, Infallible>(())
        })
        .endpoint(Endpoint::liveness("/live").only_checks(["runtime"]))
        .endpoint(
            Endpoint::readiness("/ready").details(DetailLevel::States).full_details_for(&operators),
        )
        .endpoint(Endpoint::metrics("/metrics"))
        .build()?;
    Ok(health)
}

fn drain(settings: &DrainSettings) -> anyhow::Result<Drain> {
    let least = Duration::try_from_secs_f64(settings.at_least)?;
    Ok(Drain::at_least(least).at_most(Duration::try_from_secs_f64(settings.at_most)?)?)
}

/// Creates the tables, and tries again until the database is there.
async fn migrate(database: PgPool, migrations: StartupLatch) {
    let table = "CREATE TABLE IF NOT EXISTS orders (id BIGSERIAL PRIMARY KEY, item TEXT NOT NULL)";
    while let Err(error) = sqlx::query(table).execute(&database).await {
        tracing::warn!("cannot create the tables: {error}");
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    migrations.release();
}

async fn order(
    State(mut shop): State<Shop>,
    Json(item): Json<String>,
) -> Result<Json<i64>, StatusCode> {
    let insert = sqlx::query_scalar("INSERT INTO orders (item) VALUES ($1) RETURNING id");
    let id = insert.bind(item).fetch_one(&shop.database).await.map_err(|error| {
        tracing::error!("the order is lost: {error}");
        StatusCode::SERVICE_UNAVAILABLE
    })?;
    if let Err(error) = redis::cmd("INCR").arg("orders").exec_async(&mut shop.cache).await {
        tracing::warn!("the order is not counted: {error}");
    }
    Ok(Json(id))
}

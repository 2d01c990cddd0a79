//! One of the instances that `shared-dependency` starts: `/static` needs no database, and `/query` does.
//!
//! `/ready` runs a check of the database, which is required or shared. `/alert` is for people. On its standard output
//! the program prints `QUERIES TIME COUNT` for each tenth of a second in which requests to `/query` arrived: the time
//! is in tenths of a second since 1970. A tenth is printed when the first request after it has arrived.

mod peers;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, bail};
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use clap::{Parser, ValueEnum};
use deadpool_postgres::{Manager, Object, Pool, Runtime};
use futures::StreamExt as _;
use health_axum::{Check, Endpoint, Health, HealthConfig};
use tokio::net::TcpListener;
use tokio::time::timeout;
use tokio_postgres::{Client, Config, NoTls};

use crate::peers::Meeting;

#[derive(Parser)]
struct Options {
    /// The address to listen on.
    #[arg(long)]
    bind: SocketAddr,
    /// The database, as in `host=127.0.0.1 port=5432 user=shop dbname=shop`.
    #[arg(long)]
    database: Config,
    /// How `/ready` counts the check of the database.
    #[arg(long)]
    check: Counting,
    /// Rejects requests to `/query` at once while the check fails.
    #[arg(long)]
    reject: bool,
    /// A directory in which the instances tell each other whether they reach the database.
    #[arg(long)]
    peers: Option<PathBuf>,
    /// The period of the check, in milliseconds.
    #[arg(long, default_value_t = 1000)]
    every: u64,
    /// The period of the check while it fails, in milliseconds.
    #[arg(long)]
    every_while_failing: Option<u64>,
    /// The connections of the pool that `/query` uses.
    #[arg(long, default_value_t = 4)]
    pool: usize,
    /// How long a request to `/query` waits for a connection of the pool, and then for the row, in milliseconds.
    #[arg(long, default_value_t = 100)]
    query_timeout: u64,
    /// How long the pool waits for a new connection, in milliseconds.
    #[arg(long, default_value_t = 500)]
    connect_timeout: u64,
}

#[derive(Clone, Copy, ValueEnum)]
enum Counting {
    Required,
    Shared,
}

#[tokio::main(worker_threads = 2)]
async fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    tracing_subscriber::fmt().with_writer(std::io::stderr).with_ansi(false).init();
    let mut health = Health::builder()
        .config(HealthConfig::from_env()?)
        .register(database_check(&options))
        .endpoint(Endpoint::readiness("/ready"))
        .endpoint(Endpoint::nagios("/alert"));
    if let Some(directory) = options.peers.clone() {
        let meeting = Meeting { directory, own: options.bind.port().to_string().into() };
        let period = Duration::from_millis(500);
        health = health.register(Check::peers("peers", meeting).every(period).timeout(period / 2));
    }
    let health = health.build()?;
    let service = Service {
        pool: pool(&options)?,
        timeout: Duration::from_millis(options.query_timeout),
        is_rejecting: if options.reject { follow(&health)? } else { Arc::default() },
        arrivals: Arrivals::default(),
    };
    let app = Router::new()
        .route("/static", get(|| async { "static\n" }))
        .route("/query", get(query))
        .with_state(Arc::new(service))
        .merge(health_axum::router(health));
    let listener = TcpListener::bind(options.bind).await;
    let listener = listener.with_context(|| format!("cannot listen on {}", options.bind))?;
    axum::serve(listener, app).await?;
    Ok(())
}

/// A request waits briefly, and a new connection may take longer than that. If one limit counted for both, a request
/// that got its turn late would give up its connection before it is made, and so would the next, long after the
/// database has returned.
fn pool(options: &Options) -> anyhow::Result<Pool> {
    let manager = Manager::new(options.database.clone(), NoTls);
    Ok(Pool::builder(manager)
        .max_size(options.pool)
        .runtime(Runtime::Tokio1)
        .wait_timeout(Some(Duration::from_millis(options.query_timeout)))
        .create_timeout(Some(Duration::from_millis(options.connect_timeout)))
        .build()?)
}

/// Follows what `/alert` would respond: on `/ready` a shared check that fails is not seen.
fn follow(health: &Health) -> anyhow::Result<Arc<AtomicBool>> {
    let mut states = health.at("/alert").context("there is no /alert")?.watch();
    let is_failing = Arc::new(AtomicBool::new(false));
    let followed = Arc::clone(&is_failing);
    tokio::spawn(async move {
        while let Some(state) = states.next().await {
            followed.store(state != health_axum::State::Ok, Ordering::Relaxed);
        }
    });
    Ok(is_failing)
}

/// The check has its own connection. One of the pool would make it wait while requests use them all, and an
/// instance that is merely busy would leave.
fn database_check(options: &Options) -> Check {
    let probe = Arc::new(Probe { config: options.database.clone(), client: Mutex::default() });
    let check = Check::with("database", probe, |probe| async move { probe.ping().await });
    let shortest = options.every.min(options.every_while_failing.unwrap_or(u64::MAX));
    let check = check
        .every(Duration::from_millis(options.every))
        .timeout(Duration::from_millis(shortest / 2));
    let check = match options.every_while_failing {
        Some(period) => check.every_while_failing(Duration::from_millis(period)),
        None => check,
    };
    match options.check {
        Counting::Required => check,
        Counting::Shared => check.shared(),
    }
}

/// A connection that is kept from one execution of the check to the next.
struct Probe {
    config: Config,
    client: Mutex<Option<Client>>,
}

impl Probe {
    /// Asks the database, on a new connection if it has lost the last one. A connection whose question got no answer in time is
    /// dropped with this future.
    async fn ping(&self) -> Result<(), tokio_postgres::Error> {
        let kept = self.kept().take();
        let client = match kept {
            Some(client) if !client.is_closed() => client,
            _ => self.connect().await?,
        };
        client.check_connection().await?;
        *self.kept() = Some(client);
        Ok(())
    }

    fn kept(&self) -> MutexGuard<'_, Option<Client>> {
        self.client.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn connect(&self) -> Result<Client, tokio_postgres::Error> {
        let (client, connection) = self.config.connect(NoTls).await?;
        tokio::spawn(connection);
        Ok(client)
    }
}

struct Service {
    pool: Pool,
    timeout: Duration,
    is_rejecting: Arc<AtomicBool>,
    arrivals: Arrivals,
}

async fn query(State(service): State<Arc<Service>>) -> (StatusCode, &'static str) {
    service.arrivals.count();
    match service.query().await {
        Ok(()) => (StatusCode::OK, "queried\n"),
        Err(error) => {
            tracing::debug!("query: {error:#}");
            (StatusCode::SERVICE_UNAVAILABLE, "no database\n")
        }
    }
}

impl Service {
    async fn query(&self) -> anyhow::Result<()> {
        if self.is_rejecting.load(Ordering::Relaxed) {
            bail!("rejected, because the check fails");
        }
        let client = self.pool.get().await?;
        match timeout(self.timeout, client.query_one("SELECT 1", &[])).await {
            Ok(row) => {
                row?;
                Ok(())
            }
            Err(elapsed) => {
                // The next request must not wait behind this query.
                drop(Object::take(client));
                Err(elapsed).context("no row in time")
            }
        }
    }
}

/// The number of requests in the present tenth of a second.
#[derive(Default)]
struct Arrivals(Mutex<(u128, u32)>);

impl Arrivals {
    fn count(&self) {
        let now =
            SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis() / 100;
        let mut current = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (tenth, count) = *current;
        *current = if tenth == now { (tenth, count + 1) } else { (now, 1) };
        drop(current);
        if tenth != now && count > 0 {
            println!("QUERIES {tenth} {count}");
        }
    }
}

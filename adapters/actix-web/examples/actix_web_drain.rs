//! An actix-web application that leaves the load balancer before it stops:
//! `cargo run -p health-actix-web --example actix_web_drain`.
//!
//! `BIND` sets the address, `DRAIN_DELAY` for how many seconds it serves on at least, and `DRAIN_MAX` for how many at
//! most; without `DRAIN_MAX` it is exactly `DRAIN_DELAY`. `DRAIN_FAILURES` says how many failures its pollers wait for.
//! Needs the feature `signal` of `health-actix-web`.

use std::env;
use std::error::Error;
use std::net::{SocketAddr, TcpListener};
use std::process;
use std::str::FromStr;
use std::time::Duration;

use actix_web::rt::time::sleep;
use actix_web::{App, HttpServer, web};
use anyhow::Context as _;
use health_actix_web::{Drain, Endpoint, Health, HealthConfig, Signals};

async fn order(_order: String) -> &'static str {
    sleep(Duration::from_millis(5)).await;
    "ordered\n"
}

#[actix_web::main]
async fn main() -> anyhow::Result<()> {
    tracing_subscriber::fmt().init();
    // Until the server waits for the drain, SIGTERM ends the process at once.
    let signals = Signals::new()?;
    let health = Health::builder()
        .config(HealthConfig::from_env()?)
        .endpoint(Endpoint::liveness("/live"))
        .endpoint(Endpoint::readiness("/ready"))
        .build()?;
    let most = seconds("DRAIN_MAX")?;
    let drained = health.drain_when(signals, drain(most)?);

    let covers = health.clone();
    let app = move || {
        App::new()
            .route("/", web::get().to(|| async { "the application\n" }))
            .route("/orders", web::post().to(order))
            .wrap(health_actix_web::middleware(covers.clone()))
    };
    let bind = env::var("BIND").unwrap_or_else(|_| "127.0.0.1:8080".to_owned());
    let listener = TcpListener::bind(&bind);
    let listener = listener.with_context(|| format!("cannot listen on BIND={bind}"))?;
    introduce(listener.local_addr()?);
    // actix-web's own signal handling would stop the server at once.
    let server = HttpServer::new(app).listen(listener.try_clone()?)?.disable_signals();
    // actix-web's own limit for the last requests must not be the shorter one.
    let limit = most.map_or(30, |most| most.as_secs() + 1);
    let server = server.shutdown_timeout(limit).run();
    let server = health_actix_web::serve(server, listener, drained);
    health.shut_down_after(server).await.exit()
}

/// How long it drains.
fn drain(most: Option<Duration>) -> anyhow::Result<Drain> {
    let least = seconds("DRAIN_DELAY")?.unwrap_or(Duration::from_secs(10));
    let drain = Drain::at_least(least).failure_threshold(variable("DRAIN_FAILURES")?.unwrap_or(3));
    Ok(match most {
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
        "  curl -i http://{address}/ready      # 503 DRAINING, for as long as DRAIN_DELAY says"
    );
    println!("  curl -i http://{address}/live       # 200 OK");
    println!("  curl http://{address}/              # the application still responds");
}

//! A hyper application that leaves the load balancer before it stops:
//! `cargo run -p health-hyper --example hyper_drain`.
//!
//! `BIND` sets the address, and `DRAIN_DELAY` for how many seconds it serves on. Needs the feature `signal` of
//! `health-hyper`.

use std::env;
use std::net::SocketAddr;
use std::pin::pin;
use std::process;
use std::time::Duration;

use anyhow::Context as _;
use health_hyper::{Endpoint, Health, HealthConfig, Signals};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::TcpListener;
use tokio::time::sleep;

async fn app(request: Request<Incoming>) -> hyper::Result<Response<String>> {
    let mut response = Response::default();
    match (request.method(), request.uri().path()) {
        (&Method::GET, "/") => "the application\n".clone_into(response.body_mut()),
        (&Method::POST, "/orders") => {
            let _order = request.into_body().collect().await?;
            sleep(Duration::from_millis(5)).await;
            "ordered\n".clone_into(response.body_mut());
        }
        _ => *response.status_mut() = StatusCode::NOT_FOUND,
    }
    Ok(response)
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
    let app = health_hyper::service(health.clone(), service_fn(app));

    let bind = env::var("BIND").unwrap_or_else(|_| "127.0.0.1:8080".to_owned());
    let listener = TcpListener::bind(&bind).await;
    let listener = listener.with_context(|| format!("cannot listen on BIND={bind}"))?;
    introduce(listener.local_addr()?);
    let connections = GracefulShutdown::new();
    let mut drained = pin!(health.drain_when(signals, delay()?));
    loop {
        let (stream, _) = tokio::select! {
            accepted = listener.accept() => accepted?,
            () = &mut drained => break,
        };
        let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), app.clone());
        let connection = connections.watch(connection);
        tokio::spawn(async { connection.await.unwrap_or_default() });
    }
    drop(listener);
    connections.shutdown().await;
    Ok(())
}

/// The time between the signal and the end of the server: `DRAIN_DELAY`, in seconds.
fn delay() -> anyhow::Result<Duration> {
    let delay = env::var("DRAIN_DELAY").unwrap_or_else(|_| "10".to_owned());
    let seconds = delay.parse().with_context(|| format!("DRAIN_DELAY={delay}"))?;
    Ok(Duration::try_from_secs_f64(seconds)?)
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

//! A server with slow responses, on each framework, for `slow-requests`: it drains on SIGTERM, at most for a bound.
//!
//! `/events` is a stream of events without an end, `/download` a body without an end, and `/never` never responds.
//! `/upload` reads a body to its end. `/socket` is a connection that has switched to another protocol, as that of a web
//! socket has, without the frames of one.

mod actix_web;
mod axum;
mod hyper;
mod poem;
mod rocket;
mod warp;

use std::future::pending;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use clap::{Parser, ValueEnum};
use futures::{Stream, stream};
use health_core::{Drain, Endpoint, Health, Signals};
use tokio::time::sleep;

#[derive(Parser)]
struct Options {
    /// The framework that serves.
    #[arg(long)]
    framework: Framework,
    /// The address to listen on.
    #[arg(long)]
    bind: SocketAddr,
    /// The minimum of the drain, in milliseconds.
    #[arg(long)]
    at_least: u64,
    /// The maximum of the drain, in milliseconds.
    #[arg(long)]
    at_most: u64,
}

#[derive(Clone, Copy, ValueEnum)]
enum Framework {
    ActixWeb,
    Axum,
    Hyper,
    Poem,
    Rocket,
    Warp,
}

fn main() -> anyhow::Result<()> {
    tracing_subscriber::fmt().init();
    let options = Options::parse();
    let signals = Signals::new()?;
    let health = Health::builder().endpoint(Endpoint::readiness("/ready")).build()?;
    let milliseconds = Duration::from_millis;
    let drain =
        Drain::at_least(milliseconds(options.at_least)).at_most(milliseconds(options.at_most))?;
    let bind = options.bind;
    match options.framework {
        Framework::ActixWeb => actix_web::serve(bind, health, signals, drain),
        Framework::Axum => axum::serve(bind, health, signals, drain),
        Framework::Hyper => hyper::serve(bind, health, signals, drain),
        Framework::Poem => poem::serve(bind, health, signals, drain),
        Framework::Rocket => rocket::serve(bind, health, signals, drain),
        Framework::Warp => warp::serve(bind, health, signals, drain),
    }
}

/// An event ten times a second.
fn events() -> impl Stream<Item = Result<Vec<u8>, io::Error>> + Send + Sync + Unpin + 'static {
    Box::pin(stream::unfold((), |()| async {
        sleep(Duration::from_millis(100)).await;
        Some((Ok(b"data: tick\n\n".to_vec()), ()))
    }))
}

/// As many bytes as the client reads.
fn download() -> impl Stream<Item = Result<Vec<u8>, io::Error>> + Send + Sync + Unpin + 'static {
    stream::repeat_with(|| Ok(vec![b'.'; 64 * 1024]))
}

/// What the sides of `/socket` speak.
const PROTOCOL: &str = "test";

/// Keeps a connection that has switched, as an active request.
async fn keep<I>(health: Health, switched: impl Future<Output = Option<I>>) {
    let _active = health.track();
    let _io = switched.await;
    pending::<()>().await;
}

/// Never returns.
async fn never() -> &'static str {
    pending().await
}

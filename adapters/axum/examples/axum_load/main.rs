//! What `/health` costs while checks hang, block and crowd: the figures of `docs/performance.md`.
//!
//! ```console
//! $ cargo run --release -p health-axum --example axum_load
//! ```
//!
//! Its arguments are the rows to measure, by the names in `rows.rs`; without any it measures all, in a minute.
//!
//! For each row this program starts itself again as a server, asks it, and prints what came of it. It asserts what
//! the server answers, and never how long that took. Linux only: it reads `/proc`.

mod client;
mod plain;
mod rows;
mod server;
mod testee;

use std::{env, io};

#[tokio::main]
async fn main() -> io::Result<()> {
    let arguments: Vec<_> = env::args().skip(1).collect();
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    match *arguments {
        ["serve", scenario] => server::serve(scenario).await,
        [] => measure(&rows::NAMES).await,
        ref names => measure(names).await,
    }
}

async fn measure(names: &[&str]) -> io::Result<()> {
    allow_many_connections()?;
    println!("| work | expected | measured |\n|---|---|---|");
    for name in names {
        rows::measure(name).await?;
    }
    Ok(())
}

/// 2,000 connections are more than many systems allow at first. The servers inherit it.
#[cfg(unix)]
fn allow_many_connections() -> io::Result<()> {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

    let limits = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limits.maximum, ..limits };
    Ok(setrlimit(Resource::Nofile, raised)?)
}

#[cfg(not(unix))]
fn allow_many_connections() -> io::Result<()> {
    Ok(())
}

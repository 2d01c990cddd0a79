//! What `/health` costs while checks hang, block and crowd: the figures of `docs/performance.md`.
//!
//! ```console
//! $ cargo run --release -p health-axum --example axum_load [ROW ...]
//! ```
//!
//! For each row this program starts itself again as a server, asks it, and prints what came of it. It asserts what
//! the server answers, and never how long that took. Linux only: it reads `/proc`.

mod client;
mod plain;
mod rows;
mod server;
mod testee;

use std::{env, io};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

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
    // The servers inherit it: 2,000 connections are more than many systems allow at first.
    let maximum = getrlimit(Resource::Nofile).maximum;
    let all = Rlimit {
        current: maximum,
        maximum,
    };
    setrlimit(Resource::Nofile, all)?;

    println!("| work | expected | measured |\n|---|---|---|");
    for name in names {
        rows::measure(name).await?;
    }
    Ok(())
}

//! Tests each indicator against real servers that fail in every way, see `health_interop/indicators/run.py`.
//!
//! The servers are started and ended by the program that starts this one. Lines that begin with `ASK` ask it for
//! something, and it answers on standard input; those that begin with `ROW` are results.

mod case;
mod manager;
mod observe;
mod row;
mod rows;
mod scene;

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::Parser;
use futures::future::join_all;
use serde::Deserialize;

use crate::manager::Manager;

#[derive(Parser)]
struct Options {
    /// What is there to test, as JSON.
    #[arg(long)]
    setup: String,
}

/// What is there to test.
#[derive(Deserialize)]
struct Setup {
    /// The servers that run.
    servers: BTreeMap<String, Server>,
    /// A directory for files.
    scratch: PathBuf,
    /// A directory with little space. Without it, no disk can be filled.
    disk: Option<PathBuf>,
    /// Some of the groups of rows; all if there are none.
    only: Vec<String>,
}

#[derive(Deserialize)]
struct Server {
    port: u16,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    let setup: Setup = serde_json::from_str(&options.setup)?;
    let manager = Manager::new();
    let scenes = rows::scenes(&setup, &manager);
    join_all(scenes.into_iter().map(|scene| scene.run())).await;
    println!("DONE");
    Ok(())
}

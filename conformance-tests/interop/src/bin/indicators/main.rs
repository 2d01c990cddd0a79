//! Tests each indicator against real servers that fail in every way, see `health_interop/indicators/run.py`.
//!
//! The servers are started and ended by the program that starts this one. Lines that begin with `ASK` ask it for
//! something, and it answers on standard input; those that begin with `ROW` or `FIGURE` are results.

mod case;
mod figures;
mod manager;
mod observe;
mod row;
mod rows;
mod scene;
mod serve;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, Subcommand};
use futures::future::join_all;
use serde::Deserialize;

use crate::manager::Manager;
use crate::scene::Scene;

#[derive(Parser)]
struct Options {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Tests the indicators.
    Test {
        /// What is there to test, as JSON.
        setup: String,
    },
    /// Measures what the indicators cost.
    Figures {
        /// As of `test`.
        setup: String,
        /// Measures only probes that are so many seconds apart.
        #[arg(long)]
        idle: Option<u64>,
    },
    /// Is a server that indicators test.
    #[command(subcommand)]
    Serve(serve::Served),
}

/// What is there to test.
#[derive(Deserialize)]
struct Setup {
    /// The servers that run.
    servers: BTreeMap<String, Server>,
    /// The groups of rows that are wanted.
    only: Vec<String>,
}

#[derive(Deserialize, Clone)]
struct Server {
    /// On 127.0.0.1.
    port: u16,
    /// For files that are tested.
    #[serde(default)]
    directory: PathBuf,
    /// What it has given out, if it accepts no other.
    #[serde(default)]
    key: Key,
}

/// An access key.
#[derive(Deserialize, Debug, Clone, Default)]
struct Key {
    id: String,
    secret: String,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    // Of several that are compiled in, rustls chooses none.
    tokio_rustls::rustls::crypto::ring::default_provider().install_default().ok();
    match Options::parse().command {
        Command::Test { setup } => test(&serde_json::from_str(&setup)?).await,
        Command::Figures { setup, idle } => {
            let idle = idle.map(Duration::from_secs);
            figures::measure(&serde_json::from_str(&setup)?, idle, &Manager::new()).await?;
            println!("DONE");
            Ok(())
        }
        Command::Serve(served) => serve::serve(served).await,
    }
}

async fn test(setup: &Setup) -> anyhow::Result<()> {
    let scenes = rows::scenes(setup, &Manager::new());
    let (names, others): (Vec<_>, Vec<_>) =
        scenes.into_iter().partition(|scene| scene.server == "names");
    join_all(others.into_iter().map(Scene::run)).await;
    // The others need it.
    join_all(names.into_iter().map(Scene::run)).await;
    println!("DONE");
    Ok(())
}

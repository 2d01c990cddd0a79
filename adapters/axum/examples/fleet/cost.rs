//! What the exchange of a fleet costs its Redis: `cargo run --release -p health-axum --example fleet cost`.
//!
//! It counts what Redis itself reports (`INFO`), for one exchange of each of some hosts, one after the other.

use std::collections::HashMap;
use std::error::Error;
use std::time::Duration;

use health_axum::{OwnView, Peers as _};
use redis::{AsyncCommands as _, Client};

use super::peers::Meeting;

const FLEET: &str = "health-cost";

/// The period of the exchange.
const PERIOD: f64 = 5.0;

/// How many exchanges are measured, at least.
const EXCHANGES: usize = 1_000;

/// How long the keys live. They are removed before.
const EXPIRY: Duration = Duration::from_secs(600);

/// Prints a table of what fleets of three sizes cost.
pub(crate) async fn print(client: &Client) -> Result<(), Box<dyn Error + Send + Sync>> {
    println!("| hosts | exchanges/s | commands/s | keys read/s | received | sent | CPU | memory |");
    println!("|---|---|---|---|---|---|---|---|");
    for hosts in [10, 100, 10_000] {
        let cost = measure(client, hosts).await?;
        let rate = hosts as f64 / PERIOD;
        println!(
            "| {hosts} | {rate} | {:.0} | {:.0} | {:.0} kB/s | {:.0} kB/s | {:.2} % | {:.0} kB |",
            cost.commands * rate,
            cost.keys * rate,
            cost.received * rate / 1e3,
            cost.sent * rate / 1e3,
            cost.cpu * rate * 100.0,
            cost.memory * hosts as f64 / 1e3,
        );
    }
    Ok(())
}

/// The cost of one exchange.
struct Cost {
    commands: f64,
    keys: f64,
    /// Bytes that Redis receives and sends.
    received: f64,
    sent: f64,
    /// Seconds of Redis' CPU time.
    cpu: f64,
    /// The bytes that a host takes: its key, its share of the set, and its connection.
    memory: f64,
}

/// Measures exchanges of a fleet that all `hosts` have joined.
async fn measure(client: &Client, hosts: usize) -> Result<Cost, Box<dyn Error + Send + Sync>> {
    let name = |host: usize| format!("shop-7f9c6d5b8-{host:05}");
    // This process cannot open 10,000 connections.
    let connected = hosts.min(100);
    let fleet: Vec<_> = (0..connected)
        .map(|host| Meeting::new(client.clone(), FLEET, &name(host), EXPIRY))
        .collect();
    let own = [OwnView::new("database", true), OwnView::new("queue", true)];
    for host in connected..hosts {
        fleet[0].join(&name(host), &own).await?;
    }
    for host in &fleet {
        host.exchange(&own).await?;
    }
    let start = Info::read(client).await?;
    let rounds = EXCHANGES.div_ceil(connected);
    for _ in 0..rounds {
        for host in &fleet {
            let views = host.exchange(&own).await?;
            assert!(views.iter().all(|view| view.reaching == view.of && view.of >= 9));
        }
    }
    let end = Info::read(client).await?;
    let exchanges = (rounds * connected) as f64;
    let per_exchange = |name: &str| (end.get(name) - start.get(name)) / exchanges;
    let key = memory(client, &format!("{FLEET}:hosts:{}", name(0))).await?;
    let set = memory(client, &format!("{FLEET}:hosts")).await?;
    let cost = Cost {
        commands: per_exchange("total_commands_processed"),
        keys: per_exchange("keyspace_hits") + per_exchange("keyspace_misses"),
        received: per_exchange("total_net_input_bytes"),
        sent: per_exchange("total_net_output_bytes"),
        cpu: per_exchange("used_cpu_user") + per_exchange("used_cpu_sys"),
        memory: key
            + set / hosts as f64
            + end.get("mem_clients_normal") / end.get("connected_clients"),
    };
    drop(fleet);
    remove(client).await?;
    Ok(cost)
}

/// The bytes of a key, with its value.
async fn memory(client: &Client, key: &str) -> Result<f64, Box<dyn Error + Send + Sync>> {
    let mut connection = client.get_multiplexed_async_connection().await?;
    let mut command = redis::cmd("MEMORY");
    command.arg("USAGE").arg(key).arg("SAMPLES").arg(0);
    Ok(command.query_async(&mut connection).await?)
}

/// Removes the keys of the fleet.
async fn remove(client: &Client) -> Result<(), Box<dyn Error + Send + Sync>> {
    let mut connection = client.get_multiplexed_async_connection().await?;
    let hosts: Vec<String> = connection.smembers(format!("{FLEET}:hosts")).await?;
    for host in hosts {
        let _: () = connection.del(format!("{FLEET}:hosts:{host}")).await?;
    }
    Ok(connection.del(format!("{FLEET}:hosts")).await?)
}

/// The numbers of `INFO`.
struct Info(HashMap<String, f64>);

impl Info {
    async fn read(client: &Client) -> Result<Self, Box<dyn Error + Send + Sync>> {
        let mut connection = client.get_multiplexed_async_connection().await?;
        let text: String = redis::cmd("INFO").query_async(&mut connection).await?;
        let number = |line: &str| {
            let (name, value) = line.split_once(':')?;
            Some((name.to_owned(), value.trim().parse().ok()?))
        };
        Ok(Self(text.lines().filter_map(number).collect()))
    }

    fn get(&self, name: &str) -> f64 {
        self.0.get(name).copied().unwrap_or(f64::NAN)
    }
}

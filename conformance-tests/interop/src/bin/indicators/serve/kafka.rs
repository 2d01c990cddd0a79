//! The mock of librdkafka.

use std::io::BufRead as _;
use std::time::Duration;

use anyhow::{Context as _, bail};
use rdkafka::mocking::MockCluster;

/// A topic that exists.
pub(crate) const TOPIC: &str = "orders";

/// Prints its port, and the commands that it has obeyed.
pub(super) fn serve() -> anyhow::Result<()> {
    let cluster = MockCluster::new(1)?;
    cluster.create_topic(TOPIC, 1, 1)?;
    let servers = cluster.bootstrap_servers();
    let (_, port) = servers.rsplit_once(':').context("the mock has no address")?;
    println!("READY {port}");
    for line in std::io::stdin().lock().lines() {
        match line?.as_str() {
            "down" => cluster.broker_down(1)?,
            "up" => cluster.broker_up(1)?,
            "restart" => {
                cluster.broker_down(1)?;
                cluster.broker_up(1)?;
            }
            "slow" => cluster.broker_round_trip_time(1, Duration::from_millis(2700))?,
            "fast" => cluster.broker_round_trip_time(1, Duration::ZERO)?,
            other => bail!("unknown command {other}"),
        }
        println!("DONE");
    }
    Ok(())
}

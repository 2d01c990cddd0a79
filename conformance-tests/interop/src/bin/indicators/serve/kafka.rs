//! The mock of librdkafka.

use std::io::BufRead as _;

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
            "restart" => {
                cluster.broker_down(1)?;
                cluster.broker_up(1)?;
            }
            other => bail!("unknown command {other}"),
        }
        println!("DONE");
    }
    Ok(())
}

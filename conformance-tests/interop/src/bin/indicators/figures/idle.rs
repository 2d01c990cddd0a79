//! Servers, and what lies in between, that drop idle connections.

use std::time::Duration;

use futures::future::try_join_all;
use health_interop::fault::Fault;
use tokio::time::sleep;

use super::{Kept, figure};
use crate::manager::Manager;

/// How indicators are probed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Idle {
    probes: u32,
    /// The time between two probes. The server closes idle connections after half of it.
    apart: Duration,
    /// The number of indicators of each kind.
    indicators: u32,
}

impl Default for Idle {
    fn default() -> Self {
        Self { probes: 60, apart: Duration::from_secs(2), indicators: 1 }
    }
}

impl Idle {
    /// Two probes, which are so far apart.
    pub(super) fn once(apart: Duration) -> Self {
        Self { probes: 2, apart, indicators: 10 }
    }
}

pub(super) async fn measure(kept: &[Kept], idle: Idle, manager: &Manager) -> anyhow::Result<()> {
    let half = (idle.apart / 2).as_millis().to_string();
    for server in kept {
        manager.ask(server.name, &["idle_timeout", &half]).await?;
    }
    let of_all = kept.iter().flat_map(|kept| [(kept, false), (kept, true)]);
    try_join_all(of_all.map(|(kept, is_forgotten)| probes(kept, idle, is_forgotten))).await?;
    for server in kept {
        manager.ask(server.name, &["idle_timeout", "0"]).await?;
    }
    Ok(())
}

async fn probes(kept: &Kept, idle: Idle, is_forgotten: bool) -> anyhow::Result<()> {
    let Idle { probes, apart, indicators } = idle;
    let each = (0..indicators).map(|_| of_one(kept, idle, is_forgotten));
    let results = try_join_all(each).await?;
    let failures: u32 = results.iter().map(|(failures, _)| failures).sum();
    let connections: u64 = results.iter().map(|(_, connections)| connections).sum();
    let how = if is_forgotten { "forgotten on the way" } else { "closed by the server" };
    let work = format!(
        "{probes} probes, {apart:?} apart, of each of {indicators} indicators, and idle connections are {how} before the \
         next, {}",
        kept.name
    );
    figure(&work, &format!("{failures} failures, {connections} connections"));
    Ok(())
}

/// The server closes the connection between two probes, or something in between forgets it as well. Returns the number of
/// failures, and of connections.
async fn of_one(kept: &Kept, idle: Idle, is_forgotten: bool) -> anyhow::Result<(u32, u64)> {
    let (proxy, observed) = kept.observed().await?;
    let mut failures = 0;
    for number in 0..idle.probes {
        if number > 0 {
            sleep(idle.apart).await;
        }
        let seen = observed.test().await?;
        if !seen.is_ok() {
            failures += 1;
            println!("{}: {} after {:?}: {}", kept.name, seen.verdict(), seen.took, seen.message);
        }
        if is_forgotten {
            proxy.set(Fault::HalfOpen).await?;
        }
    }
    Ok((failures, proxy.connections().accepted))
}

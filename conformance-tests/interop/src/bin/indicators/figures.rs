//! What the indicators cost, and how often they are wrong.

mod busy;
mod idle;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use futures::future::try_join_all;
use health_interop::fault::{Fault, FaultProxy};
use tokio::time::sleep;

use self::idle::Idle;
use crate::Setup;
use crate::case::Case;
use crate::manager::Manager;
use crate::observe::Observed;
use crate::row::{Made, PERIOD, Row, Target};
use crate::rows::{redis, sqlx};

const PROBES: u32 = 10_000;
const OUTAGES: u32 = 10;

/// An indicator that keeps one connection to a server.
struct Kept {
    /// The name of the server.
    name: &'static str,
    row: Row,
    server: SocketAddr,
}

/// Measures everything, and prints it. With `idle`, measures only probes of a server that are so far apart.
pub(crate) async fn measure(
    setup: &Setup,
    idle: Option<Duration>,
    manager: &Manager,
) -> anyhow::Result<()> {
    let kept = |name, mut rows: Vec<Row>, at| -> anyhow::Result<Kept> {
        let server = setup.servers.get(name).with_context(|| format!("{name} does not run"))?;
        let server = SocketAddr::from((Ipv4Addr::LOCALHOST, server.port));
        Ok(Kept { name, row: rows.swap_remove(at), server })
    };
    let kept = [kept("redis", redis::rows(), 0)?, kept("postgres", sqlx::postgres(), 2)?];
    if let Some(apart) = idle {
        return idle::measure(&kept, Idle::once(apart), manager).await;
    }
    for kept in &kept {
        healthy(kept).await?;
    }
    let faults = [(Fault::Refuse, "refuses connections"), (Fault::Silent, "is silent")];
    let of_all = kept.iter().flat_map(|kept| faults.map(|fault| (kept, fault)));
    try_join_all(of_all.map(|(kept, fault)| outages(kept, fault))).await?;
    idle::measure(&kept, Idle::default(), manager).await?;
    let [_, postgres] = &kept;
    busy::measure(postgres.server).await
}

fn figure(work: &str, result: &str) {
    println!("FIGURE {}", serde_json::json!([work, result]));
}

impl Kept {
    /// Such an indicator, behind its own proxy.
    async fn observed(&self) -> anyhow::Result<(FaultProxy, Observed)> {
        let proxy = FaultProxy::start(self.server).await?;
        let target = Target::new(proxy.address(), PathBuf::new(), Case::Up);
        let Made { check, .. } = self.row.make(target).await?;
        Ok((proxy, Observed::new(check)?))
    }
}

async fn healthy(kept: &Kept) -> anyhow::Result<()> {
    let (proxy, observed) = kept.observed().await?;
    let (start, mut failures) = (Instant::now(), 0);
    for _ in 0..PROBES {
        failures += u32::from(!observed.test().await?.is_ok());
    }
    let (took, connections) = (start.elapsed(), proxy.connections().accepted);
    let result =
        format!("{connections} connections, {failures} failures, in {:.1} s", took.as_secs_f64());
    figure(&format!("{PROBES} probes of a healthy server, {}", kept.name), &result);
    Ok(())
}

async fn outages(kept: &Kept, (fault, how): (Fault, &str)) -> anyhow::Result<()> {
    let (proxy, observed) = kept.observed().await?;
    let (mut detected, mut recovered) = (Duration::ZERO, Duration::ZERO);
    for _ in 0..OUTAGES {
        until(&observed, true).await?;
        proxy.set(fault).await?;
        detected = detected.max(until(&observed, false).await?);
        proxy.set(Fault::None).await?;
        recovered = recovered.max(until(&observed, true).await?);
    }
    let (detected, recovered) = (detected.as_secs_f64(), recovered.as_secs_f64());
    let result = format!("detected within {detected:.2} s, recovered within {recovered:.2} s");
    figure(&format!("{OUTAGES} outages of a server that {how}, {}", kept.name), &result);
    Ok(())
}

/// Tests the indicator until it passes, or fails. Returns how long that took.
async fn until(observed: &Observed, passes: bool) -> anyhow::Result<Duration> {
    let start = Instant::now();
    while observed.test().await?.is_ok() != passes {
        sleep(PERIOD).await;
    }
    Ok(start.elapsed())
}

//! What the indicators cost, and how often they are wrong.

mod busy;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use futures::future::try_join_all;
use health_interop::fault::{Fault, FaultProxy};
use tokio::time::sleep;

use crate::Setup;
use crate::case::Case;
use crate::manager::Manager;
use crate::observe::Observed;
use crate::row::{Made, PERIOD, Row, Target};
use crate::rows::{redis, sqlx};

const PROBES: u32 = 10_000;
/// Probes of a server that closes idle connections after a second, and the time between them.
const IDLE_PROBES: u32 = 60;
const IDLE: Duration = Duration::from_secs(2);
const OUTAGES: u32 = 10;

/// Measures everything, and prints it.
pub(crate) async fn measure(setup: &Setup, manager: &Manager) -> anyhow::Result<()> {
    let server = |name: &str| {
        let server = setup.servers.get(name).with_context(|| format!("{name} does not run"))?;
        Ok::<_, anyhow::Error>(SocketAddr::from((Ipv4Addr::LOCALHOST, server.port)))
    };
    let kept = [
        ("redis", redis::rows().swap_remove(0), server("redis")?),
        ("postgres", sqlx::postgres().swap_remove(2), server("postgres")?),
    ];
    for (name, row, address) in &kept {
        healthy(name, row, *address).await?;
    }
    let faults = [(Fault::Refuse, "refuses connections"), (Fault::Silent, "is silent")];
    let of_all = kept.iter().flat_map(|kept| faults.map(|fault| (kept, fault)));
    try_join_all(of_all.map(|((name, row, server), fault)| outages(name, row, *server, fault)))
        .await?;
    for (name, ..) in &kept {
        manager.ask(name, &["idle_timeout", "1000"]).await?;
    }
    let of_all = kept.iter().flat_map(|kept| [(kept, false), (kept, true)]);
    let idle = of_all.map(|((name, row, server), forgotten)| idle(name, row, *server, forgotten));
    try_join_all(idle).await?;
    for (name, ..) in &kept {
        manager.ask(name, &["idle_timeout", "0"]).await?;
    }
    busy::measure(server("postgres")?).await
}

fn figure(work: &str, result: &str) {
    println!("FIGURE {}", serde_json::json!([work, result]));
}

async fn observed(row: &Row, server: SocketAddr) -> anyhow::Result<(FaultProxy, Observed)> {
    let proxy = FaultProxy::start(server).await?;
    let target = Target::new(proxy.address(), PathBuf::new(), Case::Up);
    let Made { check, .. } = row.make(target).await?;
    Ok((proxy, Observed::new(check)?))
}

async fn healthy(name: &str, row: &Row, server: SocketAddr) -> anyhow::Result<()> {
    let (proxy, observed) = observed(row, server).await?;
    let (start, mut failures) = (Instant::now(), 0);
    for _ in 0..PROBES {
        failures += u32::from(!observed.test().await?.is_ok());
    }
    let (took, connections) = (start.elapsed(), proxy.connections().accepted);
    let result =
        format!("{connections} connections, {failures} failures, in {:.1} s", took.as_secs_f64());
    figure(&format!("{PROBES} probes of a healthy server, {name}"), &result);
    Ok(())
}

/// The server closes the connection between two probes, or something in between forgets it as well.
async fn idle(name: &str, row: &Row, server: SocketAddr, is_forgotten: bool) -> anyhow::Result<()> {
    let (proxy, observed) = observed(row, server).await?;
    let mut failures = 0;
    for _ in 0..IDLE_PROBES {
        let seen = observed.test().await?;
        if !seen.is_ok() {
            failures += 1;
            println!("{name}: {} after {:?}: {}", seen.verdict(), seen.took, seen.message);
        }
        if is_forgotten {
            proxy.set(Fault::HalfOpen).await?;
        }
        sleep(IDLE).await;
    }
    let connections = proxy.connections().accepted;
    let how = if is_forgotten { "forgotten on the way" } else { "closed by the server" };
    let work = format!(
        "{IDLE_PROBES} probes, {IDLE:?} apart, and idle connections are {how} before the next, {name}"
    );
    figure(&work, &format!("{failures} failures, {connections} connections"));
    Ok(())
}

async fn outages(
    name: &str,
    row: &Row,
    server: SocketAddr,
    (fault, how): (Fault, &str),
) -> anyhow::Result<()> {
    let (proxy, observed) = observed(row, server).await?;
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
    figure(&format!("{OUTAGES} outages of a server that {how}, {name}"), &result);
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

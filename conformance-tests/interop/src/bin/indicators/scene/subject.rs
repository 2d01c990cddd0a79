//! An indicator behind a proxy, which breaks the network, or with a pool that is in use.

use std::time::{Duration, Instant};

use anyhow::{Context as _, anyhow, bail};
use futures::future::try_join_all;
use health_interop::fault::{Fault, FaultProxy};
use tokio::time::{sleep, timeout};

use super::Place;
use super::cell::Cell;
use crate::case::Case;
use crate::observe::{Observed, Seen};
use crate::row::{ApplicationPool, Connections, Fill, Made, PERIOD, Row, STUCK_AFTER, Target};

/// How long an indicator may take to pass at first, or after a fault, before the run fails.
const PATIENCE: Duration = Duration::from_secs(20);
/// More workers than the pool has connections.
const WORKERS: usize = 8;
/// A busy machine may take this much longer than a bound.
const SLACK: Duration = Duration::from_secs(2);

pub(super) struct Subject {
    proxy: FaultProxy,
    /// What the proxy does.
    fault: Option<Fault>,
    /// Reasons of which each is right, and how the matrix shows them.
    alike: (&'static [&'static str], &'static str),
    observed: Observed,
    pool: Option<Box<dyn ApplicationPool>>,
    fill: Option<Fill>,
    timeout: Duration,
    allowed: Connections,
    /// The longest time until it passes after a fault.
    recovery: Duration,
}

impl Subject {
    pub(super) async fn new(row: &Row, case: Case, place: Place) -> anyhow::Result<Self> {
        let proxy = match row.connections {
            Connections::OfKafka => FaultProxy::start_for_kafka(place.server).await?,
            _ => FaultProxy::start(place.server).await?,
        };
        let mut target = Target::new(proxy.address(), place.directory, case);
        target.key = place.key;
        let is_there = place.gone.is_none();
        let fault = case.fault();
        if let Some(host) = place.gone {
            target.host = host;
        }
        let timeout = target.timeout;
        let Made { check, pool, fill } = row.make(target).await?;
        let (observed, allowed) = (Observed::new(check)?, row.connections);
        let alike = alike(case);
        let recovery = PERIOD + row.retry_delay + SLACK;
        let subject =
            Self { proxy, fault, alike, observed, pool, fill, timeout, allowed, recovery };
        if is_there && !matches!(case, Case::WrongPassword | Case::Up) {
            for number in 0..allowed.settled_after() {
                if number > 0 {
                    sleep(PERIOD).await;
                }
                subject.passes().await.context("before the fault")?;
            }
        }
        Ok(subject)
    }

    /// Tests the indicator until it passes.
    async fn passes(&self) -> anyhow::Result<()> {
        let start = Instant::now();
        loop {
            let seen = self.observed.test().await?;
            if seen.is_ok() {
                return Ok(());
            }
            if start.elapsed() > PATIENCE {
                bail!("it does not pass: {} ({})", seen.verdict(), seen.message);
            }
            sleep(PERIOD).await;
        }
    }

    pub(super) async fn during(&self, case: Case, cell: &mut Cell) -> anyhow::Result<()> {
        match case {
            Case::PoolBusy => {
                let tested = async {
                    // Until all workers have begun.
                    sleep(Duration::from_millis(200)).await;
                    self.seen(case, cell).await
                };
                tokio::select! {
                    error = self.busy() => bail!("the application failed: {error:#}"),
                    seen = tested => self.note(cell, &seen?),
                }
            }
            Case::PoolStuck => {
                let _held = self.pool()?.hold().await?;
                let saturated = self.seen(case, cell).await?;
                self.note(cell, &saturated);
                let start = Instant::now();
                while !cell.verdict.contains("stuck") && start.elapsed() < STUCK_AFTER + SLACK {
                    sleep(PERIOD).await;
                    let seen = self.observed.test().await?;
                    self.note(cell, &Observation { seen, after: start.elapsed() });
                }
            }
            Case::PasswordChanged => {
                let kept = self.seen(case, cell).await?;
                self.note(cell, &kept);
                // A new connection needs the new password.
                self.proxy.set(Fault::Reset).await?;
                self.proxy.set(Fault::None).await?;
                let replaced = self.seen(case, cell).await?;
                self.note(cell, &replaced);
            }
            case => {
                let fill = self.fill.filter(|_| case == Case::NoWrites);
                let _filled = fill.map(tokio::task::block_in_place).transpose()?;
                if let Some(fault) = self.fault {
                    self.proxy.set(fault).await?;
                }
                let seen = self.seen(case, cell).await?;
                self.note(cell, &seen);
            }
        }
        Ok(())
    }

    pub(super) async fn after(&self, case: Case, cell: &mut Cell) -> anyhow::Result<()> {
        if self.fault.is_some() {
            self.proxy.set(Fault::None).await?;
        }
        if !matches!(case, Case::WrongPassword | Case::Up) {
            let start = Instant::now();
            self.passes().await.context("after the fault")?;
            let recovered = start.elapsed();
            cell.recovered = Some(recovered);
            if recovered > self.recovery {
                cell.wrong.push(format!("it took {recovered:.1?} to recover"));
            }
        }
        let connections = self.proxy.connections();
        (cell.accepted, cell.most) = (connections.accepted, connections.most);
        if cell.most > self.allowed.at_once() {
            cell.wrong.push(format!("{} connections at the same time", cell.most));
        }
        if case == Case::Up && cell.accepted > self.allowed.opened(case.tests().into()) {
            cell.wrong.push(format!("{} connections to a healthy server", cell.accepted));
        }
        Ok(())
    }

    /// Tests the indicator some times. Returns the first result that is not OK, or the last.
    async fn seen(&self, case: Case, cell: &mut Cell) -> anyhow::Result<Observation> {
        let start = Instant::now();
        let mut first: Option<Observation> = None;
        for number in 0..case.tests() {
            if number > 0 {
                sleep(case.period()).await;
            }
            // The check has a quarter more.
            let seen = timeout(self.timeout * 5 / 4 + SLACK, self.observed.test()).await;
            let seen = seen.context("a test took longer than its timeout")??;
            cell.longest = cell.longest.max(seen.took);
            if first.as_ref().is_none_or(|first| first.seen.is_ok()) {
                first = Some(Observation { seen, after: start.elapsed() });
            }
        }
        first.context("it was not tested")
    }

    fn pool(&self) -> anyhow::Result<&dyn ApplicationPool> {
        self.pool.as_deref().context("there is no pool")
    }

    /// Uses all connections of the pool, until something fails.
    async fn busy(&self) -> anyhow::Error {
        let worker = async || -> anyhow::Result<()> {
            loop {
                self.pool()?.work().await?;
            }
        };
        let workers = (0..WORKERS).map(|_| worker());
        let failed = try_join_all(workers).await;
        failed.err().unwrap_or_else(|| anyhow!("the workers ended"))
    }

    /// Adds what was seen.
    fn note(&self, cell: &mut Cell, observed: &Observation) {
        let mut verdict = observed.seen.verdict();
        let (reasons, either) = self.alike;
        if reasons.contains(&observed.seen.reason.as_str()) {
            either.clone_into(&mut verdict);
        }
        let is_first = cell.detected.is_none() || verdict == "`stuck`";
        if is_first && !observed.seen.is_ok() {
            let limit = if verdict == "`stuck`" { STUCK_AFTER + PERIOD } else { self.timeout };
            cell.detected = Some(observed.after);
            cell.message.clone_from(&observed.seen.message);
            if observed.after > limit + SLACK {
                cell.wrong.push(format!("it took {:.1?} to detect", observed.after));
            }
        }
        if cell.verdict.is_empty() {
            cell.verdict = verdict;
        } else if !cell.verdict.ends_with(&verdict) {
            cell.verdict = format!("{}, then {verdict}", cell.verdict);
        }
    }
}

/// Reasons that depend on the moment: when the driver notices the end of a connection.
fn alike(case: Case) -> (&'static [&'static str], &'static str) {
    match case {
        Case::Reset => (&["reset", "closed"], "`reset` or `closed`"),
        // Drivers that have begun to read a response may call its end a failure of their own.
        Case::Cut => (&["reset", "closed", "failed"], "`reset`, `closed` or `failed`"),
        _ => (&[], ""),
    }
}

/// A result, and how long it came after the fault.
struct Observation {
    seen: Seen,
    after: Duration,
}

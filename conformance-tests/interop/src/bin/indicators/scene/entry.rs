//! An indicator in one case.

use std::fmt;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use futures::future::join_all;
use health_interop::fault::{Fault, FaultProxy};
use serde_json::json;
use tokio::time::{sleep, timeout};

use crate::case::Case;
use crate::observe::{Observed, Seen};
use crate::row::{ApplicationPool, Made, PERIOD, RETRY_DELAY, Row, Target};

/// How long an indicator may take to pass at first, or after a fault, before the run fails.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long a pool returns no connection until it is stuck.
pub(crate) const STUCK_AFTER: Duration = Duration::from_secs(2);
/// More workers than the pool has connections.
const WORKERS: usize = 8;
/// A busy machine may take this much longer than a bound.
const SLACK: Duration = Duration::from_secs(2);

/// What was found out.
#[derive(Debug, Clone, Default)]
pub(crate) struct Cell {
    /// As the matrix shows it.
    verdict: String,
    message: String,
    /// From the fault to the first result that shows it.
    detected: Option<Duration>,
    /// From the end of the fault to the first result that shows it.
    recovered: Option<Duration>,
    /// The longest test.
    longest: Duration,
    /// The connections that were accepted, and the most at the same time.
    accepted: u64,
    most: u64,
    /// What must not happen.
    wrong: Vec<String>,
}

impl Cell {
    pub(crate) fn failed(error: &anyhow::Error) -> Self {
        Self { wrong: vec![format!("{error:#}")], ..Self::default() }
    }

    pub(crate) fn not_run(why: &str) -> Self {
        Self { verdict: format!("NOT RUN: {why}"), ..Self::default() }
    }

    pub(crate) fn describe(&self) -> serde_json::Value {
        let seconds = |time: Option<Duration>| time.map(|time| time.as_secs_f64());
        json!({
            "verdict": self.verdict,
            "message": self.message,
            "detected": seconds(self.detected),
            "recovered": seconds(self.recovered),
            "longest": self.longest.as_secs_f64(),
            "accepted": self.accepted,
            "most": self.most,
            "wrong": self.wrong,
        })
    }
}

/// An indicator in one case, behind a proxy of its own.
pub(crate) struct Entry {
    case: Case,
    gone: String,
    subject: anyhow::Result<Subject>,
    cell: Cell,
}

struct Subject {
    proxy: FaultProxy,
    observed: Observed,
    pool: Option<Box<dyn ApplicationPool>>,
    timeout: Duration,
}

impl Entry {
    /// Makes the indicator, and waits until it passes, unless it is one that cannot.
    pub(crate) async fn new(group: &str, row: &Row, case: Case, server: SocketAddr) -> Self {
        let letters = row.name.chars().filter(char::is_ascii_alphanumeric);
        let gone = format!("{}-{group}.test", letters.collect::<String>().to_lowercase());
        let subject = Subject::new(row, case, server, &gone).await;
        Self { case, gone, subject, cell: Cell::default() }
    }

    /// The name that has to be there after the fault.
    pub(crate) fn name(&self) -> Option<String> {
        Some(self.gone.clone())
    }

    /// Makes the fault, and tests the indicator while it lasts.
    pub(crate) async fn during(&mut self) {
        if let Ok(subject) = &self.subject {
            if let Err(error) = subject.during(self.case, &mut self.cell).await {
                self.cell.wrong.push(format!("{error:#}"));
            }
        }
    }

    /// Ends the fault, and tests the indicator until it passes.
    pub(crate) async fn after(&mut self) {
        if let Ok(subject) = &self.subject {
            if let Err(error) = subject.after(self.case, &mut self.cell).await {
                self.cell.wrong.push(format!("{error:#}"));
            }
        }
    }

    pub(crate) fn into_cell(self) -> Cell {
        match self.subject {
            Ok(_) => self.cell,
            Err(error) => Cell::failed(&error),
        }
    }
}

impl Subject {
    async fn new(row: &Row, case: Case, server: SocketAddr, gone: &str) -> anyhow::Result<Self> {
        let proxy = FaultProxy::start(server).await?;
        let mut target = Target::new(proxy.address(), case);
        if case == Case::Gone {
            gone.clone_into(&mut target.host);
        }
        let timeout = target.timeout;
        let Made { check, pool } = row.make(target).await?;
        let subject = Self { proxy, observed: Observed::new(check)?, pool, timeout };
        if !matches!(case, Case::WrongPassword | Case::Gone | Case::Up) {
            subject.passes().await.context("before the fault")?;
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

    async fn during(&self, case: Case, cell: &mut Cell) -> anyhow::Result<()> {
        match case {
            Case::PoolBusy => {
                let tested = async {
                    // Until all workers have begun.
                    sleep(Duration::from_millis(200)).await;
                    self.seen(case, cell).await
                };
                tokio::select! {
                    error = self.busy() => bail!("the application failed: {error:#}"),
                    seen = tested => note(cell, &seen?),
                }
            }
            Case::PoolStuck => {
                let _held = self.pool()?.hold().await?;
                let saturated = self.seen(Case::Slow, cell).await?;
                note(cell, &saturated);
                let start = Instant::now();
                while !cell.verdict.contains("stuck") && start.elapsed() < STUCK_AFTER + SLACK {
                    sleep(PERIOD).await;
                    let seen = self.observed.test().await?;
                    note(cell, &Observations { seen, after: start.elapsed(), verdict: None });
                }
            }
            Case::PasswordChanged => {
                let kept = self.seen(case, cell).await?;
                note(cell, &kept);
                // A new connection needs the new password.
                self.proxy.set(Fault::Reset).await?;
                self.proxy.set(Fault::None).await?;
                let replaced = self.seen(case, cell).await?;
                note(cell, &replaced);
            }
            case => {
                if let Some(fault) = case.fault() {
                    self.proxy.set(fault).await?;
                }
                let seen = self.seen(case, cell).await?;
                note(cell, &seen);
            }
        }
        Ok(())
    }

    async fn after(&self, case: Case, cell: &mut Cell) -> anyhow::Result<()> {
        if case.fault().is_some() {
            self.proxy.set(Fault::None).await?;
        }
        if !matches!(case, Case::WrongPassword | Case::Up) {
            let start = Instant::now();
            self.passes().await.context("after the fault")?;
            let recovered = start.elapsed();
            cell.recovered = Some(recovered);
            if recovered > PERIOD + RETRY_DELAY + SLACK {
                cell.wrong.push(format!("it took {recovered:.1?} to recover"));
            }
        }
        let connections = self.proxy.connections();
        cell.accepted = connections.accepted;
        cell.most = connections.most;
        Ok(())
    }

    /// Tests the indicator some times. Returns the first result that is not OK, or the last.
    async fn seen(&self, case: Case, cell: &mut Cell) -> anyhow::Result<Observations> {
        let start = Instant::now();
        let mut first: Option<Observations> = None;
        for number in 0..case.tests() {
            if number > 0 && case != Case::Up {
                sleep(PERIOD).await;
            }
            // The check has a quarter more.
            let seen = timeout(self.timeout * 5 / 4 + SLACK, self.observed.test()).await;
            let seen = seen.context("a test took longer than its timeout")??;
            cell.longest = cell.longest.max(seen.took);
            if first.as_ref().is_none_or(|first| first.seen.is_ok()) {
                first = Some(Observations { seen, after: start.elapsed(), verdict: None });
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
        let failed = futures::future::try_join_all(workers).await;
        failed.err().unwrap_or_else(|| anyhow::anyhow!("the workers ended"))
    }
}

struct Observations {
    seen: Seen,
    after: Duration,
    verdict: Option<fmt::Error>,
}

/// Adds what was seen.
fn note(cell: &mut Cell, observed: &Observations) {
    let verdict = observed.seen.verdict();
    if cell.verdict.is_empty() {
        cell.verdict = verdict;
    } else if !cell.verdict.ends_with(&verdict) {
        cell.verdict = format!("{}, then {verdict}", cell.verdict);
    }
    if !observed.seen.is_ok() {
        cell.detected.get_or_insert(observed.after);
        cell.message.clone_from(&observed.seen.message);
    }
}

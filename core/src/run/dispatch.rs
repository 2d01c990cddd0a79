//! Concurrent requests share a run (H7).

use std::sync::Arc;
#[cfg(feature = "metrics")]
use std::sync::atomic::Ordering;
use std::time::Instant;

use super::Run;
use super::background::start_again_after_fork;
use super::engine::Engine;
use super::registered::RegisteredCheck;
use crate::check::{Counting, Criticality, Report};
use crate::decision::{Outcome, RunPermit};
use crate::runtime::process::PerProcess;
use crate::runtime::sync::{Mutex, lock};

/// Joins requests to the run under way, or starts the next. All endpoints that choose the same checks, and count them alike,
/// share one.
#[derive(Debug)]
pub(crate) struct Dispatcher {
    engine: Arc<Engine>,
    checks: Arc<[Arc<RegisteredCheck>]>,
    countings: Arc<[Counting]>,
    /// A child of a fork does not join the run of its parent: nothing executes it there.
    latest: PerProcess<Mutex<Option<Arc<Run>>>>,
}

impl Dispatcher {
    pub(crate) fn new(engine: Arc<Engine>, checks: Vec<(Arc<RegisteredCheck>, Counting)>) -> Self {
        let (checks, countings): (Vec<_>, Vec<_>) = checks.into_iter().unzip();
        let (checks, countings) = (checks.into(), countings.into());
        Self { engine, checks, countings, latest: PerProcess::new() }
    }

    /// Waits for the outcome of the checks.
    pub(crate) async fn outcome(&self, _permit: RunPermit) -> Arc<Outcome> {
        start_again_after_fork(&self.engine);
        self.join().outcome().await
    }

    /// What follows from the last results at `now`. A check on request that has not run yet does not count. `resumed` is
    /// the end of the last standstill of the process.
    pub(crate) fn last_outcome(&self, now: Instant, resumed: Option<Instant>) -> Arc<Outcome> {
        Arc::new(Outcome::of(self.last_results(now, resumed).flatten().collect(), now))
    }

    /// The last results of each check at `now`, as they count; `None` for a check on request that has not run yet.
    pub(crate) fn last_results(
        &self,
        now: Instant,
        resumed: Option<Instant>,
    ) -> impl Iterator<Item = Option<(Criticality, Arc<[Report]>)>> {
        self.checks.iter().zip(&*self.countings).map(move |(check, counting)| {
            let background = check.background_result(now, resumed);
            let reports = background.or_else(|| Some(check.last_result()?.reports))?;
            Some(check.counted(*counting, reports, now, resumed))
        })
    }

    /// The run under way, or one that is recent enough, or else a new one.
    fn join(&self) -> Arc<Run> {
        let mut latest = lock(self.latest.get_or_make(Mutex::default));
        if let Some(run) = latest.as_ref().filter(|run| self.is_fresh(run)) {
            #[cfg(feature = "metrics")]
            self.engine.runs_shared.fetch_add(1, Ordering::Relaxed);
            return run.clone();
        }
        let run = Run::of(&self.engine, &self.checks, &self.countings);
        let former = latest.replace(run.clone());
        drop(latest);
        // The runtime and what a former run holds are code of the application: they must find the lock free.
        drop(former);
        run.launch();
        run
    }

    fn is_fresh(&self, run: &Run) -> bool {
        let now = self.engine.clock().now();
        if run.is_over() {
            now.saturating_duration_since(run.started()) < self.engine.limits.min_interval
        } else {
            !run.is_abandoned(now)
        }
    }
}

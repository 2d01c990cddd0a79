//! One run of checks: a table of results that fills up, whoever fills it, and is closed on time.
//!
//! Tasks claim checks and deliver what they report. Nobody depends on these tasks: whoever waits closes
//! what is overdue, should the thread of a task be blocked. A result that comes after its slot was closed
//! is dropped.

mod background;
mod claimed;
mod dispatch;
mod engine;
mod execution;
mod flight;
#[cfg(all(test, health_loom))]
mod loom;
mod observer;
mod registered;
mod round;
mod table;

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

pub(crate) use self::background::start as start_background;
use self::claimed::Claimed;
pub(crate) use self::dispatch::Dispatcher;
pub(crate) use self::engine::{Engine, Limits};
use self::execution::TimeBudget;
pub(crate) use self::observer::Observers;
pub use self::observer::{CheckFinished, HealthObserver, VerdictChanged};
pub(crate) use self::registered::Registered;
use self::table::{Slot, Table};
use crate::check::Report;
use crate::decision::{Outcome, Verdict};
use crate::runtime::promise::Promise;
use crate::runtime::sync::{Mutex, lock};
use crate::runtime::{after, until};

/// How long a task may be late before those who wait close its check themselves.
const GRACE: Duration = Duration::from_millis(20);

/// See the [module's doc](self).
pub(crate) struct Run {
    engine: Arc<Engine>,
    /// The numbers of its checks in the engine.
    checks: Arc<[usize]>,
    kind: Kind,
    started: Instant,
    /// When nobody waits any longer, whatever the deadlines of the checks. In the background nobody does.
    closes: Option<Instant>,
    table: Mutex<Table>,
    outcome: Promise<Arc<Outcome>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// For those who ask.
    Asked,
    /// Of a background check, once each period.
    Background,
}

impl Run {
    /// A run of the checks with these numbers. Those in the background are not executed: what they said last
    /// counts (H14).
    pub(crate) fn of(engine: &Arc<Engine>, checks: &Arc<[usize]>) -> Arc<Self> {
        let now = engine.now();
        let slots = checks
            .iter()
            .map(|number| match engine.checks[*number].reading(now) {
                Some(reports) => Slot::Filled(reports),
                None => Slot::Waiting,
            });
        Self::start(engine, Kind::Asked, checks.clone(), slots.collect(), now)
    }

    /// A run of the background check with this number.
    pub(crate) fn of_one(engine: &Arc<Engine>, number: usize) -> Arc<Self> {
        let (checks, slots) = ([number].into(), vec![Slot::Waiting]);
        Self::start(engine, Kind::Background, checks, slots, engine.now())
    }

    fn start(
        engine: &Arc<Engine>,
        kind: Kind,
        checks: Arc<[usize]>,
        slots: Vec<Slot>,
        now: Instant,
    ) -> Arc<Self> {
        Arc::new(Self {
            engine: engine.clone(),
            checks,
            kind,
            started: now,
            closes: match kind {
                Kind::Asked => after(now, engine.limits.run_timeout),
                Kind::Background => None,
            },
            table: Mutex::new(Table::new(slots)),
            outcome: Promise::default(),
        })
    }

    /// Hands it to the runtime: from here on it belongs to nobody who asked.
    pub(crate) fn launch(self: &Arc<Self>) {
        let open = lock(&self.table).open();
        if open == 0 {
            self.conclude();
        }
        for _ in 0..open.min(self.engine.limits.concurrent_checks) {
            self.add_task();
        }
    }

    /// Has one more task claim and execute checks.
    fn add_task(self: &Arc<Self>) {
        let run = self.clone();
        self.engine.spawn(Box::pin(async move {
            while let Some(claimed) = run.claim() {
                claimed.execute().await;
            }
        }));
    }

    /// When it was started.
    pub(crate) fn started(&self) -> Instant {
        self.started
    }

    /// Whether its outcome is known.
    pub(crate) fn is_over(&self) -> bool {
        self.outcome.get().is_some()
    }

    /// Whether it should have ended by `now`, and did not: nobody waits for it, and its tasks are gone.
    pub(crate) fn is_forgotten(&self, now: Instant) -> bool {
        let end = self.closes.and_then(|closes| after(closes, GRACE));
        end.is_some_and(|end| now > end)
    }

    /// Waits for the outcome.
    pub(crate) async fn outcome(self: &Arc<Self>) -> Arc<Outcome> {
        self.wait_for(&self.outcome).await
    }

    /// Waits for something that the run brings about. Whoever waits sees to it that it does so on time.
    pub(crate) async fn wait_for<T: Clone>(self: &Arc<Self>, latch: &Promise<T>) -> T {
        loop {
            let overdue = self.overdue_at();
            let runtime = self.engine.runtime();
            if let Some(value) = until(&**runtime, overdue, latch.wait()).await {
                return value;
            }
            // Each was some task's, which is stuck with it: another goes on.
            for _ in 0..self.close_overdue(GRACE) {
                self.add_task();
            }
        }
    }

    /// The check of a slot.
    fn check(&self, slot: usize) -> &Arc<Registered> {
        &self.engine.checks[self.checks[slot]]
    }

    /// The next check to execute; `None` when there is no more, or no more time.
    fn claim(self: &Arc<Self>) -> Option<Claimed<'_>> {
        if self
            .closes
            .is_some_and(|closes| self.engine.now() >= closes)
        {
            self.close_overdue(Duration::ZERO);
            return None;
        }
        let slot = lock(&self.table).claim()?;
        Some(Claimed { run: self, slot })
    }

    /// Fills a slot with what an execution came to; what comes after it was closed is dropped.
    fn deliver(&self, slot: usize, reports: Vec<Report>) {
        let check = self.check(slot);
        let now = self.engine.now();
        let mut table = lock(&self.table);
        let Some(budget) = table.budget(slot) else {
            return;
        };
        let reports = check.settle(reports);
        let start = budget.map_or(now, |budget| budget.start);
        let finished = (!self.engine.observers.is_empty()).then(|| CheckFinished {
            check: check.name.clone(),
            reports: reports.clone(),
            duration: now.saturating_duration_since(start),
        });
        let shared = check.rounds.end(self).map(|round| (round, reports.clone()));
        let is_full = table.fill(slot, reports);
        if let Some(finished) = finished {
            let verdict = Verdict::of(check.need, &finished.reports);
            self.engine.learn(self.checks[slot], verdict);
            self.engine.observers.tell_finished(&finished);
        }
        drop(table);
        if let Some((round, reports)) = shared {
            // A check that this run had no more time for may have it in another.
            let is_over = self.closes.is_some_and(|closes| now >= closes);
            let is_cut = is_over && budget.is_none_or(|budget| budget.is_cut);
            round.settle((!is_cut).then_some(reports));
        }
        self.engine.observers.warn();
        if is_full {
            self.conclude();
        }
    }

    /// Fills a slot with what another run's execution came to, which that run has told and counted.
    fn take_over(&self, slot: usize, settled: Vec<Report>) {
        let mut table = lock(&self.table);
        if table.budget(slot).is_some() && table.fill(slot, settled) {
            drop(table);
            self.conclude();
        }
    }

    /// When something will be overdue at the latest. What has not begun may begin now.
    fn overdue_at(&self) -> Option<Instant> {
        let now = self.engine.now();
        let table = lock(&self.table);
        if table.open() == 0 {
            // Another thread is about to tell the outcome.
            return None;
        }
        let ends = table.unfilled().filter_map(|(slot, budget)| {
            let not_begun = || TimeBudget::new(self.check(slot), now, self.closes);
            budget.unwrap_or_else(not_begun).end
        });
        after(ends.chain(self.closes).min()?, GRACE)
    }

    /// Closes what has been overdue for `grace`; how many executions of these were under way.
    fn close_overdue(&self, grace: Duration) -> usize {
        let now = self.engine.now();
        let is_overdue = |end: Option<Instant>| {
            let late = end.and_then(|end| now.checked_duration_since(end));
            late.is_some_and(|late| late >= grace)
        };
        let mut stuck = 0;
        let mut overdue = Vec::new();
        for (slot, budget) in lock(&self.table).unfilled() {
            let check = self.check(slot);
            match budget {
                Some(budget) if is_overdue(budget.end) => {
                    stuck += 1;
                    overdue.push((slot, budget.used_up(check)));
                }
                None if is_overdue(self.closes) => {
                    overdue.push((slot, check.failure("timed out before it could run")));
                }
                _ => {}
            }
        }
        for (slot, report) in overdue {
            self.deliver(slot, vec![report]);
        }
        stuck
    }

    /// Makes the outcome of a full table.
    fn conclude(&self) {
        let now = self.engine.now();
        let results = lock(&self.table).take().into_iter().enumerate();
        let results: Vec<_> = results
            .map(|(slot, reports)| {
                let check = self.check(slot);
                let reports = match self.kind {
                    // A background check may have said more since this run began.
                    Kind::Asked => check.reading(now).unwrap_or(reports),
                    Kind::Background => {
                        check.keep(now, reports.clone());
                        reports
                    }
                };
                (check.need, reports)
            })
            .collect();
        self.outcome.set(Arc::new(Outcome::judge(&results)));
        // What was executed is known; what a background check said may be stale by now.
        for (slot, (need, reports)) in results.iter().enumerate() {
            if self.check(slot).period.is_some() {
                let verdict = Verdict::of(*need, reports);
                self.engine.learn(self.checks[slot], verdict);
            }
        }
        self.engine.announce();
    }
}

impl fmt::Debug for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Run")
            .field("checks", &self.checks)
            .field("started", &self.started)
            .finish_non_exhaustive()
    }
}

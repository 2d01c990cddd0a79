//! Runs of checks.
//!
//! A run is a table of results that fills up. Its tasks claim checks and deliver their results. No request depends on
//! these tasks: a request that waits closes what is overdue, should the thread of a task be blocked. A result that
//! arrives after its slot was closed is dropped.

mod background;
mod check_warnings;
mod claimed;
mod clock;
mod dispatch;
mod engine;
mod execution;
#[cfg(feature = "details")]
mod history;
mod in_flight;
#[cfg(all(test, health_loom))]
mod loom;
mod observer;
mod peers;
mod registered;
mod spans;
mod table;
#[cfg(feature = "tokio")]
mod tokio_reading;
mod wait;

use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

pub(crate) use self::background::start as start_background;
use self::claimed::Claimed;
use self::clock::Clock;
pub(crate) use self::dispatch::Dispatcher;
pub(crate) use self::engine::{Engine, Limits};
use self::execution::TimeBudget;
pub(crate) use self::observer::Observers;
pub use self::observer::{
    CheckFinished, HealthObserver, Notification, StateChanged, VerdictChanged,
};
pub(crate) use self::registered::RegisteredCheck;
use self::table::{Slot, Table};
use self::wait::{Overdue, wait_for};
use crate::check::{Counting, Report};
use crate::decision::Outcome;
use crate::runtime::after;
use crate::runtime::context::Context;
use crate::runtime::guard::catch;
use crate::runtime::promise::Promise;
use crate::runtime::sync::{Mutex, lock};

/// How late a task may be before a waiting request closes its check.
const GRACE: Duration = Duration::from_millis(20);

/// See the [module's doc](self).
pub(crate) struct Run {
    engine: Arc<Engine>,
    checks: Arc<[Arc<RegisteredCheck>]>,
    countings: Arc<[Counting]>,
    clock: Clock,
    started: Instant,
    /// The context of its tasks, with the span of the run; `None` when the run is over, so that this span and that of the
    /// request can close.
    context: Mutex<Option<Context>>,
    /// How long the run may take, whatever the timeouts of the checks; `None` for a background run.
    limit: Option<Duration>,
    /// The end of the first standstill of the process since the start: time limits start anew there, once.
    resumed: OnceLock<Instant>,
    table: Mutex<Table>,
    outcome: Promise<Arc<Outcome>>,
}

impl Run {
    /// A run of `checks` for requests. Background checks are not executed: their last results count (H14).
    pub(crate) fn of(
        engine: &Arc<Engine>,
        checks: &Arc<[Arc<RegisteredCheck>]>,
        countings: &Arc<[Counting]>,
    ) -> Arc<Self> {
        let clock = engine.clock().clone();
        let now = clock.now();
        let slot = |check: &Arc<RegisteredCheck>| match check.info.period {
            Some(_) => Slot::Background,
            None => Slot::Waiting,
        };
        Arc::new(Self {
            engine: engine.clone(),
            checks: checks.clone(),
            countings: countings.clone(),
            started: now,
            clock,
            context: Mutex::new(Some(engine.request_context())),
            limit: Some(engine.limits.run_timeout),
            resumed: OnceLock::new(),
            table: Mutex::new(Table::new(checks.iter().map(slot).collect())),
            outcome: Promise::default(),
        })
    }

    /// A run of one background check.
    pub(crate) fn of_background(engine: &Arc<Engine>, check: &Arc<RegisteredCheck>) -> Arc<Self> {
        let clock = engine.clock().clone();
        Arc::new(Self {
            engine: engine.clone(),
            checks: [check.clone()].into(),
            countings: [Counting::As(check.info.criticality)].into(),
            started: clock.now(),
            clock,
            context: Mutex::new(Some(engine.background_context())),
            limit: None,
            resumed: OnceLock::new(),
            table: Mutex::new(Table::new(vec![Slot::Waiting])),
            outcome: Promise::default(),
        })
    }

    /// Starts the run's tasks. From here on the run is independent of the request that started it.
    pub(crate) fn launch(self: &Arc<Self>) {
        self.open_span();
        let open = lock(&self.table).open();
        if open == 0 {
            self.conclude();
        }
        for _ in 0..open.min(self.engine.limits.concurrent_checks) {
            self.add_task();
        }
    }

    /// Replaces the span of the context by that of the run, which is a child of it for a request (H34).
    fn open_span(&self) {
        let Some(context) = lock(&self.context).clone() else {
            return;
        };
        // A subscriber is code of the application: it must find the lock free.
        let context = context.in_span(|span| match self.limit {
            Some(_) => spans::of_run(self.checks.len()),
            None => spans::of_background_run(span),
        });
        let former = lock(&self.context).replace(context);
        drop(former);
    }

    /// Starts a task that claims and executes checks.
    fn add_task(self: &Arc<Self>) {
        let Some(context) = lock(&self.context).clone() else {
            return;
        };
        let run = self.clone();
        let task = Box::pin(async move {
            while let Some(claimed) = run.claim() {
                claimed.execute().await;
            }
        });
        self.engine.spawn(context.wrap(task));
    }

    pub(crate) fn started(&self) -> Instant {
        self.started
    }

    /// Whether the outcome is known.
    pub(crate) fn is_over(&self) -> bool {
        self.outcome.get().is_some()
    }

    /// Whether the run should have ended by `now`, and has not: no request waits for it, and its tasks are gone.
    pub(crate) fn is_abandoned(&self, now: Instant) -> bool {
        let end = self.closes().and_then(|closes| after(closes, GRACE));
        end.is_some_and(|end| now > end)
    }

    /// Waits for the outcome, and makes sure that it comes in time.
    pub(crate) async fn outcome(self: &Arc<Self>) -> Arc<Outcome> {
        let run: Arc<dyn Overdue> = self.clone();
        wait_for(&self.outcome, &run, &self.clock).await
    }

    /// The next check to execute; `None` if all are claimed, or no time is left.
    fn claim(self: &Arc<Self>) -> Option<Claimed<'_>> {
        let now = self.clock.now();
        if self.is_closed_at(now) {
            self.close(Duration::ZERO);
            return None;
        }
        let slot = lock(&self.table).claim()?;
        Some(Claimed { run: self, slot, at: now })
    }

    /// `time`, or the end of a standstill since then.
    fn or_resumed(&self, time: Instant) -> Instant {
        let resumed = self.resumed.get().copied().or_else(|| {
            let resumed = self.clock.resumed()?;
            (resumed > self.started).then(|| *self.resumed.get_or_init(|| resumed))
        });
        resumed.map_or(time, |resumed| resumed.max(time))
    }

    /// The end of the run; `None` for a background run.
    fn closes(&self) -> Option<Instant> {
        after(self.or_resumed(self.started), self.limit?)
    }

    /// The time that an execution since `start` may take.
    fn budget(&self, check: &RegisteredCheck, start: Instant) -> TimeBudget {
        TimeBudget::new(check.info.timeout, self.or_resumed(start), self.closes())
    }

    fn is_closed_at(&self, now: Instant) -> bool {
        self.closes().is_some_and(|closes| now >= closes)
    }

    /// Fills a slot with the result of an execution. A result for a closed slot is dropped.
    fn deliver(&self, slot: usize, reports: Vec<Report>) {
        let check = &self.checks[slot];
        let observers = &self.engine.observers;
        let now = self.clock.now();
        #[cfg(feature = "metrics")]
        let system_time = self.engine.runtime().system_time();
        let mut table = lock(&self.table);
        let Some(start) = table.start(slot) else {
            return;
        };
        let time = start.map(|start| now.saturating_duration_since(self.or_resumed(start)));
        #[cfg(feature = "metrics")]
        check.count(&reports, time, system_time);
        let finished = check.finish(reports, start, now);
        peers::accept(check, &self.engine.checks);
        let slow_share = self.engine.limits.slow_share;
        let warnings = check.warnings.due(check, &finished, time, slow_share);
        let shared =
            check.in_flight.end(self).map(|execution| (execution, finished.reports.clone()));
        let traced = table.take_span(slot).map(|span| (span, finished.reports.clone()));
        let is_full = table.fill(slot, finished.reports.clone());
        observers.check_finished(finished);
        drop(table);
        if let Some((span, reports)) = traced {
            let _ = catch(|| spans::end_check(span, &reports));
        }
        if let Some((execution, reports)) = shared {
            // A check that had no time left in this run may have it in another.
            let is_cut = start.is_none_or(|start| self.budget(check, start).is_cut)
                && self.is_closed_at(now);
            execution.set_result((!is_cut).then_some(reports));
        }
        observers.warn();
        #[cfg(feature = "metrics-facade")]
        check.record_duration(time);
        // Before the outcome, as every record is logged before its response. A log is code of the application: it must find
        // the locks free.
        for warning in &warnings {
            let _ = catch(|| warning.emit());
        }
        if is_full {
            self.conclude();
        }
    }

    /// Fills a slot with the result of another run's execution, which that run has counted.
    fn adopt(&self, slot: usize, reports: Arc<[Report]>) {
        let mut table = lock(&self.table);
        if table.start(slot).is_some() && table.fill(slot, reports) {
            drop(table);
            self.conclude();
        }
    }

    /// Closes what has been overdue for `grace`. Returns how many of these executions were under way.
    fn close(&self, grace: Duration) -> usize {
        let now = self.clock.now();
        let is_overdue = |end: Option<Instant>| {
            let late = end.and_then(|end| now.checked_duration_since(end));
            late.is_some_and(|late| late >= grace)
        };
        let mut stuck = 0;
        let mut overdue = Vec::new();
        for (slot, start) in lock(&self.table).unfilled() {
            let check = &self.checks[slot];
            match start.map(|start| self.budget(check, start)) {
                Some(budget) if is_overdue(budget.end) => {
                    stuck += 1;
                    overdue.push((slot, budget.timed_out(check)));
                }
                None if is_overdue(self.closes()) => {
                    overdue
                        .push((slot, check.failure("timed_out", "timed out before it could run")));
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
        let now = self.clock.now();
        let resumed = self.clock.resumed();
        let reports = lock(&self.table).take();
        let results: Vec<_> = self
            .checks
            .iter()
            .zip(&*self.countings)
            .zip(reports)
            .map(|((check, counting), reports)| {
                let reports = check.background_result(now, resumed).or(reports);
                check.counted(*counting, reports.unwrap_or_default(), now, resumed)
            })
            .collect();
        let context = lock(&self.context).take();
        self.outcome.set(Arc::new(Outcome::of(results, now)));
        drop(context);
        self.engine.announce();
    }
}

impl Overdue for Run {
    /// A check that has not begun may begin now.
    fn overdue_at(&self) -> Option<Instant> {
        let now = self.clock.now();
        let table = lock(&self.table);
        if table.open() == 0 {
            // Another thread is about to set the outcome.
            return None;
        }
        let ends = table
            .unfilled()
            .filter_map(|(slot, start)| self.budget(&self.checks[slot], start.unwrap_or(now)).end);
        after(ends.chain(self.closes()).min()?, GRACE)
    }

    /// Each check that was under way blocks its task: another task replaces it.
    fn close_overdue(self: Arc<Self>) {
        for _ in 0..self.close(GRACE) {
            self.add_task();
        }
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

//! One run of checks: a table of results that fills up, whoever fills it, and is closed on time.
//!
//! Tasks claim checks and deliver what they report. Nobody depends on these tasks: whoever waits closes
//! what is overdue, should the thread of a task be blocked. A result that comes after its slot was closed
//! is dropped.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::decision::{Need, Outcome, Verdict};
use crate::engine::Engine;
use crate::event::Report;
use crate::execution::{Allowance, execute};
use crate::latch::Latch;
use crate::observer::CheckFinished;
use crate::registered::Registered;
use crate::runtime::{after, until};
use crate::sync::{Mutex, lock};

/// How long a task may be late before those who wait close its check themselves.
const GRACE: Duration = Duration::from_millis(20);

/// See the [module's doc](self).
#[derive(Debug)]
pub(crate) struct Run {
    engine: Arc<Engine>,
    scope: Scope,
    started: Instant,
    /// When nobody waits any longer, whatever the deadlines of the checks. In the background nobody does.
    closes: Option<Instant>,
    table: Mutex<Table>,
    outcome: Latch<Arc<Outcome>>,
}

#[derive(Debug, Clone, Copy)]
enum Scope {
    /// All checks, for those who ask.
    All,
    /// The background check with this number.
    One(usize),
}

#[derive(Debug)]
struct Table {
    /// One for each check of the scope; empty once the outcome was made of them.
    slots: Vec<Slot>,
    /// Slots that are not done.
    open: usize,
    /// The first slot that may not be claimed yet.
    next: usize,
}

#[derive(Debug)]
enum Slot {
    Waiting,
    /// Claimed; not begun yet where it waits for a thread.
    Claimed,
    Running(Allowance),
    Done(Vec<Report>),
}

impl Run {
    /// A run of every check. Those in the background are not executed: what they said last counts (H14).
    pub(crate) fn of_all(engine: &Arc<Engine>) -> Arc<Self> {
        let now = engine.now();
        let checks = engine.checks.iter();
        let slots = checks.map(|check| match check.reading(now) {
            Some(reports) => Slot::Done(reports),
            None => Slot::Waiting,
        });
        Self::start(engine, Scope::All, slots.collect(), now)
    }

    /// A run of the background check with this number.
    pub(crate) fn of_one(engine: &Arc<Engine>, number: usize) -> Arc<Self> {
        let scope = Scope::One(number);
        Self::start(engine, scope, vec![Slot::Waiting], engine.now())
    }

    fn start(engine: &Arc<Engine>, scope: Scope, slots: Vec<Slot>, now: Instant) -> Arc<Self> {
        let waiting = slots.iter().filter(|slot| matches!(slot, Slot::Waiting));
        let open = waiting.count();
        Arc::new(Self {
            engine: engine.clone(),
            scope,
            started: now,
            closes: match scope {
                Scope::All => after(now, engine.limits.run_deadline),
                Scope::One(_) => None,
            },
            table: Mutex::new(Table {
                slots,
                open,
                next: 0,
            }),
            outcome: Latch::default(),
        })
    }

    /// Hands it to the runtime: from here on it belongs to nobody who asked.
    pub(crate) fn launch(self: &Arc<Self>) {
        let open = lock(&self.table).open;
        if open == 0 {
            self.conclude();
        }
        for _ in 0..open.min(self.engine.limits.concurrent_checks) {
            let run = self.clone();
            self.engine.runtime().spawn(Box::pin(async move {
                while let Some(claimed) = run.claim() {
                    claimed.execute().await;
                }
            }));
        }
    }

    /// When it was started.
    pub(crate) fn started(&self) -> Instant {
        self.started
    }

    /// Whether its outcome is known.
    pub(crate) fn is_over(&self) -> bool {
        self.outcome.get().is_some()
    }

    /// Waits for the outcome. Whoever waits sees to it that the run ends on time.
    pub(crate) async fn outcome(&self) -> Arc<Outcome> {
        loop {
            let overdue = self.overdue_at();
            let runtime = self.engine.runtime();
            if let Some(outcome) = until(&**runtime, overdue, self.outcome.wait()).await {
                return outcome;
            }
            self.close_overdue(GRACE);
        }
    }

    /// The check of a slot.
    fn check(&self, slot: usize) -> &Arc<Registered> {
        &self.engine.checks[self.number(slot)]
    }

    /// The number in the engine of the check of a slot.
    fn number(&self, slot: usize) -> usize {
        match self.scope {
            Scope::All => slot,
            Scope::One(number) => number,
        }
    }

    /// The next check to execute; `None` when there is no more, or no more time.
    fn claim(&self) -> Option<Claimed<'_>> {
        if self
            .closes
            .is_some_and(|closes| self.engine.now() >= closes)
        {
            self.close_overdue(Duration::ZERO);
            return None;
        }
        let mut table = lock(&self.table);
        let Table { slots, next, .. } = &mut *table;
        let waiting = |slot: &Slot| matches!(slot, Slot::Waiting);
        let ahead = slots.get(*next..)?.iter().position(waiting)?;
        let slot = *next + ahead;
        slots[slot] = Slot::Claimed;
        *next = slot + 1;
        Some(Claimed { run: self, slot })
    }

    fn begin(&self, slot: usize, allowance: Allowance) {
        if let Some(slot @ Slot::Claimed) = lock(&self.table).slots.get_mut(slot) {
            *slot = Slot::Running(allowance);
        }
    }

    /// Fills a slot; what comes after it was closed is dropped.
    fn deliver(&self, slot: usize, reports: Vec<Report>) {
        let check = self.check(slot);
        let now = self.engine.now();
        let mut table = lock(&self.table);
        let Some(filled) = table.slots.get_mut(slot) else {
            return;
        };
        let start = match filled {
            Slot::Waiting | Slot::Claimed => now,
            Slot::Running(allowance) => allowance.start,
            Slot::Done(_) => return,
        };
        let reports = check.settle(reports);
        let finished = (!self.engine.observers.is_empty()).then(|| CheckFinished {
            check: check.name.clone(),
            reports: reports.clone(),
            duration: now.saturating_duration_since(start),
        });
        *filled = Slot::Done(reports);
        table.open -= 1;
        let was_last = table.open == 0;
        drop(table);

        if let Some(finished) = finished {
            self.engine.observers.tell_finished(&finished);
        }
        if was_last {
            self.conclude();
        }
    }

    /// When something will be overdue at the latest. What has not begun may begin now.
    fn overdue_at(&self) -> Option<Instant> {
        let now = self.engine.now();
        let table = lock(&self.table);
        if table.open == 0 {
            // Another thread is about to tell the outcome.
            return None;
        }
        let slots = table.slots.iter().enumerate();
        let ends = slots.filter_map(|(index, slot)| match slot {
            Slot::Waiting | Slot::Claimed => after(now, self.check(index).deadline),
            Slot::Running(allowance) => allowance.end,
            Slot::Done(_) => None,
        });
        let first = ends.chain(self.closes).min()?;
        after(first, GRACE)
    }

    /// Closes what has been overdue for `grace`.
    fn close_overdue(&self, grace: Duration) {
        let now = self.engine.now();
        let is_overdue = |end: Option<Instant>| {
            let late = end.and_then(|end| now.checked_duration_since(end));
            late.is_some_and(|late| late >= grace)
        };
        let run_is_overdue = is_overdue(self.closes);
        let table = lock(&self.table);
        let slots = table.slots.iter().enumerate();
        let overdue = slots.filter_map(|(index, slot)| {
            let check = self.check(index);
            let report = match slot {
                Slot::Running(allowance) if is_overdue(allowance.end) => allowance.used_up(check),
                Slot::Waiting | Slot::Claimed if run_is_overdue => {
                    check.failure("timed out before it could run")
                }
                _ => return None,
            };
            Some((index, report))
        });
        let overdue: Vec<_> = overdue.collect();
        drop(table);
        for (slot, report) in overdue {
            self.deliver(slot, vec![report]);
        }
    }

    /// Makes the outcome of a full table.
    fn conclude(&self) {
        let slots = std::mem::take(&mut lock(&self.table).slots);
        let results: Vec<(Need, Vec<Report>)> = slots
            .into_iter()
            .enumerate()
            .filter_map(|(index, slot)| match slot {
                Slot::Done(reports) => Some((self.check(index).need, reports)),
                Slot::Waiting | Slot::Claimed | Slot::Running(_) => None,
            })
            .collect();

        let now = self.engine.now();
        if let (Scope::One(_), [(_, reports)]) = (self.scope, &*results) {
            self.check(0).keep(now, reports.clone());
        }
        let verdicts = results.iter().enumerate().map(|(slot, (need, reports))| {
            // A background check may have said more since this run began.
            let latest = self.check(slot).reading(now);
            let reports = latest.as_ref().unwrap_or(reports);
            (self.number(slot), Verdict::of(*need, reports))
        });
        self.engine.update(verdicts);
        self.outcome.set(Arc::new(Outcome::judge(&results)));
    }
}

/// A check that a task has taken on. Should the task be dropped before its end, the check has failed.
struct Claimed<'a> {
    run: &'a Run,
    slot: usize,
}

impl Claimed<'_> {
    async fn execute(self) {
        let Run { engine, closes, .. } = self.run;
        let began = |allowance| self.run.begin(self.slot, allowance);
        let reports = execute(self.run.check(self.slot), engine, *closes, began).await;
        self.run.deliver(self.slot, reports);
    }
}

impl Drop for Claimed<'_> {
    fn drop(&mut self) {
        let is_open = {
            let table = lock(&self.run.table);
            let slot = table.slots.get(self.slot);
            !matches!(slot, None | Some(Slot::Done(_)))
        };
        if is_open {
            let failure = "given up: the task that ran it was dropped before its end";
            let report = self.run.check(self.slot).failure(failure);
            self.run.deliver(self.slot, vec![report]);
        }
    }
}

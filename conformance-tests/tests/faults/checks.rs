//! Checks and their runs (H7, H12, H14, H15), with room for one fault.

mod background;
mod execution;

use std::collections::BTreeMap;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use health_conformance::{Behaviour, Check, Journal};

use crate::clock::Clock;
use crate::fault::Fault;
use crate::threshold::Threshold;

/// The run of each choice of checks.
type Runs = BTreeMap<Vec<usize>, Arc<Shared<Vec<Check>>>>;

/// The checks of a server. A result is a check too: its status and message are what it reports.
pub(crate) struct Checks {
    fault: Option<Fault>,
    journal: Journal,
    slots: Vec<Arc<Slot>>,
    under_way: Mutex<Runs>,
    clock: Clock,
    has_begun: AtomicBool,
    /// Only with a fault: which endpoint ran them last.
    last_endpoint: Mutex<String>,
}

/// One check, and what is known of it.
struct Slot {
    check: Check,
    state: Mutex<State>,
    /// Its execution, for all runs that come to it meanwhile (H16).
    in_hand: Mutex<Option<Arc<Shared<Check>>>>,
}

#[derive(Default)]
struct State {
    executions: usize,
    /// It blocks a thread.
    is_busy: bool,
    threshold: Threshold,
    /// When it was last over in the background, and what it was.
    last: Option<(Instant, Check)>,
    /// Only with a fault: what came after the timeout, and whether anything did.
    late: Option<Check>,
    was_late: bool,
}

/// A run or an execution, for all who come while it is under way. No results: their connections end.
struct Shared<T> {
    results: Mutex<Option<Option<T>>>,
    is_over: Condvar,
}

impl<T> Default for Shared<T> {
    fn default() -> Self {
        Self {
            results: Mutex::new(None),
            is_over: Condvar::new(),
        }
    }
}

impl<T: Clone> Shared<T> {
    fn end(&self, results: Option<T>) {
        lock(&self.results).get_or_insert(results);
        self.is_over.notify_all();
    }

    fn wait(&self) -> Option<T> {
        let mut results = lock(&self.results);
        loop {
            match &*results {
                Some(results) => return results.clone(),
                None => {
                    let woken = self.is_over.wait(results);
                    results = woken.unwrap_or_else(PoisonError::into_inner);
                }
            }
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn error(check: &Check, message: String) -> Check {
    Check {
        status: "ERROR".to_owned(),
        message: Some(message),
        ..check.clone()
    }
}

impl Checks {
    pub(crate) fn new(fault: Option<Fault>, checks: &[Check], journal: &Journal) -> Arc<Self> {
        let slot = |check: &Check| {
            Arc::new(Slot {
                check: check.clone(),
                state: Mutex::default(),
                in_hand: Mutex::default(),
            })
        };
        let checks = Arc::new(Self {
            fault,
            journal: journal.clone(),
            slots: checks.iter().map(slot).collect(),
            under_way: Mutex::default(),
            clock: Clock::default(),
            has_begun: AtomicBool::new(false),
            last_endpoint: Mutex::default(),
        });
        if !checks.has(Fault::BackgroundWaitsForRequest) {
            checks.begin();
        }
        checks
    }

    fn has(&self, fault: Fault) -> bool {
        self.fault == Some(fault)
    }

    /// The time of the server: it ends with it.
    pub(crate) fn clock(&self) -> &Clock {
        &self.clock
    }

    // H7

    /// The results of a run of these checks, and whether it was under way before; nothing where the connection ends.
    /// Only with a fault it is `alone`.
    pub(crate) fn run(
        self: &Arc<Self>,
        checks: Vec<usize>,
        alone: bool,
    ) -> Option<(Vec<Check>, bool)> {
        self.begin();
        let (run, has_joined) = {
            let mut under_way = lock(&self.under_way);
            match under_way.get(&checks) {
                Some(run) if !alone && !self.has(Fault::RunForEachAsker) => (run.clone(), true),
                _ => {
                    let run = Arc::<Shared<Vec<Check>>>::default();
                    under_way.insert(checks.clone(), run.clone());
                    let (these, running) = (self.clone(), run.clone());
                    thread::spawn(move || these.perform(&checks, &running, alone));
                    (run, false)
                }
            }
        };
        let mut results = run.wait()?;
        if has_joined && self.has(Fault::JoiningPasses) {
            results.clear();
        }
        if has_joined && self.has(Fault::RunCountsForEachAsker) {
            self.count_again(&mut results);
        }
        Some((results, has_joined))
    }

    pub(crate) fn are_under_way(&self) -> bool {
        !lock(&self.under_way).is_empty()
    }

    pub(crate) fn block_a_thread(&self) -> bool {
        self.slots.iter().any(|slot| lock(&slot.state).is_busy)
    }

    /// Only with a fault: somebody has left.
    pub(crate) fn cancel(&self) {
        for run in std::mem::take(&mut *lock(&self.under_way)).values() {
            run.end(None);
        }
    }

    fn perform(&self, checks: &[usize], run: &Arc<Shared<Vec<Check>>>, alone: bool) {
        if self.has(Fault::SharedRunLoggedOnce) {
            thread::sleep(Duration::from_millis(5));
        }
        let results = self.results(checks, alone);
        let keeps = self.has(Fault::ResultsKept);
        // Whoever asks from now on has a run of their own.
        let mut under_way = lock(&self.under_way);
        if !keeps && under_way.get(checks).is_some_and(|it| Arc::ptr_eq(it, run)) {
            under_way.remove(checks);
        }
        drop(under_way);
        run.end(results);
    }

    fn results(&self, checks: &[usize], alone: bool) -> Option<Vec<Check>> {
        let mut slots: Vec<&Arc<Slot>> = checks.iter().map(|check| &self.slots[*check]).collect();
        match self.fault {
            Some(Fault::ResultsAsTheyCame) => {
                slots.sort_by_key(|slot| match slot.check.behaviour {
                    Behaviour::Slow(time) => time,
                    _ => Duration::ZERO,
                })
            }
            Some(Fault::BackgroundComesLast) => {
                slots.sort_by_key(|slot| slot.check.every.is_some())
            }
            _ => {}
        }
        let ends_early = |result: &Check, slot: &Slot| match self.fault {
            Some(Fault::PanicEndsRun) => matches!(slot.check.behaviour, Behaviour::Panic(_)),
            Some(Fault::FailureEndsRun) => result.status != "OK",
            _ => false,
        };
        let mut results = Vec::new();
        if matches!(
            self.fault,
            Some(
                Fault::PanicEndsRun
                    | Fault::FailureEndsRun
                    | Fault::PanicEndsConnection
                    | Fault::DeadlinesAddUp
            )
        ) {
            for slot in slots {
                let result = self.result(slot, alone)?;
                let is_last = ends_early(&result, slot);
                results.push(result);
                if is_last {
                    break;
                }
            }
        } else {
            let together = thread::scope(|scope| {
                let running = slots
                    .iter()
                    .map(|slot| scope.spawn(|| self.result(slot, alone)));
                let running: Vec<_> = running.collect();
                running
                    .into_iter()
                    .map(|result| result.join().ok().flatten())
                    .collect()
            });
            let together: Option<Vec<Check>> = together;
            results = together?;
        }
        let is_late = |result: &Check| {
            let message = result.message.as_deref().unwrap_or_default();
            message.starts_with("timed out") || message.starts_with("still running")
        };
        if self.has(Fault::OthersLostAtDeadline) && results.iter().any(is_late) {
            results.retain(is_late);
        }
        Some(results)
    }

    fn result(&self, slot: &Arc<Slot>, alone: bool) -> Option<Check> {
        let runs_background = alone && self.has(Fault::FurtherRunBackground);
        match slot.check.every {
            Some(period) if !self.has(Fault::BackgroundRunsForRequest) && !runs_background => {
                Some(self.last_result(slot, period))
            }
            _ if alone => Some(self.counted(slot, self.execute(slot)?)),
            _ => self.joined(slot),
        }
    }

    /// The result of a check, or that of its execution for another run (H16).
    fn joined(&self, slot: &Arc<Slot>) -> Option<Check> {
        let shares = !matches!(
            self.fault,
            Some(Fault::OverlapRunsTwice | Fault::RunForEachAsker | Fault::RunEndsWithItsAsker)
        );
        let (execution, is_others) = {
            let mut in_hand = lock(&slot.in_hand);
            let is_others = in_hand.is_some();
            (in_hand.get_or_insert_default().clone(), is_others)
        };
        if is_others && self.has(Fault::OverlapFails) {
            return Some(error(&slot.check, "still running".to_owned()));
        }
        if is_others && shares {
            return execution.wait();
        }
        let result = self.execute(slot);
        let result = result.map(|result| self.counted(slot, result));
        *lock(&slot.in_hand) = None;
        execution.end(result.clone());
        result
    }

    // H15

    fn counted(&self, slot: &Slot, result: Check) -> Check {
        let is_late = result.message.as_deref() == Some("still running")
            || result
                .message
                .as_deref()
                .is_some_and(|it| it.starts_with("timed out"));
        if is_late && self.has(Fault::DeadlinesAlwaysCount) {
            return result;
        }
        lock(&slot.state).threshold.count(result, self.fault)
    }

    /// Only with a fault: each endpoint counts for itself.
    pub(crate) fn forget_failures(&self, endpoint: &str) {
        let last = std::mem::replace(&mut *lock(&self.last_endpoint), endpoint.to_owned());
        if last != endpoint {
            for slot in &self.slots {
                lock(&slot.state).threshold.begin_anew();
            }
        }
    }

    /// Only with a fault: counts failures once more that were held back.
    fn count_again(&self, results: &mut [Check]) {
        for (result, slot) in results.iter_mut().zip(&self.slots) {
            let message = result.message.as_deref().unwrap_or_default();
            if message.ends_with("failures") {
                *result = self.counted(slot, error(&slot.check, "once more".to_owned()));
            }
        }
    }
}

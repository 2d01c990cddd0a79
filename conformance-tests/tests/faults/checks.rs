//! Checks and their runs (H7, H12, H14, H15), with room for one fault.

mod background;
mod execution;

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use health_conformance::{Behaviour, Check, Journal};

use crate::clock::Clock;
use crate::fault::Fault;
use crate::threshold::Threshold;

/// The checks of a server. A result is a check too: its status and message are what it reports.
pub(crate) struct Checks {
    fault: Option<Fault>,
    journal: Journal,
    slots: Vec<Arc<Slot>>,
    under_way: Mutex<Option<Arc<Run>>>,
    clock: Clock,
    has_begun: AtomicBool,
}

/// One check, and what is known of it.
struct Slot {
    check: Check,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    executions: usize,
    /// It blocks a thread.
    is_busy: bool,
    threshold: Threshold,
    /// When it was last over in the background, and what it was.
    last: Option<(Instant, Check)>,
    /// Only with a fault: what came after the deadline, and whether anything did.
    late: Option<Check>,
    was_late: bool,
}

/// One run, for all who ask while it is under way. No results: their connections end.
#[derive(Default)]
struct Run {
    results: Mutex<Option<Option<Vec<Check>>>>,
    is_over: Condvar,
}

impl Run {
    fn end(&self, results: Option<Vec<Check>>) {
        lock(&self.results).get_or_insert(results);
        self.is_over.notify_all();
    }

    fn wait(&self) -> Option<Vec<Check>> {
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
            })
        };
        let checks = Arc::new(Self {
            fault,
            journal: journal.clone(),
            slots: checks.iter().map(slot).collect(),
            under_way: Mutex::default(),
            clock: Clock::default(),
            has_begun: AtomicBool::new(false),
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

    /// The results of a run, and whether it was under way before; nothing where the connection ends.
    pub(crate) fn run(self: &Arc<Self>) -> Option<(Vec<Check>, bool)> {
        self.begin();
        let (run, has_joined) = {
            let mut under_way = lock(&self.under_way);
            match &*under_way {
                Some(run) if !self.has(Fault::RunForEachAsker) => (run.clone(), true),
                _ => {
                    let run = Arc::<Run>::default();
                    *under_way = Some(run.clone());
                    let (checks, running) = (self.clone(), run.clone());
                    thread::spawn(move || checks.perform(&running));
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
        lock(&self.under_way).is_some()
    }

    pub(crate) fn block_a_thread(&self) -> bool {
        self.slots.iter().any(|slot| lock(&slot.state).is_busy)
    }

    /// Only with a fault: somebody has left.
    pub(crate) fn cancel(&self) {
        if let Some(run) = lock(&self.under_way).take() {
            run.end(None);
        }
    }

    fn perform(&self, run: &Arc<Run>) {
        if self.has(Fault::SharedRunLoggedOnce) {
            thread::sleep(Duration::from_millis(5));
        }
        let results = self.results();
        let keeps = self.has(Fault::ResultsKept);
        // Whoever asks from now on has a run of their own.
        let mut under_way = lock(&self.under_way);
        if !keeps && under_way.as_ref().is_some_and(|it| Arc::ptr_eq(it, run)) {
            *under_way = None;
        }
        drop(under_way);
        run.end(results);
    }

    fn results(&self) -> Option<Vec<Check>> {
        let mut slots: Vec<&Arc<Slot>> = self.slots.iter().collect();
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
                let result = self.result(slot)?;
                let is_last = ends_early(&result, slot);
                results.push(result);
                if is_last {
                    break;
                }
            }
        } else {
            let together = thread::scope(|scope| {
                let running = slots.iter().map(|slot| scope.spawn(|| self.result(slot)));
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

    fn result(&self, slot: &Arc<Slot>) -> Option<Check> {
        match slot.check.every {
            Some(period) if !self.has(Fault::BackgroundRunsForRequest) => {
                Some(self.last_result(slot, period))
            }
            _ => Some(self.counted(slot, self.execute(slot)?)),
        }
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

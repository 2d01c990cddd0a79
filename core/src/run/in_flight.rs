//! The execution of a check: at most one at a time, whichever run started it (H12, H16).

use std::sync::Arc;
use std::time::Instant;

use super::clock::Clock;
use super::wait::{Overdue, wait_for};
use crate::check::Report;
use crate::runtime::process::PerProcess;
use crate::runtime::promise::Promise;
use crate::runtime::sync::{Mutex, lock};

/// The execution of a check that is under way, if any.
///
/// A child of a fork does not execute what its parent does: there nothing is under way.
#[derive(Default)]
pub(super) struct InFlight(PerProcess<Arc<Mutex<State>>>);

#[derive(Default)]
enum State {
    #[default]
    Idle,
    /// A run executes the check, and other runs may wait for its result.
    Running { since: Instant, is_code_running: bool, execution: Arc<SharedExecution> },
    /// The run has its result, for example a timeout, but the code of the check still runs.
    Stuck { since: Instant },
}

/// What a run does to get the result of a check.
pub(super) enum Turn {
    /// It executes the check, and holds this until the code of the check has returned.
    Own(Executing),
    /// It waits for the execution of another run.
    Other(Arc<SharedExecution>),
    /// Nothing: an earlier execution still runs after its timeout.
    StillRunning { since: Instant },
}

impl InFlight {
    fn state(&self) -> &Arc<Mutex<State>> {
        self.0.get_or_make(Arc::default)
    }

    /// The turn of `run`.
    pub(super) fn begin(&self, run: Arc<dyn Overdue>, now: Instant) -> Turn {
        let current = self.state();
        let mut state = lock(current);
        match &*state {
            State::Running { execution, .. } => Turn::Other(execution.clone()),
            State::Stuck { since } => Turn::StillRunning { since: *since },
            State::Idle => {
                *state = State::Running {
                    since: now,
                    is_code_running: true,
                    execution: Arc::new(SharedExecution { run, result: Promise::default() }),
                };
                Turn::Own(Executing(current.clone()))
            }
        }
    }

    /// `run` has a result. Returns its execution if it has one, and another run waits for it.
    pub(super) fn end<R: Overdue>(&self, run: &R) -> Option<Arc<SharedExecution>> {
        let mut state = lock(self.state());
        let State::Running { since, is_code_running, execution } = &*state else {
            return None;
        };
        if !std::ptr::addr_eq(Arc::as_ptr(&execution.run), run) {
            return None;
        }
        let ended = execution.clone();
        *state = if *is_code_running { State::Stuck { since: *since } } else { State::Idle };
        drop(state);
        // No run can join it any more.
        (Arc::strong_count(&ended) > 1).then_some(ended)
    }
}

/// Held while the code of a check runs. It moves with the code, to whatever thread, and is dropped with it.
pub(super) struct Executing(Arc<Mutex<State>>);

impl Drop for Executing {
    fn drop(&mut self) {
        let mut state = lock(&self.0);
        match &mut *state {
            State::Running { is_code_running, .. } => *is_code_running = false,
            State::Stuck { .. } => *state = State::Idle,
            State::Idle => {}
        }
    }
}

/// An execution for which other runs wait.
pub(super) struct SharedExecution {
    run: Arc<dyn Overdue>,
    /// The result as it counts (H15); `None` if the run ended before the check had its time.
    result: Promise<Option<Arc<[Report]>>>,
}

impl SharedExecution {
    pub(super) fn set_result(&self, result: Option<Arc<[Report]>>) {
        self.result.set(result);
    }

    /// Waits for the result, and makes sure that it comes in time.
    pub(super) async fn result(&self, clock: &Clock) -> Option<Arc<[Report]>> {
        wait_for(&self.result, &self.run, clock).await
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::{Duration, Instant};

    use super::{InFlight, Overdue, Turn};

    /// A run that is never overdue. Not of size zero, so that two are at two addresses.
    struct Patient(#[expect(dead_code, reason = "gives it a size")] u8);

    impl Overdue for Patient {
        fn overdue_at(&self) -> Option<Instant> {
            None
        }

        fn close_overdue(self: Arc<Self>) {}
    }

    #[test]
    fn code_that_outlives_its_run_keeps_the_check_from_starting_until_it_returns() {
        let in_flight = Arc::new(InFlight::default());
        let [first, second] = [(); 2].map(|()| Arc::new(Patient(0)));
        let start = Instant::now();
        let Turn::Own(executing) = in_flight.begin(first.clone(), start) else {
            panic!("it was idle")
        };
        in_flight.end(&*first);
        let later = start + Duration::from_secs(1);
        match in_flight.begin(second.clone(), later) {
            Turn::StillRunning { since } => assert_eq!(since, start),
            _ => panic!("the code still runs"),
        }
        drop(executing);
        assert!(matches!(in_flight.begin(second, later), Turn::Own(_)));
    }

    #[test]
    fn a_run_that_only_waits_does_not_end_the_execution_of_another() {
        let in_flight = Arc::new(InFlight::default());
        let [first, second] = [(); 2].map(|()| Arc::new(Patient(0)));
        let now = Instant::now();
        let Turn::Own(_executing) = in_flight.begin(first.clone(), now) else {
            panic!("it was idle")
        };
        let Turn::Other(_execution) = in_flight.begin(second.clone(), now) else {
            panic!("the first run executes the check")
        };
        assert!(in_flight.end(&*second).is_none());
        assert!(in_flight.end(&*first).is_some(), "the second run waits for it");
    }
}

//! One execution of a check, held to its timeout (H12).

use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use health_conformance::{Behaviour, Check, Execution, Line, Place};

use super::{Checks, Slot, error, lock};
use crate::fault::Fault;

/// Longer than any scenario.
const FOR_EVER: Duration = Duration::from_secs(600);

impl Checks {
    /// What a check reports, once; nothing where a panic ends the connection.
    pub(super) fn execute(&self, slot: &Arc<Slot>) -> Option<Check> {
        let check = &slot.check;
        let execution = {
            let mut state = lock(&slot.state);
            if state.is_busy && !self.has(Fault::BlockingStartedAgain) {
                return Some(error(check, "still running".to_owned()));
            }
            if let Some(late) = state.late.take() {
                return Some(late);
            }
            state.executions += 1;
            check.execution(state.executions - 1)
        };
        self.journal.record(Line::Check(check.name.clone()));
        if lock(&slot.state).was_late && self.has(Fault::LatenessSticks) {
            return Some(error(check, "timed out before".to_owned()));
        }
        let is_in_time = self.behave(slot, &execution);
        let result = Check {
            status: execution.status,
            message: execution.message,
            ..check.clone()
        };
        if !is_in_time {
            let mut state = lock(&slot.state);
            state.was_late = true;
            if self.has(Fault::LateResultKept) {
                state.late = Some(result);
            }
            let timeout = check.timeout.as_millis();
            return Some(error(check, format!("timed out after {timeout} ms")));
        }
        match (execution.behaviour, self.fault) {
            (Behaviour::Panic(_), Some(Fault::PanicEndsConnection))
            | (Behaviour::Panic(Place::Call), Some(Fault::PanicInCallEndsConnection))
            | (Behaviour::Panic(Place::Drop), Some(Fault::PanicInDropEndsConnection))
            | (Behaviour::Panic(Place::Payload), Some(Fault::PanicInPayloadEndsConnection)) => None,
            (Behaviour::Panic(_), Some(Fault::PanicPasses)) => Some(result),
            (Behaviour::Panic(_), _) => Some(error(check, "panicked".to_owned())),
            _ => Some(result),
        }
    }

    /// Does what the scenario says. Returns whether it was over within its timeout.
    fn behave(&self, slot: &Arc<Slot>, execution: &Execution) -> bool {
        let is_blocking = matches!(execution.behaviour, Behaviour::Block(_));
        let timeout = match self.fault {
            Some(Fault::NoDeadline) => FOR_EVER,
            Some(Fault::BlockingHasNoDeadline) if is_blocking => FOR_EVER,
            Some(Fault::BlockingNotAwaited) if is_blocking => Duration::ZERO,
            Some(Fault::DeadlineIsFixed) => Duration::from_millis(250),
            _ => slot.check.timeout,
        };
        match execution.behaviour {
            Behaviour::Report | Behaviour::Panic(_) => true,
            Behaviour::Slow(time) if time < timeout || self.has(Fault::LateOkCounts) => {
                self.clock.pause(time);
                true
            }
            Behaviour::Slow(_) | Behaviour::Hang => {
                self.clock.pause(timeout);
                false
            }
            Behaviour::Block(time) => self.block(slot, time, timeout),
        }
    }

    /// Blocks a thread of its own, and waits for it to the timeout.
    fn block(&self, slot: &Arc<Slot>, time: Duration, timeout: Duration) -> bool {
        lock(&slot.state).is_busy = true;
        let (tell, told) = mpsc::channel();
        let (slot, clock) = (slot.clone(), self.clock.clone());
        let stays_busy = self.has(Fault::BusyForEver);
        thread::spawn(move || {
            clock.pause(time);
            lock(&slot.state).is_busy = stays_busy;
            // Nobody listens after the timeout.
            let _ = tell.send(());
        });
        told.recv_timeout(timeout).is_ok()
    }
}

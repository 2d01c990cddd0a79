//! What one endpoint has shown and logged before (H21).

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use crate::runtime::after;
use crate::runtime::sync::{Mutex, lock, try_lock};
use crate::state::State;

/// See the [module's doc](self).
#[derive(Debug, Default)]
pub(crate) struct LogMemory(Mutex<Memory>);

#[derive(Debug, Default)]
struct Memory {
    /// The state that the last response has shown, and the first response that has shown it since.
    shown: Option<(State, Instant)>,
    logged: Option<Logged>,
}

/// The last record.
#[derive(Debug)]
struct Logged {
    state: State,
    failing: BTreeSet<String>,
    at: Instant,
}

/// For how long the endpoint has been in its state, and which state it was in before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Timing {
    pub(crate) lasted: Duration,
    /// On a change: the before state, and how long it lasted.
    pub(crate) before: Option<(State, Duration)>,
}

impl LogMemory {
    /// Remembers the state that a response shows. `None` if another thread does the same.
    pub(super) fn show(&self, state: State, now: Instant) -> Option<Timing> {
        Some(try_lock(&self.0)?.show(state, now))
    }

    /// Forgets the state that it has shown: its end is not noticed.
    pub(super) fn forget(&self) {
        if let Some(mut memory) = try_lock(&self.0) {
            memory.shown = None;
        }
    }

    /// Whether the response is a change or due for a reminder; if so, it is remembered. `failing` names the checks that
    /// fail; `None` is a response without checks.
    pub(super) fn update(
        &self,
        state: State,
        failing: Option<&BTreeSet<String>>,
        now: Instant,
        reminder: Option<Duration>,
    ) -> Option<Timing> {
        let mut memory = lock(&self.0);
        let is_due = match &memory.logged {
            None => state != State::Ok,
            Some(last) => {
                if hides_change(state, failing, last.state) {
                    return None;
                }
                let is_change =
                    state != last.state || failing.is_some_and(|failing| *failing != last.failing);
                let next = reminder.and_then(|interval| after(last.at, interval));
                let is_reminder = state != State::Ok && next.is_some_and(|next| now >= next);
                is_change || is_reminder
            }
        };
        if is_due {
            let failing = failing.cloned().unwrap_or_default();
            memory.logged = Some(Logged { state, failing, at: now });
        }
        let timing = memory.show(state, now);
        is_due.then_some(timing)
    }
}

impl Memory {
    fn show(&mut self, state: State, now: Instant) -> Timing {
        let lasted = |since| now.saturating_duration_since(since);
        match self.shown {
            Some((last, since)) if last == state => Timing { lasted: lasted(since), before: None },
            shown => {
                self.shown = Some((state, now));
                let before = shown.map(|(last, since)| (last, lasted(since)));
                Timing { lasted: Duration::ZERO, before }
            }
        }
    }
}

/// Whether a response without checks says nothing of checks that failed before.
fn hides_change(state: State, failing: Option<&BTreeSet<String>>, last: State) -> bool {
    state == State::Ok && failing.is_none() && matches!(last, State::Failing | State::Degraded)
}

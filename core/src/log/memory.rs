//! What one endpoint has shown and logged before (H21).

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use crate::runtime::after;
use crate::runtime::sync::{Mutex, lock};
use crate::state::State;

/// See the [module's doc](self).
#[derive(Debug)]
pub(crate) struct LogMemory(Mutex<Remembered>);

#[derive(Debug, Default)]
struct Remembered {
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
pub(crate) struct Lasting {
    pub(crate) lasted: Duration,
    /// On a change: the former state, and how long it lasted.
    pub(crate) former: Option<(State, Duration)>,
}

impl Default for LogMemory {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl LogMemory {
    /// Remembers the state that a response shows.
    pub(super) fn show(&self, state: State, now: Instant) -> Lasting {
        lock(&self.0).show(state, now)
    }

    /// Forgets the state that it has shown: its end is not noticed.
    pub(super) fn forget(&self) {
        lock(&self.0).shown = None;
    }

    /// Whether the response is a change or due for a reminder; if so, it is remembered. `failing` names the checks that
    /// fail; `None` is a response without checks.
    pub(super) fn update(
        &self,
        state: State,
        failing: Option<&BTreeSet<String>>,
        now: Instant,
        reminder: Option<Duration>,
    ) -> Option<Lasting> {
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
        let lasting = memory.show(state, now);
        is_due.then_some(lasting)
    }
}

impl Remembered {
    fn show(&mut self, state: State, now: Instant) -> Lasting {
        let lasted = |since| now.saturating_duration_since(since);
        match self.shown {
            Some((last, since)) if last == state => Lasting { lasted: lasted(since), former: None },
            shown => {
                self.shown = Some((state, now));
                let former = shown.map(|(last, since)| (last, lasted(since)));
                Lasting { lasted: Duration::ZERO, former }
            }
        }
    }
}

/// Whether a response without checks says nothing of checks that failed before.
fn hides_change(state: State, failing: Option<&BTreeSet<String>>, last: State) -> bool {
    state == State::Ok && failing.is_none() && matches!(last, State::Failing | State::Degraded)
}

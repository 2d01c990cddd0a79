//! When a sign of life is due.

use std::time::{Duration, Instant};

use crate::runtime::after;
use crate::state::State;

/// A sign of life once per period, unless the endpoint on which it depends is failing.
#[derive(Debug)]
pub(crate) struct Pulse {
    period: Duration,
    /// The last sign, or the beginning.
    last: Instant,
    has_beaten: bool,
    is_withheld: bool,
}

impl Pulse {
    pub(crate) fn new(period: Duration, now: Instant) -> Self {
        Self { period, last: now, has_beaten: false, is_withheld: false }
    }

    /// The wait after a sign that could not be given.
    pub(crate) fn retry(&self) -> Duration {
        (self.period / 5).max(Duration::from_millis(1))
    }

    /// Whether to give one now. `live` is the state of the endpoint; `None` if it is not known yet.
    pub(crate) fn is_due(&self, live: Option<State>, now: Instant) -> bool {
        is_live(live) && (!self.has_beaten || self.is_late(now))
    }

    /// When the next one is due or withheld, if nothing changes.
    pub(crate) fn next(&self, live: Option<State>) -> Option<Instant> {
        let is_awaited = live.is_some() && !(self.is_withheld && live == Some(State::Failing));
        is_awaited.then(|| after(self.last, self.period)).flatten()
    }

    pub(crate) fn beaten(&mut self, now: Instant) {
        (self.last, self.has_beaten, self.is_withheld) = (now, true, false);
    }

    /// Whether an episode begins in which a sign is due and is withheld.
    pub(crate) fn begins_to_withhold(&mut self, live: Option<State>, now: Instant) -> bool {
        let is_withheld = live == Some(State::Failing) && self.is_late(now);
        is_withheld && !std::mem::replace(&mut self.is_withheld, true)
    }

    fn is_late(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.last) >= self.period
    }
}

/// Maintenance, a start or a drain is intended: it is no reason to end the process.
fn is_live(state: Option<State>) -> bool {
    state.is_some_and(|state| state != State::Failing)
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::Pulse;
    use crate::state::State;

    const PERIOD: Duration = Duration::from_secs(10);
    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn only_failing_and_an_unknown_state_get_no_sign() {
        let now = Instant::now();
        let pulse = Pulse::new(PERIOD, now);
        assert!(!pulse.is_due(None, now));
        for state in State::ALL {
            assert_eq!(pulse.is_due(Some(state), now), state != State::Failing, "{state}");
        }
    }

    #[test]
    fn a_sign_is_due_once_per_period_and_at_once_after_a_failure_that_lasted_longer() {
        let start = Instant::now();
        let mut pulse = Pulse::new(PERIOD, start);
        pulse.beaten(start);
        let (live, failing) = (Some(State::Ok), Some(State::Failing));
        assert!(!pulse.is_due(live, start + PERIOD - SECOND));
        assert!(pulse.is_due(live, start + PERIOD));
        assert_eq!(pulse.next(live), Some(start + PERIOD));
        assert_eq!(pulse.next(failing), Some(start + PERIOD), "then it is withheld");
        assert_eq!(pulse.next(None), None);

        assert!(!pulse.begins_to_withhold(failing, start + PERIOD - SECOND));
        assert!(pulse.begins_to_withhold(failing, start + PERIOD));
        assert!(!pulse.begins_to_withhold(failing, start + PERIOD + SECOND));
        assert_eq!(pulse.next(failing), None);
        let back = start + PERIOD + 2 * SECOND;
        assert!(pulse.is_due(live, back));
        pulse.beaten(back);
        assert!(pulse.begins_to_withhold(failing, back + PERIOD), "another episode");
    }
}

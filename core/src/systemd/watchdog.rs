//! When the watchdog gets a ping.

use std::time::{Duration, Instant};

use crate::runtime::after;
use crate::state::State;

/// Pings as often as systemd asks, unless the endpoint that the watchdog follows is failing.
#[derive(Debug)]
pub(super) struct Watchdog {
    period: Duration,
    /// The last ping, or the beginning.
    last: Instant,
    has_pinged: bool,
    is_withheld: bool,
}

impl Watchdog {
    pub(super) fn new(period: Duration, now: Instant) -> Self {
        Self { period, last: now, has_pinged: false, is_withheld: false }
    }

    /// The wait after a message that could not be sent.
    pub(super) fn retry(&self) -> Duration {
        (self.period / 5).max(Duration::from_millis(1))
    }

    /// Whether to ping now. `live` is the state of the endpoint; `None` if it is not known yet.
    pub(super) fn is_due(&self, live: Option<State>, now: Instant) -> bool {
        is_live(live) && (!self.has_pinged || self.is_late(now))
    }

    /// The time of the next ping, if nothing changes.
    pub(super) fn next(&self, live: Option<State>) -> Option<Instant> {
        is_live(live).then(|| after(self.last, self.period)).flatten()
    }

    pub(super) fn pinged(&mut self, now: Instant) {
        (self.last, self.has_pinged, self.is_withheld) = (now, true, false);
    }

    /// Whether an episode begins in which a ping is due and is withheld.
    pub(super) fn begins_to_withhold(&mut self, live: Option<State>, now: Instant) -> bool {
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

    use super::Watchdog;
    use crate::state::State;

    const PERIOD: Duration = Duration::from_secs(10);
    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn only_failing_and_an_unknown_state_get_no_ping() {
        let now = Instant::now();
        let watchdog = Watchdog::new(PERIOD, now);
        assert!(!watchdog.is_due(None, now));
        for state in State::ALL {
            assert_eq!(watchdog.is_due(Some(state), now), state != State::Failing, "{state}");
        }
    }

    #[test]
    fn a_ping_is_due_once_per_period_and_at_once_after_a_failure_that_lasted_longer() {
        let start = Instant::now();
        let mut watchdog = Watchdog::new(PERIOD, start);
        watchdog.pinged(start);
        let (live, failing) = (Some(State::Ok), Some(State::Failing));
        assert!(!watchdog.is_due(live, start + PERIOD - SECOND));
        assert!(watchdog.is_due(live, start + PERIOD));
        assert_eq!(watchdog.next(live), Some(start + PERIOD));
        assert_eq!(watchdog.next(failing), None);

        assert!(!watchdog.begins_to_withhold(failing, start + PERIOD - SECOND));
        assert!(watchdog.begins_to_withhold(failing, start + PERIOD));
        assert!(!watchdog.begins_to_withhold(failing, start + PERIOD + SECOND));
        let back = start + PERIOD + 2 * SECOND;
        assert!(watchdog.is_due(live, back));
        watchdog.pinged(back);
        assert!(watchdog.begins_to_withhold(failing, back + PERIOD), "another episode");
    }
}

//! Detects that the whole process stood still, because it was stopped or its machine was suspended.
//!
//! No clock shows this. But if a timer was due and no thread noticed it for a while, no thread was running.

use std::collections::BTreeMap;
use std::ops::Bound::{Excluded, Unbounded};
use std::time::{Duration, Instant};

use crate::runtime::sync::{Mutex, lock};

/// How late a thread may notice a timer on a busy machine.
const TOLERANCE: Duration = Duration::from_millis(250);

/// See the [module documentation](self).
#[derive(Debug, Default)]
pub(crate) struct Standstill(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// The latest time at which a thread read the clock.
    seen: Option<Instant>,
    /// The times at which timers will wake a thread to read the clock, and the number of timers for each.
    expected: BTreeMap<Instant, usize>,
    /// The end of the last standstill.
    resumed: Option<Instant>,
}

impl Standstill {
    /// Notes that a thread read the clock, which shows `now`.
    pub(crate) fn look(&self, now: Instant) {
        let mut state = lock(&self.0);
        if let Some(seen) = state.seen {
            let missed = state.expected.range((Excluded(seen), Unbounded)).next();
            if missed.is_some_and(|(due, _)| now.saturating_duration_since(*due) > TOLERANCE) {
                state.resumed = Some(now);
            }
        }
        state.seen = state.seen.max(Some(now));
    }

    /// The same for a thread that a check may have blocked: other threads may have noticed the timers that it missed.
    pub(crate) fn look_after_block(&self, now: Instant) {
        let mut state = lock(&self.0);
        state.seen = state.seen.max(Some(now));
    }

    /// Notes that a thread will read the clock at `due`, or when the returned value is dropped.
    pub(crate) fn expect(&self, due: Instant) -> Expected<'_> {
        *lock(&self.0).expected.entry(due).or_default() += 1;
        let standstill = self;
        Expected { standstill, due }
    }

    /// The end of the last standstill: the time at which a thread first noticed it.
    pub(crate) fn resumed(&self) -> Option<Instant> {
        lock(&self.0).resumed
    }
}

/// See [`Standstill::expect`].
#[derive(Debug)]
pub(crate) struct Expected<'a> {
    standstill: &'a Standstill,
    due: Instant,
}

impl Drop for Expected<'_> {
    fn drop(&mut self) {
        let mut state = lock(&self.standstill.0);
        if let Some(count) = state.expected.get_mut(&self.due) {
            *count -= 1;
            if *count == 0 {
                state.expected.remove(&self.due);
            }
        }
    }
}

#[cfg(all(test, not(health_loom)))]
mod tests {
    use std::time::{Duration, Instant};

    use super::{Standstill, TOLERANCE};

    const SECOND: Duration = Duration::from_secs(1);
    const MILLISECOND: Duration = Duration::from_millis(1);

    #[test]
    fn a_timer_that_no_thread_noticed_in_time_is_a_standstill() {
        let standstill = Standstill::default();
        let start = Instant::now();
        standstill.look(start);
        let expected = standstill.expect(start + SECOND);
        standstill.look(start + SECOND + TOLERANCE);
        assert_eq!(standstill.resumed(), None);
        drop(expected);

        let expected = standstill.expect(start + 2 * SECOND);
        let late = start + 2 * SECOND + TOLERANCE + MILLISECOND;
        standstill.look(late);
        standstill.look(late + SECOND);
        assert_eq!(standstill.resumed(), Some(late));
        drop(expected);
    }

    #[test]
    fn a_time_without_a_due_timer_is_no_standstill() {
        let standstill = Standstill::default();
        let start = Instant::now();
        let _first = standstill.expect(start + 9 * SECOND);
        // The first reading has nothing to compare with.
        standstill.look(start + 10 * SECOND);
        let expected = standstill.expect(start + 11 * SECOND);
        drop(standstill.expect(start + 11 * SECOND));
        drop(expected);
        standstill.look(start + 100 * SECOND);
        let _ahead = standstill.expect(start + 300 * SECOND);
        standstill.look(start + 200 * SECOND);
        assert_eq!(standstill.resumed(), None);
    }

    #[test]
    fn a_blocked_thread_is_no_standstill() {
        let standstill = Standstill::default();
        let start = Instant::now();
        standstill.look(start);
        let _expected = standstill.expect(start + SECOND);
        standstill.look_after_block(start + 10 * SECOND);
        standstill.look(start + 10 * SECOND);
        assert_eq!(standstill.resumed(), None);
    }
}

//! What is counted of an endpoint and of a check.

use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use crate::check::Status;
use crate::state::State;

/// The responses of an endpoint by state, and its state as a watch sees it. Without a lock: every response counts.
#[derive(Debug)]
pub(crate) struct EndpointCounts {
    responses: [AtomicUsize; State::ALL.len()],
    /// The index of the state; [`UNKNOWN`] before it is known.
    state: AtomicU8,
}

const UNKNOWN: u8 = u8::MAX;

impl Default for EndpointCounts {
    fn default() -> Self {
        Self { responses: Default::default(), state: AtomicU8::new(UNKNOWN) }
    }
}

impl EndpointCounts {
    pub(crate) fn responded(&self, state: State) {
        self.responses[state as usize].fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn responses(&self, state: State) -> usize {
        self.responses[state as usize].load(Ordering::Relaxed)
    }

    pub(crate) fn is_in(&self, state: State) {
        self.state.store(state as u8, Ordering::Relaxed);
    }

    pub(crate) fn state(&self) -> Option<State> {
        State::ALL.get(usize::from(self.state.load(Ordering::Relaxed))).copied()
    }
}

/// The executions of a check.
#[derive(Debug, Clone, Default)]
pub(crate) struct CheckCounts {
    results: [u64; Status::ALL.len()],
    pub(super) timeouts: u64,
    /// The executions up to each bound and above the one before; the last entry is above all bounds.
    buckets: [u64; BOUNDS.len() + 1],
    /// The time of all executions.
    pub(super) time: Duration,
    pub(super) last_success: Option<SystemTime>,
}

/// The bounds of the histogram: a value, and how it is written. It is the same in both formats, because a series with another
/// `le` is another series.
pub(super) const BOUNDS: [(Duration, &str); 9] = [
    (Duration::from_millis(1), "0.001"),
    (Duration::from_millis(5), "0.005"),
    (Duration::from_millis(25), "0.025"),
    (Duration::from_millis(100), "0.1"),
    (Duration::from_millis(500), "0.5"),
    (Duration::from_secs(1), "1.0"),
    (Duration::from_millis(2500), "2.5"),
    (Duration::from_secs(5), "5.0"),
    (Duration::from_secs(10), "10.0"),
];

impl CheckCounts {
    /// Counts an execution that ended `now`. `time` is `None` if the code of the check did not begin.
    pub(crate) fn add(
        &mut self,
        status: Status,
        has_timed_out: bool,
        time: Option<Duration>,
        now: SystemTime,
    ) {
        self.results[status as usize] += 1;
        self.timeouts += u64::from(has_timed_out);
        // A degraded check has passed (H23).
        if status != Status::Error {
            self.last_success = Some(now);
        }
        if let Some(time) = time {
            let bucket = BOUNDS.iter().position(|(bound, _)| time <= *bound);
            self.buckets[bucket.unwrap_or(BOUNDS.len())] += 1;
            self.time = self.time.saturating_add(time);
        }
    }

    pub(super) fn results(&self, status: Status) -> u64 {
        self.results[status as usize]
    }

    /// The number of executions up to each bound, and of all.
    pub(super) fn cumulative(&self) -> [u64; BOUNDS.len() + 1] {
        let mut sum = 0;
        self.buckets.map(|count| {
            sum += count;
            sum
        })
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use super::{BOUNDS, CheckCounts, EndpointCounts};
    use crate::check::Status;
    use crate::state::State;

    #[test]
    fn a_bound_belongs_to_its_bucket_and_is_written_as_it_is() {
        for (index, (bound, text)) in BOUNDS.into_iter().enumerate() {
            assert_eq!(text.parse(), Ok(bound.as_secs_f64()));
            let mut counts = CheckCounts::default();
            for time in [bound, bound + Duration::from_nanos(1)] {
                counts.add(Status::Ok, false, Some(time), SystemTime::UNIX_EPOCH);
            }
            let cumulative = counts.cumulative();
            assert_eq!(cumulative[..index], [0; BOUNDS.len()][..index]);
            assert_eq!(cumulative[index..=index + 1], [1, 2]);
        }
    }

    #[test]
    fn an_endpoint_has_no_state_before_one_is_known() {
        let counts = EndpointCounts::default();
        assert_eq!(counts.state(), None);
        for state in State::ALL {
            counts.is_in(state);
            assert_eq!(counts.state(), Some(state));
        }
    }
}

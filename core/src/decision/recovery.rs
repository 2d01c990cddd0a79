//! The delay of an endpoint's return to healthy, so that hosts which failed together do not return together (H25).

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::{Decision, Outcome, Verdict};
use crate::runtime::process::PerProcess;
use crate::runtime::random::part_of;
use crate::runtime::sync::{Mutex, lock};

/// See the [module's doc](self).
#[derive(Debug)]
pub(crate) struct RecoveryDelay {
    max: Duration,
    /// The number of checks.
    checks: usize,
    /// A child of a fork begins anew.
    observed: PerProcess<Mutex<Observed>>,
}

impl RecoveryDelay {
    pub(crate) fn new(max: Duration, checks: usize) -> Self {
        Self { max, checks, observed: PerProcess::new() }
    }

    /// What the endpoint concludes from the outcome of its checks at `now`.
    pub(crate) fn decide(&self, outcome: Arc<Outcome>, now: Instant) -> Decision {
        if outcome.results.len() < self.checks {
            // A watch asked before each check has run: the endpoint was not healthy so far.
            return Decision::Checked(outcome);
        }
        let draw = || part_of(self.max, 0.0..=1.0);
        let mut observed = lock(self.observed.get_or_make(Mutex::default));
        let rest = observed.observe(outcome.verdict, outcome.concluded, now, draw);
        drop(observed);
        match rest {
            Some(rest) => Decision::Delayed { outcome, rest },
            None => Decision::Checked(outcome),
        }
    }
}

/// What an endpoint has observed of its checks so far.
#[derive(Debug, Default)]
struct Observed {
    phase: Phase,
    /// The end of the latest run without a failure.
    last_pass: Option<Instant>,
    /// The end of the run that found the latest failure.
    last_failure: Option<Instant>,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Never healthy: a new host must not wait, or a rolling update would.
    #[default]
    Unproven,
    Healthy,
    /// It was healthy before.
    Failing,
    /// Healthy again, and not shown yet.
    Delayed {
        since: Instant,
        delay: Duration,
    },
}

impl Observed {
    /// The rest of the delay at `now`; `None` if the endpoint shows `verdict`. A recovery takes its delay from `draw`.
    fn observe(
        &mut self,
        verdict: Verdict,
        concluded: Instant,
        now: Instant,
        draw: impl FnOnce() -> Duration,
    ) -> Option<Duration> {
        if verdict == Verdict::Failing {
            // A request may get the outcome of a run that ended before the recovery.
            let is_latest = self.last_pass.is_none_or(|pass| pass <= concluded);
            if is_latest && self.phase != Phase::Unproven {
                self.phase = Phase::Failing;
                self.last_failure = self.last_failure.max(Some(concluded));
            }
            return None;
        }
        let is_from_before = self.last_failure.is_some_and(|failure| failure > concluded);
        if self.phase == Phase::Failing && is_from_before {
            // Nor is a run that ended before the failure a recovery from it.
            return None;
        }
        self.last_pass = self.last_pass.max(Some(concluded));
        let (since, delay) = match self.phase {
            Phase::Unproven | Phase::Healthy => (now, Duration::ZERO),
            Phase::Failing => (now, draw()),
            Phase::Delayed { since, delay } => (since, delay),
        };
        let rest = delay.saturating_sub(now.saturating_duration_since(since));
        let is_over = rest.is_zero();
        self.phase = if is_over { Phase::Healthy } else { Phase::Delayed { since, delay } };
        (!is_over).then_some(rest)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::{Duration, Instant};

    use proptest::prelude::*;

    use super::{Observed, RecoveryDelay};
    use crate::check::{Criticality, Report, Status};
    use crate::decision::Outcome;
    use crate::decision::Verdict::{self, Degraded, Failing, Ok};
    use crate::state::State;

    /// One request: the time since the one before, how long ago its run ended, what that found, and the delay to draw.
    #[derive(Debug, Clone)]
    struct Request {
        gap: u64,
        age: u64,
        verdict: Verdict,
        delay: u64,
    }

    fn requests() -> impl Strategy<Value = Vec<Request>> {
        let verdict = prop::sample::select(&[Ok, Degraded, Failing, Failing][..]);
        let request = (0..4_u64, 0..3_u64, verdict, 0..8_u64);
        let request =
            request.prop_map(|(gap, age, verdict, delay)| Request { gap, age, verdict, delay });
        prop::collection::vec(request, 0..40)
    }

    /// The rest of the delay at the last of the requests, whose times of arrival and of the end of their run are `times`.
    fn model(requests: &[Request], times: &[(u64, u64)]) -> Option<u64> {
        let passes = |index: usize| requests[index].verdict != Failing;
        let is_outdated =
            |index: usize| (0..index).any(|pass| passes(pass) && times[pass].1 > times[index].1);
        let last = requests.len() - 1;
        // Nothing counts before the endpoint was healthy.
        let counts = |index: usize| !passes(index) && !is_outdated(index) && (0..index).any(passes);
        let is_recovery = |index: usize| {
            let mut failures = (0..index).filter(|failure| counts(*failure));
            passes(index) && failures.all(|failure| times[failure].1 <= times[index].1)
        };
        let failure = (0..last).rfind(|index| counts(*index))?;
        let recovery = (failure..=last).find(|index| is_recovery(*index))?;
        let end = times[recovery].0 + requests[recovery].delay;
        passes(last).then(|| end.checked_sub(times[last].0))?.filter(|rest| *rest > 0)
    }

    proptest! {
        #[test]
        fn a_return_is_delayed_as_the_whole_history_says(requests in requests()) {
            let start = Instant::now() + Duration::from_secs(10);
            let mut observed = Observed::default();
            let mut times = Vec::new();
            let mut now = 10;
            for (index, request) in requests.iter().enumerate() {
                now += request.gap;
                times.push((now, now - request.age));
                let at = |second| start + Duration::from_secs(second);
                let draw = || Duration::from_secs(request.delay);
                let rest = observed.observe(request.verdict, at(now - request.age), at(now), draw);
                let expected = model(&requests[..=index], &times).map(Duration::from_secs);
                prop_assert_eq!(rest, expected, "request {}", index);
            }
        }
    }

    #[test]
    fn a_log_of_changes_sees_a_delay_even_if_the_same_names_are_not_ok() {
        let now = Instant::now();
        let delay = RecoveryDelay::new(Duration::MAX, 1);
        let decide = |criticality| {
            let reports = [Report::new("database", Status::Error, None)].into();
            delay.decide(Arc::new(Outcome::of(vec![(criticality, reports)], now)), now)
        };
        let degraded = decide(Criticality::Optional);
        let failing = decide(Criticality::Required);
        let delayed = decide(Criticality::Optional);
        assert_eq!(degraded.failing(), failing.failing());
        assert_eq!((failing.state(), delayed.state()), (State::Failing, State::Failing));
        assert_ne!(failing.failing(), delayed.failing());
    }

    #[test]
    fn a_delay_longer_than_any_time_never_ends() {
        let now = Instant::now();
        let mut observed = Observed::default();
        let mut rest = |verdict, second| {
            let now = now + Duration::from_secs(second);
            observed.observe(verdict, now, now, || Duration::MAX)
        };
        assert_eq!(rest(Ok, 0), None);
        assert_eq!(rest(Failing, 1), None);
        assert_eq!(rest(Ok, 2), Some(Duration::MAX));
        let year = 365 * 24 * 3600;
        assert_eq!(rest(Ok, 2 + year), Some(Duration::MAX - Duration::from_secs(year)));
    }

    #[test]
    fn a_clock_that_is_set_back_shows_no_more_than_the_whole_delay() {
        let start = Instant::now() + Duration::from_secs(100);
        let mut observed = Observed::default();
        let mut rest =
            |verdict, now| observed.observe(verdict, now, now, || Duration::from_secs(9));
        assert_eq!(rest(Ok, start), None);
        assert_eq!(rest(Failing, start), None);
        assert_eq!(rest(Degraded, start), Some(Duration::from_secs(9)));
        assert_eq!(rest(Ok, start - Duration::from_secs(50)), Some(Duration::from_secs(9)));
        assert_eq!(rest(Ok, start + Duration::from_secs(9)), None);
    }
}

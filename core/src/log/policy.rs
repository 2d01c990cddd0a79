//! Which responses are logged, and at which level (H8, H21).

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use super::LogLevel;
use super::memory::{LogMemory, Timing};
use crate::state::State;

/// Which responses are logged, and at which level. [`HealthBuilder::log_policy`](crate::HealthBuilder::log_policy)
/// takes it.
///
/// ```
/// use std::time::Duration;
/// use health_core::{Health, LogLevel, LogPolicy, State};
///
/// let quiet = LogPolicy::on_change_or_every(Duration::from_secs(600))
///     .level(State::Failing, LogLevel::Warn);
/// let health = Health::builder().log_policy(quiet).build()?;
/// # Ok::<(), health_core::BuildError>(())
/// ```
#[derive(Debug, Clone)]
#[must_use = "a policy does nothing until it is added to a builder"]
pub struct LogPolicy {
    occasion: Occasion,
    /// By state, in the order of [`State::ALL`].
    levels: [LogLevel; State::ALL.len()],
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Occasion {
    EveryResponse,
    Change { reminder: Option<Duration> },
}

impl Default for LogPolicy {
    fn default() -> Self {
        Self::every_response()
    }
}

impl LogPolicy {
    /// Logs every response that is not OK ([H8](crate::contract#h8)). The default.
    pub fn every_response() -> Self {
        Self::new(Occasion::EveryResponse)
    }

    /// Logs only changes: of the state, including the recovery to `OK`, and of the set of checks that fail. A response
    /// without checks does not count as recovery from `Failing` or `Degraded`.
    pub fn on_change() -> Self {
        Self::new(Occasion::Change { reminder: None })
    }

    /// Like [`on_change`](Self::on_change), and also logs a state other than OK again when its last record is at least
    /// `interval` old.
    pub fn on_change_or_every(interval: Duration) -> Self {
        Self::new(Occasion::Change { reminder: Some(interval) })
    }

    fn new(occasion: Occasion) -> Self {
        Self {
            occasion,
            levels: State::ALL.map(|state| match state {
                State::Failing => LogLevel::Error,
                State::Degraded => LogLevel::Warn,
                State::Ok | State::Starting | State::Maintenance | State::Draining => {
                    LogLevel::Info
                }
            }),
        }
    }

    /// Logs records of `state` at `level`. Default: failing at ERROR, degraded at WARN, the others at INFO, because
    /// they are intended.
    pub fn level(mut self, state: State, level: LogLevel) -> Self {
        self.levels[state as usize] = level;
        self
    }

    /// How a response in `state` is logged now; `None` when it is not logged. `failing` names the checks that fail; `None`
    /// is a response without checks.
    #[inline]
    pub(crate) fn due(
        &self,
        state: State,
        failing: Option<&BTreeSet<String>>,
        memory: &LogMemory,
        now: impl FnOnce() -> Instant,
    ) -> Option<Due> {
        // The recovery is remembered, and a response without checks knows of none.
        let is_plain = state == State::Ok && failing.is_none();
        if is_plain && self.occasion == Occasion::EveryResponse {
            return None;
        }
        self.remember(state, failing, memory, now)
    }

    /// The same, except for the plain response, which must not pay for it.
    #[cold]
    fn remember(
        &self,
        state: State,
        failing: Option<&BTreeSet<String>>,
        memory: &LogMemory,
        now: impl FnOnce() -> Instant,
    ) -> Option<Due> {
        let timing = match (self.occasion, state) {
            (Occasion::EveryResponse, State::Ok) => {
                memory.show(state, now());
                return None;
            }
            (Occasion::EveryResponse, State::Degraded | State::Failing) => {
                memory.show(state, now())
            }
            (Occasion::EveryResponse, _) => {
                memory.forget();
                None
            }
            (Occasion::Change { reminder }, _) => {
                Some(memory.update(state, failing, now(), reminder)?)
            }
        };
        Some(Due { level: self.levels[state as usize], timing })
    }
}

/// How a response is logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Due {
    pub(crate) level: LogLevel,
    /// `None` if the end of the state would not be noticed.
    pub(crate) timing: Option<Timing>,
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::{Due, LogLevel, LogMemory, LogPolicy, Timing};
    use crate::state::State::{self, Degraded, Draining, Failing, Maintenance, Ok};

    /// A response with checks in this state, the same with the checks that fail, or an OK response without checks.
    #[derive(Clone, Copy)]
    enum Responded {
        With(State),
        Fails(State, &'static [&'static str]),
        Shallow,
    }
    use Responded::{Fails, Shallow, With};

    /// The levels at which these responses are logged, each a second after the one before.
    fn logged(policy: &LogPolicy, responses: &[Responded]) -> Vec<Option<LogLevel>> {
        let memory = LogMemory::default();
        let start = Instant::now();
        let seconds = (0..).map(Duration::from_secs);
        let level = |(responded, second): (&Responded, Duration)| {
            let (state, failing) = match *responded {
                With(state) => (state, Some(&[][..])),
                Fails(state, failing) => (state, Some(failing)),
                Shallow => (Ok, None),
            };
            let failing = failing.map(|names| names.iter().copied().map(str::to_owned).collect());
            policy.due(state, failing.as_ref(), &memory, || start + second).map(|due| due.level)
        };
        responses.iter().zip(seconds).map(level).collect()
    }

    const INFO: Option<LogLevel> = Some(LogLevel::Info);
    const WARN: Option<LogLevel> = Some(LogLevel::Warn);
    const ERROR: Option<LogLevel> = Some(LogLevel::Error);

    #[test]
    fn by_default_every_response_but_ok_is_logged() {
        let responses = [Shallow, With(Ok), With(Failing), With(Failing), With(Degraded)];
        let levels = [None, None, ERROR, ERROR, WARN];
        assert_eq!(logged(&LogPolicy::default(), &responses), levels);
        let responses = [Maintenance, Maintenance, Draining].map(With);
        assert_eq!(logged(&LogPolicy::default(), &responses), [INFO; 3]);
    }

    #[test]
    fn on_change_each_state_is_logged_once_and_so_is_the_recovery() {
        let responses = [
            Shallow,
            With(Failing),
            With(Failing),
            With(Ok),
            With(Ok),
            With(Maintenance),
            With(Maintenance),
            Shallow,
            Shallow,
        ];
        let levels = [None, ERROR, None, INFO, None, INFO, None, INFO, None];
        assert_eq!(logged(&LogPolicy::on_change(), &responses), levels);
    }

    #[test]
    fn a_response_without_checks_is_no_recovery_of_them() {
        let responses = [With(Failing), Shallow, With(Failing), Shallow, With(Ok)];
        let levels = [ERROR, None, None, None, INFO];
        assert_eq!(logged(&LogPolicy::on_change(), &responses), levels);
        let responses = [With(Degraded), Shallow, With(Ok)];
        assert_eq!(logged(&LogPolicy::on_change(), &responses), [WARN, None, INFO]);
    }

    #[test]
    fn a_change_in_the_set_of_failing_checks_is_a_change() {
        let responses = [
            Fails(Failing, &["database"]),
            Fails(Failing, &["database"]),
            Fails(Failing, &["database", "queue"]),
            Fails(Failing, &["database", "queue"]),
            Shallow,
            Fails(Failing, &["queue"]),
            Fails(Degraded, &["queue"]),
            With(Ok),
            With(Ok),
        ];
        let levels = [ERROR, None, ERROR, None, None, ERROR, WARN, INFO, None];
        assert_eq!(logged(&LogPolicy::on_change(), &responses), levels);
    }

    #[test]
    fn a_maintenance_between_two_outages_hides_neither() {
        let failing = Fails(Failing, &["database"]);
        let responses = [failing, With(Maintenance), failing, failing];
        assert_eq!(logged(&LogPolicy::on_change(), &responses), [ERROR, INFO, ERROR, None]);
    }

    #[test]
    fn a_state_that_lasts_is_logged_again_after_the_interval_unless_it_is_ok() {
        let policy = LogPolicy::on_change_or_every(Duration::from_secs(2));
        let responses = [With(Maintenance); 5];
        assert_eq!(logged(&policy, &responses), [INFO, None, INFO, None, INFO]);
        let responses = [With(Maintenance), Shallow, Shallow, Shallow];
        assert_eq!(logged(&policy, &responses), [INFO, INFO, None, None]);
    }

    #[test]
    fn each_state_has_its_level() {
        let policy = LogPolicy::every_response()
            .level(Draining, LogLevel::Warn)
            .level(Failing, LogLevel::Info);
        let responses = [Draining, Failing, Maintenance].map(With);
        assert_eq!(logged(&policy, &responses), [WARN, INFO, INFO]);
    }

    type Seconds = (u64, Option<(State, u64)>);

    /// Of each response that is logged: how long the state has lasted, and the before state with its length, in seconds.
    fn lasting(policy: &LogPolicy, responses: &[(State, bool)]) -> Vec<Option<Seconds>> {
        let memory = LogMemory::default();
        let start = Instant::now();
        let seconds = (0..).map(Duration::from_secs);
        let lasting = |((state, has_checks), second): (&(State, bool), Duration)| {
            let failing = has_checks.then(Default::default);
            let due = policy.due(*state, failing.as_ref(), &memory, || start + second);
            let Due { timing: Some(Timing { lasted, before }), .. } = due? else { return None };
            Some((lasted.as_secs(), before.map(|(state, length)| (state, length.as_secs()))))
        };
        responses.iter().zip(seconds).map(lasting).collect()
    }

    #[test]
    fn a_record_says_how_long_the_state_has_lasted_and_what_was_before() {
        let responses = [
            (Ok, true),
            (Ok, false),
            (Failing, true),
            (Ok, false),
            (Failing, true),
            (Degraded, true),
            (Ok, true),
            (Failing, true),
        ];
        let expected = [
            None,
            None,
            Some((0, Some((Ok, 2)))),
            None,
            Some((2, None)),
            Some((0, Some((Failing, 3)))),
            None,
            Some((0, Some((Ok, 1)))),
        ];
        assert_eq!(lasting(&LogPolicy::default(), &responses), expected);
    }

    #[test]
    fn on_change_the_record_of_the_recovery_says_how_long_the_failure_lasted() {
        let responses = [
            (Failing, true),
            (Failing, true),
            (Ok, false),
            (Ok, true),
            (Maintenance, false),
            (Ok, false),
        ];
        let expected = [
            Some((0, None)),
            None,
            None,
            Some((0, Some((Failing, 3)))),
            Some((0, Some((Ok, 1)))),
            Some((0, Some((Maintenance, 1)))),
        ];
        assert_eq!(lasting(&LogPolicy::on_change(), &responses), expected);
    }

    #[test]
    fn a_failure_after_a_maintenance_whose_end_was_not_noticed_has_no_before_state() {
        let responses = [(Failing, true), (Maintenance, false), (Failing, true), (Failing, true)];
        let expected = [Some((0, None)), None, Some((0, None)), Some((1, None))];
        assert_eq!(lasting(&LogPolicy::default(), &responses), expected);
    }
}

//! Which answers are logged, and how loudly (H8, H21).

use std::time::{Duration, Instant};

use super::{LogLevel, LogRecord};
use crate::decision::Decision;
use crate::runtime::after;
use crate::runtime::sync::{Mutex, lock};
use crate::state::State;

/// Which answers are logged, and at which level. [`HealthBuilder::log_policy`](crate::HealthBuilder::log_policy) takes it.
///
/// ```
/// use std::time::Duration;
/// use health_core::{Health, LogLevel, LogPolicy, State};
///
/// let quiet = LogPolicy::on_change()
///     .remind_every(Duration::from_secs(600))
///     .level(State::Failing, LogLevel::Warn);
/// let health = Health::builder().log_policy(quiet).build()?;
/// # Ok::<(), health_core::BuildError>(())
/// ```
#[derive(Debug, Clone)]
#[must_use = "a policy does nothing until an endpoint is built with it"]
pub struct LogPolicy {
    occasion: Occasion,
    /// By state, in the order of [`State::ALL`].
    levels: [LogLevel; State::ALL.len()],
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Occasion {
    EveryAnswer,
    Change { reminder: Option<Duration> },
}

impl Default for LogPolicy {
    fn default() -> Self {
        Self::every_answer()
    }
}

impl LogPolicy {
    /// One record for every answer that is not OK (H8). The default.
    pub fn every_answer() -> Self {
        Self::new(Occasion::EveryAnswer)
    }

    /// One record when an endpoint's state is another than in its last record, or than OK where there is none yet: also
    /// `Health response: OK` when it is OK again.
    ///
    /// An answer without checks, which says nothing of them, is no change from a failing or degraded one; from any
    /// other state it is.
    pub fn on_change() -> Self {
        Self::new(Occasion::Change { reminder: None })
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

    /// Also a record when an answer is not OK, and the last record is so long ago. For
    /// [`on_change`](Self::on_change); every answer is logged anyway without. Default: never.
    pub fn remind_every(mut self, interval: Duration) -> Self {
        if let Occasion::Change { reminder } = &mut self.occasion {
            *reminder = Some(interval);
        }
        self
    }

    /// The level of records of `state`. Default: failing at ERROR, degraded at WARN, all others at INFO, because
    /// they are what somebody wants.
    pub fn level(mut self, state: State, level: LogLevel) -> Self {
        self.levels[state as usize] = level;
        self
    }
}

/// What the log knows of one endpoint.
#[derive(Debug)]
pub(crate) struct LogMemory(Mutex<Option<Logged>>);

#[derive(Debug, Clone, Copy)]
struct Logged {
    state: State,
    at: Instant,
}

impl Default for LogMemory {
    fn default() -> Self {
        Self(Mutex::new(None))
    }
}

impl LogPolicy {
    /// The record of an answer that an endpoint with this memory gives at `now`; `None` when it is not to be logged.
    pub(crate) fn record(
        &self,
        decision: &Decision,
        memory: &LogMemory,
        now: impl FnOnce() -> Instant,
    ) -> Option<LogRecord> {
        let state = decision.state();
        let is_due = match self.occasion {
            Occasion::EveryAnswer => state != State::Ok,
            Occasion::Change { reminder } => {
                let is_shallow = matches!(decision, Decision::Pass);
                memory.is_news(state, is_shallow, now(), reminder)
            }
        };
        is_due.then(|| LogRecord::of(decision).at(self.levels[state as usize]))
    }
}

impl LogMemory {
    /// Whether `state` is another than before, or worth a reminder; it is remembered then.
    fn is_news(
        &self,
        state: State,
        is_shallow: bool,
        now: Instant,
        reminder: Option<Duration>,
    ) -> bool {
        let mut memory = lock(&self.0);
        let is_news = match *memory {
            None => state != State::Ok,
            Some(Logged { state: last, at }) => {
                let says_nothing = is_shallow && matches!(last, State::Failing | State::Degraded);
                let is_due = || {
                    let due = reminder.and_then(|interval| after(at, interval));
                    state != State::Ok && due.is_some_and(|due| now >= due)
                };
                (state != last && !says_nothing) || is_due()
            }
        };
        if is_news {
            *memory = Some(Logged { state, at: now });
        }
        is_news
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::{Duration, Instant};

    use super::{LogLevel, LogMemory, LogPolicy, LogRecord};
    use crate::decision::{Decision, Outcome, Verdict};
    use crate::state::State;

    fn checked(verdict: Verdict) -> Decision {
        let record = LogRecord::of_results(verdict, [].iter());
        Decision::Checked(Arc::new(Outcome { verdict, record }))
    }

    /// The levels at which these answers are logged, each a second after the one before.
    fn logged(policy: &LogPolicy, answers: &[Decision]) -> Vec<Option<LogLevel>> {
        let (memory, start) = (LogMemory::default(), Instant::now());
        let seconds = (0..).map(Duration::from_secs);
        let answers = answers.iter().zip(seconds);
        answers
            .map(|(decision, second)| {
                let record = policy.record(decision, &memory, || start + second);
                record.map(|record| record.level())
            })
            .collect()
    }

    const INFO: Option<LogLevel> = Some(LogLevel::Info);
    const WARN: Option<LogLevel> = Some(LogLevel::Warn);
    const ERROR: Option<LogLevel> = Some(LogLevel::Error);

    #[test]
    fn every_answer_but_ok_is_logged_unless_told_otherwise() {
        let (ok, error) = (checked(Verdict::Ok), checked(Verdict::Error));
        let degraded = checked(Verdict::Degraded);
        let answers = [Decision::Pass, ok, error.clone(), error, degraded];
        let levels = [None, None, ERROR, ERROR, WARN];
        assert_eq!(logged(&LogPolicy::default(), &answers), levels);
        let answers = [Decision::Maintain, Decision::Maintain, Decision::Drain];
        assert_eq!(logged(&LogPolicy::default(), &answers), [INFO; 3]);
    }

    #[test]
    fn on_change_each_state_is_logged_once_and_so_is_the_recovery() {
        let error = || checked(Verdict::Error);
        let ok = checked(Verdict::Ok);
        let answers = [
            Decision::Pass,
            error(),
            error(),
            ok.clone(),
            ok,
            Decision::Maintain,
            Decision::Maintain,
            Decision::Pass,
            Decision::Pass,
        ];
        let levels = [None, ERROR, None, INFO, None, INFO, None, INFO, None];
        assert_eq!(logged(&LogPolicy::on_change(), &answers), levels);
    }

    #[test]
    fn an_answer_without_checks_is_no_recovery_of_them() {
        let error = || checked(Verdict::Error);
        let ok = checked(Verdict::Ok);
        let answers = [error(), Decision::Pass, error(), Decision::Pass, ok.clone()];
        let levels = [ERROR, None, None, None, INFO];
        assert_eq!(logged(&LogPolicy::on_change(), &answers), levels);
        let answers = [checked(Verdict::Degraded), Decision::Pass, ok];
        assert_eq!(
            logged(&LogPolicy::on_change(), &answers),
            [WARN, None, INFO]
        );
    }

    #[test]
    fn a_reminder_comes_when_the_last_record_is_so_long_ago_and_never_of_what_is_ok() {
        let policy = LogPolicy::on_change().remind_every(Duration::from_secs(2));
        let answers = [const { Decision::Maintain }; 5];
        assert_eq!(logged(&policy, &answers), [INFO, None, INFO, None, INFO]);
        let answers = [
            Decision::Maintain,
            Decision::Pass,
            Decision::Pass,
            Decision::Pass,
        ];
        assert_eq!(logged(&policy, &answers), [INFO, INFO, None, None]);
    }

    #[test]
    fn each_state_has_a_level_of_its_own() {
        let policy = LogPolicy::every_answer()
            .level(State::Draining, LogLevel::Warn)
            .level(State::Failing, LogLevel::Info);
        let answers = [Decision::Drain, checked(Verdict::Error), Decision::Maintain];
        assert_eq!(logged(&policy, &answers), [WARN, INFO, INFO]);
    }
}

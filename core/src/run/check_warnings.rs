//! Warnings about a check: a part of its result is not accepted, or it takes almost as long as its timeout.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::observer::CheckFinished;
use super::registered::RegisteredCheck;
use crate::check::Report;
use crate::log::LogRecord;

/// Which warnings were logged.
#[derive(Debug, Default)]
pub(super) struct CheckWarnings {
    has_rejection: AtomicBool,
    is_slow: AtomicBool,
}

impl CheckWarnings {
    /// The warnings to log after an execution that took `time`; `None` if it did not begin. An execution is slow from
    /// `slow_share` of the timeout on.
    pub(super) fn due(
        &self,
        check: &RegisteredCheck,
        finished: &CheckFinished,
        time: Option<Duration>,
        slow_share: f64,
    ) -> Vec<LogRecord> {
        let mut due = Vec::new();
        let rejection = finished.reports.iter().find_map(|report| report.rejection());
        if let Some(rejection) = rejection {
            if !self.has_rejection.swap(true, Ordering::Relaxed) {
                due.push(LogRecord::rejected_result(&check.info.name, rejection));
            }
        }
        // An execution that did not end by itself neither begins nor ends an episode.
        if let Some(time) = time.filter(|_| !finished.reports.iter().any(was_ended)) {
            let is_slow = time.as_secs_f64() > slow_share * check.info.timeout.as_secs_f64();
            if is_slow && !self.is_slow.swap(is_slow, Ordering::Relaxed) {
                due.push(LogRecord::slow_check(&check.info.name, time, check.info.timeout));
            } else if !is_slow {
                self.is_slow.store(false, Ordering::Relaxed);
            }
        }
        due
    }
}

/// Whether this is the result of an execution that the library has ended.
fn was_ended(report: &Report) -> bool {
    matches!(report.reason(), Some("timed_out" | "still_running" | "given_up"))
}

#[cfg(all(test, not(health_loom)))]
mod tests {
    use std::time::{Duration, Instant};

    use crate::check::{Check, CheckResult, Report, Unit};
    use crate::run::RegisteredCheck;

    const MILLISECOND: Duration = Duration::from_millis(1);

    /// Executes a check whose timeout is 100 ms. The texts of the warnings after each execution, which takes a number of
    /// milliseconds and has a result.
    fn warnings(executions: &[(u32, CheckResult)]) -> Vec<Vec<String>> {
        let check = Check::new("disk", || async { CheckResult::ok() }).timeout(100 * MILLISECOND);
        let check = RegisteredCheck::new(check, Duration::MAX);
        let now = Instant::now();
        let due = |(milliseconds, result): &(u32, CheckResult)| {
            let finished = check.finish(vec![Report::of("disk", result.clone())], Some(now), now);
            let time = Some(*milliseconds * MILLISECOND);
            let due = check.warnings.due(&check, &finished, time, 0.8);
            due.iter().map(|record| record.text().to_owned()).collect()
        };
        executions.iter().map(due).collect()
    }

    fn taking(milliseconds: u32) -> (u32, CheckResult) {
        (milliseconds, CheckResult::ok())
    }

    #[test]
    fn a_slow_check_is_logged_once_until_it_is_fast_again() {
        let slow = ["the check \"disk\" took 81ms of its timeout of 100ms"];
        let times = [80, 81, 99, 81, 80, 81].map(taking);
        let none: [&str; 0] = [];
        assert_eq!(
            warnings(&times),
            [&none[..], &slow, &none, &none, &none, &slow].map(<[_]>::to_vec)
        );
    }

    #[test]
    fn an_execution_that_the_library_ends_neither_begins_nor_ends_an_episode() {
        let ended = |milliseconds, reason| (milliseconds, CheckResult::failure(reason, "ended"));
        let executions = [
            ended(100, "timed_out"),
            // Cut by the end of the run.
            ended(95, "timed_out"),
            taking(90),
            ended(0, "still_running"),
            ended(5, "given_up"),
            taking(90),
            taking(10),
            taking(90),
        ];
        let lengths: Vec<_> = warnings(&executions).iter().map(Vec::len).collect();
        assert_eq!(lengths, [0, 0, 1, 0, 0, 0, 0, 1]);
    }

    #[test]
    fn what_is_left_out_of_a_result_is_logged_once_per_check() {
        let rejected = CheckResult::ok().reason("NOT\nGOOD").value("x", f64::NAN, Unit::Count);
        let texts = warnings(&[(0, rejected.clone()), (0, rejected)]).concat();
        assert_eq!(
            texts,
            [
                "in a result of the check \"disk\", the reason \"NOT\\nGOOD\" is left out: a reason has 1 to 32 characters \
              of a-z, 0-9, _ and -"
            ]
        );
    }
}

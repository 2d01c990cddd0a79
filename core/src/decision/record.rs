//! The record of a response (H8, H13, H17, H18).

use std::fmt;
use std::sync::Arc;

use super::{Decision, Verdict};
use crate::check::{Report, Status};
use crate::lifecycle::{Latched, Start, Unreleased};
use crate::log::{Array, JsonString, LogEvent, LogLevel, LogRecord};

impl Decision {
    /// The record that belongs to the response, at its default level.
    pub(crate) fn record(&self) -> LogRecord {
        match self {
            Self::Pass => LogRecord::info(LogEvent::Response, "Health response: OK"),
            Self::Maintain => LogRecord::info(LogEvent::Response, "Health response: MAINTENANCE"),
            Self::Drain => LogRecord::info(LogEvent::Response, "Health response: DRAINING"),
            Self::Start(unreleased) => start_record(unreleased),
            Self::Checked(outcome) => outcome.record.clone(),
        }
    }
}

/// The record of a response whose checks have these results.
pub(super) fn results_record<'a>(
    verdict: Verdict,
    reports: impl Iterator<Item = &'a Report> + Clone,
) -> LogRecord {
    let (level, word) = match verdict {
        Verdict::Ok => return LogRecord::info(LogEvent::Response, "Health response: OK"),
        Verdict::Degraded => (LogLevel::Warn, "DEGRADED"),
        Verdict::Failing => (LogLevel::Error, "ERROR"),
    };
    let results = Array(reports.map(JsonReport));
    LogRecord::new(level, LogEvent::Response, format!("Health response: {word} ({results})"))
}

/// The record of a start that is not over, or has failed.
fn start_record(unreleased: &Unreleased) -> LogRecord {
    match unreleased.start {
        Start::UnderWay => {
            let names = Array(unreleased.names().map(JsonString));
            let text = format!("Health response: STARTING ({names})");
            LogRecord::new(LogLevel::Info, LogEvent::Response, text)
        }
        Start::Failed => {
            let report = |latch: &Arc<Latched>| match latch.error() {
                Some(error) => {
                    let message = format!("start-up latch failed: {error}");
                    Report::new(&latch.name, Status::Error, Some(&message))
                }
                None => {
                    let message = "start-up latch dropped before its release";
                    Report::new(&latch.name, Status::Error, Some(&message))
                }
            };
            let reports: Vec<_> = unreleased.latches.iter().map(report).collect();
            results_record(Verdict::Failing, reports.iter())
        }
    }
}

/// One result in a record.
struct JsonReport<'a>(&'a Report);

impl fmt::Display for JsonReport<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = JsonString(self.0.name());
        let status = self.0.status();
        write!(f, r#"{{"name":{name},"status":"{status}","message":"#)?;
        match self.0.message() {
            Some(message) => write!(f, "{}}}", JsonString(message)),
            None => f.write_str("null}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::results_record;
    use crate::check::HealthCheckEvent;
    use crate::decision::{Decision, Verdict};
    use crate::lifecycle::{Start, StartupLatch, Unreleased};
    use crate::log::LogLevel;

    #[test]
    fn a_failure_is_logged_with_every_result_as_compact_json() {
        let mut event = HealthCheckEvent::default();
        event.ok("database");
        event.error("queue", "87 \"jobs\"");
        let record = results_record(Verdict::Failing, event.reports().iter());
        assert_eq!(
            record.text(),
            r#"Health response: ERROR ([{"name":"database","status":"OK","message":null},{"name":"queue","status":"ERROR","message":"87 \"jobs\""}])"#
        );
    }

    #[test]
    fn a_start_is_logged_with_the_latches_it_waits_for_or_failed_by() {
        let record = |start| {
            let latches = ["migrations", "a\"b"].map(|name| StartupLatch::new(name).shared());
            Decision::Start(Unreleased { start, latches: latches.into() }).record()
        };
        let under_way = record(Start::UnderWay);
        assert_eq!(under_way.level(), LogLevel::Info);
        assert_eq!(under_way.text(), r#"Health response: STARTING (["migrations","a\"b"])"#);
        let failed = record(Start::Failed);
        assert_eq!(failed.level(), LogLevel::Error);
        let first = r#"Health response: ERROR ([{"name":"migrations","status":"ERROR","message":"start-up latch dropped before its release"},"#;
        assert!(failed.text().starts_with(first), "{failed}");
    }

    #[test]
    fn a_failed_latch_is_logged_with_its_error_beside_a_dropped_one() {
        let [failed, dropped] = ["migrations", "cache"].map(StartupLatch::new);
        let latches = vec![failed.shared(), dropped.shared()];
        failed.fail("no \"table\"\nstocks");
        let record = Decision::Start(Unreleased { start: Start::Failed, latches }).record();
        assert_eq!(
            record.text(),
            r#"Health response: ERROR ([{"name":"migrations","status":"ERROR","message":"start-up latch failed: no \"table\"\nstocks"},{"name":"cache","status":"ERROR","message":"start-up latch dropped before its release"}])"#
        );
    }
}

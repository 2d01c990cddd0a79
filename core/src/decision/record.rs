//! The record of a response (H8, H13, H17, H18).

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::{Decision, Verdict};
use crate::check::{Report, Status};
use crate::lifecycle::{Latched, Start, Unreleased};
use crate::log::{Array, JsonString, LogEvent, LogLevel, LogRecord};
use crate::text::Rounded;

impl Decision {
    /// The record that belongs to the response, at its default level.
    pub(crate) fn record(&self) -> LogRecord {
        match self {
            Self::Pass => LogRecord::info(LogEvent::Response, "Health response: OK"),
            Self::Maintain => LogRecord::info(LogEvent::Response, "Health response: MAINTENANCE"),
            Self::Drain => LogRecord::info(LogEvent::Response, "Health response: DRAINING"),
            Self::Start(unreleased) => start_record(unreleased),
            Self::Checked(outcome) => outcome.record.clone(),
            Self::Delayed { outcome, rest } => delayed_record(outcome.reports(), *rest),
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
    let results = Array(reports.clone().map(JsonReport));
    let text = format!("Health response: {word} ({results})");
    LogRecord::new(level, LogEvent::Response, text).because(reasons(reports))
}

/// Of the results that are not OK.
fn reasons<'a>(reports: impl Iterator<Item = &'a Report>) -> impl Iterator<Item = &'a str> {
    reports.filter(|report| report.status() != Status::Ok).filter_map(Report::reason)
}

/// The record of a return to healthy that is delayed for `rest` (H25).
fn delayed_record<'a>(
    reports: impl Iterator<Item = &'a Report> + Clone,
    rest: Duration,
) -> LogRecord {
    let entries = reports.clone().map(Entry::Report).chain([Entry::Delay(rest)]);
    let text = format!("Health response: ERROR ({})", Array(entries));
    let reasons = reasons(reports).chain(["recovery_delayed"]);
    LogRecord::new(LogLevel::Error, LogEvent::Response, text).because(reasons)
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

/// One entry of the record of a delayed return to healthy.
#[derive(Clone)]
enum Entry<'a> {
    Report(&'a Report),
    /// It has no name, and every check has one.
    Delay(Duration),
}

impl fmt::Display for Entry<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Report(report) => JsonReport(report).fmt(f),
            Self::Delay(rest) => {
                // Rounded up: it is never 0.
                let rest = Rounded(rest.saturating_add(Duration::from_nanos(999_999)));
                write!(
                    f,
                    r#"{{"name":null,"status":"ERROR","message":"recovery delayed for another {rest}"}}"#
                )
            }
        }
    }
}

/// One result in a record (H8, H23).
struct JsonReport<'a>(&'a Report);

impl fmt::Display for JsonReport<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let report = self.0;
        let name = JsonString(report.name());
        let status = report.status();
        write!(f, r#"{{"name":{name},"status":"{status}","message":"#)?;
        match report.message() {
            Some(message) => write!(f, "{}", JsonString(message))?,
            None => f.write_str("null")?,
        }
        #[cfg(feature = "details")]
        if let Some(reference) = report.reference() {
            write!(f, r#","reference":"{reference}""#)?;
        }
        // A reason and the names of values need no escapes.
        if let Some(reason) = report.reason_to_log() {
            write!(f, r#","reason":"{reason}""#)?;
        }
        for (index, value) in report.values().iter().enumerate() {
            f.write_str(if index == 0 { r#","values":{"# } else { "," })?;
            write!(f, r#""{}":{}"#, value.full_name(), value.number())?;
        }
        f.write_str(if report.values().is_empty() { "}" } else { "}}" })
    }
}

#[cfg(test)]
mod tests {
    use super::results_record;
    use crate::check::{CheckResult, HealthCheckEvent, Unit};
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
    fn a_reason_and_values_follow_the_message_of_a_result_that_has_them() {
        let mut event = HealthCheckEvent::default();
        let result = CheckResult::degraded("almost full").reason("space");
        let result = result.value("free", 1e9, Unit::Bytes).value("queue", 0.5, Unit::Ratio);
        event.result("disk", result.value("files", 3.0, Unit::Count));
        event.result("pool", CheckResult::ok().value("idle", -0.0, Unit::Count));
        let record = results_record(Verdict::Degraded, event.reports().iter());
        assert_eq!(
            record.text(),
            r#"Health response: DEGRADED ([{"name":"disk","status":"DEGRADED","message":"almost full","reason":"space","values":{"free_bytes":1000000000,"queue_ratio":0.5,"files":3}},{"name":"pool","status":"OK","message":null,"values":{"idle":-0}}])"#
        );
    }

    #[test]
    fn every_finite_number_is_a_number_in_json() {
        for number in [f64::MAX, f64::MIN, f64::MIN_POSITIVE, 0.1 + 0.2] {
            let mut event = HealthCheckEvent::default();
            event.result("x", CheckResult::error("x").value("y", number, Unit::Count));
            let record = results_record(Verdict::Failing, event.reports().iter());
            let (_, rest) = record.text().split_once(r#""y":"#).unwrap();
            let (digits, _) = rest.split_once('}').unwrap();
            assert!(
                digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'-' | b'.')),
                "{digits}"
            );
            assert_eq!(digits.parse(), Ok(number));
        }
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

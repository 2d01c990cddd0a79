//! What the operator reads: one record per answer that is not OK (H8), and warnings.

mod policy;
mod results;
mod warnings;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

pub(crate) use self::policy::LogMemory;
pub use self::policy::LogPolicy;
use self::results::{Names, Results};
use crate::check::{Report, Status};
use crate::decision::{Decision, Verdict};
use crate::lifecycle::{Start, Unreleased};

/// The target of every record, for filters such as `health=warn`.
pub const LOG_TARGET: &str = "health";

/// How grave a record is; the gravest is the greatest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum LogLevel {
    /// Expected, and worth knowing: maintenance.
    Info,
    /// A setting or the machine deserves a look; the endpoint works on.
    Warn,
    /// The application is unhealthy.
    Error,
}

impl fmt::Display for LogLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Info => "INFO",
            Self::Warn => "WARN",
            Self::Error => "ERROR",
        })
    }
}

/// One record for the log. [`Display`](fmt::Display) shows its text: always one line, without control
/// characters.
#[derive(Clone)]
pub struct LogRecord {
    level: LogLevel,
    text: Text,
}

/// Cheap to clone: all who share a run have the same record.
#[derive(Clone)]
enum Text {
    Fixed(&'static str),
    Made(Arc<str>),
}

impl LogRecord {
    /// The record that belongs to an answer (H8), at the level it has by default.
    pub(crate) fn of(decision: &Decision) -> Self {
        match decision {
            Decision::Pass => Self::fixed("Health response: OK"),
            Decision::Maintain => Self::fixed("Health response: MAINTENANCE"),
            Decision::Drain => Self::fixed("Health response: DRAINING"),
            Decision::Start(unreleased) => Self::of_start(unreleased),
            Decision::Checked(outcome) => outcome.record.clone(),
        }
    }

    /// The record of an answer that comes to `verdict` by these results (H8).
    pub(crate) fn of_results<'a>(
        verdict: Verdict,
        reports: impl Iterator<Item = &'a Report> + Clone,
    ) -> Self {
        let (level, word) = match verdict {
            Verdict::Ok => return Self::fixed("Health response: OK"),
            Verdict::Degraded => (LogLevel::Warn, "DEGRADED"),
            Verdict::Error => (LogLevel::Error, "ERROR"),
        };
        Self::made(
            level,
            format!("Health response: {word} ({})", Results(reports)),
        )
    }

    /// A start that is not over, or has failed (H18).
    fn of_start(unreleased: &Unreleased) -> Self {
        let names = &*unreleased.names;
        match unreleased.start {
            Start::UnderWay => {
                let text = format!("Health response: STARTING ({})", Names(names));
                Self::made(LogLevel::Info, text)
            }
            Start::Failed => {
                let why = "start-up latch dropped before its release";
                let report = |name| Report::new(name, Status::Error, Some(&why));
                let reports: Vec<_> = names.iter().map(report).collect();
                Self::of_results(Verdict::Error, reports.iter())
            }
        }
    }

    /// H20: a signal has come.
    pub(crate) fn drain_begins(delay: Duration) -> Self {
        let text = format!(
            "draining: the endpoints say so from now on, and requests are served for another {delay:?}; a \
             second signal skips that"
        );
        Self::made(LogLevel::Info, text)
    }

    /// H20: the wait is over.
    pub(crate) fn drain_ends() -> Self {
        Self::fixed("drained: the server may stop")
    }

    fn warn(text: String) -> Self {
        Self::made(LogLevel::Warn, text)
    }

    fn fixed(text: &'static str) -> Self {
        let (level, text) = (LogLevel::Info, Text::Fixed(text));
        Self { level, text }
    }

    fn made(level: LogLevel, text: String) -> Self {
        let text = Text::Made(text.into());
        Self { level, text }
    }

    /// The same at another level.
    pub(crate) fn at(self, level: LogLevel) -> Self {
        Self { level, ..self }
    }

    /// Its level.
    pub fn level(&self) -> LogLevel {
        self.level
    }

    /// Its text.
    pub fn text(&self) -> &str {
        match &self.text {
            Text::Fixed(text) => text,
            Text::Made(text) => text,
        }
    }

    /// Hands the record to `tracing` under [`LOG_TARGET`]; where no `tracing` subscriber is set, it
    /// goes to the `log` facade.
    pub fn emit(&self) {
        match self.level {
            LogLevel::Info => tracing::info!(target: LOG_TARGET, "{}", self.text()),
            LogLevel::Warn => tracing::warn!(target: LOG_TARGET, "{}", self.text()),
            LogLevel::Error => tracing::error!(target: LOG_TARGET, "{}", self.text()),
        }
    }
}

impl fmt::Display for LogRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

impl PartialEq for LogRecord {
    fn eq(&self, other: &Self) -> bool {
        self.level == other.level && self.text() == other.text()
    }
}

impl Eq for LogRecord {}

/// Leaves the text out: it holds the messages of checks, and `Debug` output travels.
impl fmt::Debug for LogRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LogRecord")
            .field("level", &self.level)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::{LogLevel, LogRecord};
    use crate::check::HealthCheckEvent;
    use crate::decision::{Decision, Verdict};
    use crate::lifecycle::{Start, Unreleased};

    fn record(fill: impl FnOnce(&mut HealthCheckEvent)) -> LogRecord {
        let mut event = HealthCheckEvent::default();
        fill(&mut event);
        LogRecord::of_results(Verdict::Error, event.reports().iter())
    }

    #[test]
    fn a_failure_is_logged_with_every_result_as_compact_json() {
        let record = record(|event| {
            event.report("database", "OK", None);
            event.report("queue", "down", Some("87 \"jobs\""));
        });
        assert_eq!(
            record.text(),
            r#"Health response: ERROR ([{"name":"database","status":"OK","message":null},{"name":"queue","status":"ERROR","message":"87 \"jobs\""}])"#
        );
    }

    #[test]
    fn a_start_is_logged_with_the_latches_it_waits_for_or_failed_by() {
        let names = || vec!["migrations".to_owned(), "a\"b".to_owned()];
        let record = |start| {
            let names = names();
            LogRecord::of(&Decision::Start(Unreleased { start, names }))
        };
        let under_way = record(Start::UnderWay);
        assert_eq!(under_way.level(), LogLevel::Info);
        assert_eq!(
            under_way.text(),
            r#"Health response: STARTING (["migrations","a\"b"])"#
        );
        let failed = record(Start::Failed);
        assert_eq!(failed.level(), LogLevel::Error);
        let first = r#"Health response: ERROR ([{"name":"migrations","status":"ERROR","message":"start-up latch dropped before its release"},"#;
        assert!(failed.text().starts_with(first), "{failed}");
    }

    #[test]
    fn a_record_shows_its_level_and_its_text() {
        let record = LogRecord::of(&Decision::Maintain);
        assert_eq!(
            format!("{} {record}", record.level()),
            "INFO Health response: MAINTENANCE"
        );
        assert_eq!(LogLevel::Warn.to_string(), "WARN");
        assert_eq!(LogLevel::Error.to_string(), "ERROR");
    }

    #[test]
    fn debug_output_holds_the_level_and_no_message() {
        let record = record(|event| event.report("database", "ERROR", Some("hunter2")));
        let shown = format!("{record:?}");
        assert!(shown.contains("Error"), "{shown}");
        assert!(!shown.contains("hunter2"), "{shown}");
    }
}

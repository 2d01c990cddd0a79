//! Records for the operator: of responses (H8), and warnings.

mod json;
mod policy;
mod warnings;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

pub(crate) use self::json::{Array, JsonString};
pub(crate) use self::policy::LogMemory;
pub use self::policy::LogPolicy;
use crate::text::names;

/// The target of every record, for filters such as `health=warn`.
pub const LOG_TARGET: &str = "health";

/// The level of a record. Levels are ordered by gravity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum LogLevel {
    /// An expected event, such as maintenance.
    Info,
    /// A setting or the machine needs attention; the endpoint works.
    Warn,
    /// The application is unhealthy.
    Error,
}

names!(LogLevel, "log level", {
    Info => "INFO",
    Warn => "WARN",
    Error => "ERROR",
});

/// One record for the log. [`Display`](fmt::Display) shows the text: one line without control characters.
#[derive(Clone)]
pub struct LogRecord {
    level: LogLevel,
    text: Text,
}

/// Cheap to clone: requests that share a run have the same record.
#[derive(Clone)]
enum Text {
    Fixed(&'static str),
    Made(Arc<str>),
}

impl LogRecord {
    /// H20: the signal has arrived. A future is no signal twice.
    pub(crate) fn drain_begins(delay: Duration, can_skip: bool) -> Self {
        let skip = if can_skip { "; a second signal skips the delay" } else { "" };
        let text = format!(
            "draining: the endpoints report it from now on, and requests are served for another {delay:?}{skip}"
        );
        Self::new(LogLevel::Info, text)
    }

    /// H20: the delay is over.
    pub(crate) fn drain_ends() -> Self {
        Self::info("drained: the server may stop")
    }

    fn warn(text: String) -> Self {
        Self::new(LogLevel::Warn, text)
    }

    pub(crate) fn info(text: &'static str) -> Self {
        let level = LogLevel::Info;
        let text = Text::Fixed(text);
        Self { level, text }
    }

    pub(crate) fn new(level: LogLevel, text: String) -> Self {
        let text = Text::Made(text.into());
        Self { level, text }
    }

    /// The same record at another level.
    pub(crate) fn at(self, level: LogLevel) -> Self {
        Self { level, ..self }
    }

    /// The level.
    pub fn level(&self) -> LogLevel {
        self.level
    }

    /// The text.
    pub fn text(&self) -> &str {
        match &self.text {
            Text::Fixed(text) => text,
            Text::Made(text) => text,
        }
    }

    /// Passes the record to `tracing` with the target [`LOG_TARGET`]; without a `tracing` subscriber it goes to the
    /// `log` facade.
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

/// Omits the text: it holds the messages of checks, and `Debug` output travels.
impl fmt::Debug for LogRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LogRecord").field("level", &self.level).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::{LogLevel, LogRecord};

    #[test]
    fn a_record_shows_its_level_and_its_text() {
        let record = LogRecord::info("Health response: MAINTENANCE");
        assert_eq!(format!("{} {record}", record.level()), "INFO Health response: MAINTENANCE");
    }

    #[test]
    fn debug_output_shows_the_level_and_no_message() {
        let record = LogRecord::new(LogLevel::Error, "hunter2".to_owned());
        let shown = format!("{record:?}");
        assert!(shown.contains("Error"), "{shown}");
        assert!(!shown.contains("hunter2"), "{shown}");
    }
}

//! Records for the operator: of responses (H8), and warnings.

mod alive;
mod drain;
mod json;
mod memory;
mod policy;
#[cfg(all(feature = "systemd", unix))]
mod systemd;
mod warnings;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

pub(crate) use self::drain::DrainEnd;
pub(crate) use self::json::{Array, JsonString};
pub(crate) use self::memory::LogMemory;
use self::memory::Timing;
pub(crate) use self::policy::Due;
pub use self::policy::LogPolicy;
use crate::state::State;
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

/// What a record is about, for filters and alerts: its name is a field of the record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum LogEvent {
    /// An endpoint has responded ([H8](crate::contract#h8)).
    Response,
    /// A setting is probably a mistake ([H11](crate::contract#h11)).
    Setting,
    /// The disablefile cannot be looked up ([H4](crate::contract#h4)).
    Disablefile,
    /// A maintenance source blocks or panics ([H19](crate::contract#h19)).
    MaintenanceSource,
    /// A drain begins, ends, drops requests, or would be cut short, or a signal comes before the server serves
    /// ([H20](crate::contract#h20)).
    Drain,
    /// A check is slow ([H12](crate::contract#h12)), or a part of its result is not accepted
    /// ([H23](crate::contract#h23)).
    Check,
    /// An observer does not keep up.
    Observer,
    /// The endpoints were never mounted.
    Mount,
    /// systemd cannot be reached, or its watchdog gets no ping.
    Systemd,
    /// A shutdown phase has ended, or has exceeded its limit, or the server has failed.
    Shutdown,
    /// The alive file cannot be touched, or is not touched because an endpoint is failing.
    AliveFile,
}

names!(LogEvent, "log event", {
    Response => "response",
    Setting => "setting",
    Disablefile => "disablefile",
    MaintenanceSource => "maintenance_source",
    Drain => "drain",
    Check => "check",
    Observer => "observer",
    Mount => "mount",
    Systemd => "systemd",
    Shutdown => "shutdown",
    AliveFile => "alive_file",
});

/// One record for the log. [`Display`](fmt::Display) shows the text: one line without control characters.
#[derive(Clone)]
pub struct LogRecord {
    level: LogLevel,
    event: LogEvent,
    text: Text,
    /// The path of the endpoint that has responded, and the state that it has shown.
    response: Option<(Arc<str>, State)>,
    /// `None` if it has none of them: the record of a maintenance needs no allocation.
    fields: Option<Arc<Fields>>,
}

/// The fields that only some records have.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Fields {
    timing: Option<Timing>,
    check: Option<String>,
    reason: Option<String>,
}

/// Cheap to clone: requests that share a run have the same record.
#[derive(Clone)]
enum Text {
    Fixed(&'static str),
    Made(Arc<str>),
}

impl LogRecord {
    fn warn(event: LogEvent, text: String) -> Self {
        Self::new(LogLevel::Warn, event, text)
    }

    pub(crate) fn info(event: LogEvent, text: &'static str) -> Self {
        Self { level: LogLevel::Info, event, text: Text::Fixed(text), response: None, fields: None }
    }

    pub(crate) fn new(level: LogLevel, event: LogEvent, text: String) -> Self {
        Self { level, event, text: Text::Made(text.into()), response: None, fields: None }
    }

    /// The record of a response of the endpoint at `path`.
    pub(crate) fn of(mut self, path: &Arc<str>, state: State, due: Due) -> Self {
        if let Some(timing) = due.timing {
            self.fields().timing = Some(timing);
        }
        Self { level: due.level, response: Some((path.clone(), state)), ..self }
    }

    /// The record is about this check.
    fn of_check(mut self, name: &str) -> Self {
        self.fields().check = Some(name.to_owned());
        self
    }

    /// The record is about results that are not OK for these reasons.
    pub(crate) fn because<'a>(mut self, reasons: impl Iterator<Item = &'a str>) -> Self {
        let mut distinct: Vec<&str> = Vec::new();
        for reason in reasons {
            if !distinct.contains(&reason) {
                distinct.push(reason);
            }
        }
        if !distinct.is_empty() {
            self.fields().reason = Some(distinct.join(","));
        }
        self
    }

    fn fields(&mut self) -> &mut Fields {
        Arc::make_mut(self.fields.get_or_insert_default())
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

    /// What the record is about.
    pub fn event(&self) -> LogEvent {
        self.event
    }

    /// The path of the endpoint that has responded; `None` for a record that is not about a response.
    pub fn endpoint(&self) -> Option<&str> {
        self.response.as_ref().map(|(path, _)| &**path)
    }

    /// The state that the endpoint has shown; `None` for a record that is not about a response.
    pub fn state(&self) -> Option<State> {
        self.response.as_ref().map(|(_, state)| *state)
    }

    /// The name of the check that the record is about; `None` for a record of a response.
    pub fn check(&self) -> Option<&str> {
        self.fields.as_ref()?.check.as_deref()
    }

    /// The reasons of the results that are not OK, as far as they have some: `refused`, or `timed_out,saturated`, in
    /// the order of the results.
    pub fn reason(&self) -> Option<&str> {
        self.fields.as_ref()?.reason.as_deref()
    }

    /// How long the endpoint has shown its state; zero on a change. `None` for a record that is not about a response,
    /// and, if each response is logged, for any state but failing and degraded, or if two responses are logged in one
    /// moment.
    pub fn lasted(&self) -> Option<Duration> {
        self.fields.as_ref()?.timing.map(|timing| timing.lasted)
    }

    /// On a change, the before state of the endpoint, and how long it lasted; `None` if it is not known.
    pub fn before(&self) -> Option<(State, Duration)> {
        self.fields.as_ref()?.timing?.before
    }

    /// Passes the record to `tracing` with the target [`LOG_TARGET`]; without a `tracing` subscriber it goes to the
    /// `log` facade. The fields are the [`event`](Self::event) and, as far as the record has them, the
    /// [`endpoint`](Self::endpoint), the [`state`](Self::state), the [`reason`](Self::reason), the
    /// [`check`](Self::check), the seconds for which the state has [`lasted`](Self::lasted), and the
    /// [`before`](Self::before) state with its `before_lasted`.
    pub fn emit(&self) {
        let event = self.event.as_str();
        let endpoint = self.endpoint();
        let state = self.state().map(State::as_str);
        let reason = self.reason();
        let check = self.check();
        let lasted = self.lasted().map(|lasted| lasted.as_secs_f64());
        let before = self.before().map(|(before, _)| before.as_str());
        let before_lasted = self.before().map(|(_, lasted)| lasted.as_secs_f64());
        match self.level {
            LogLevel::Info => {
                tracing::info!(
                    target: LOG_TARGET, event, endpoint, state, reason, check, lasted, before, before_lasted,
                    "{}", self.text()
                );
            }
            LogLevel::Warn => {
                tracing::warn!(
                    target: LOG_TARGET, event, endpoint, state, reason, check, lasted, before, before_lasted,
                    "{}", self.text()
                );
            }
            LogLevel::Error => {
                tracing::error!(
                    target: LOG_TARGET, event, endpoint, state, reason, check, lasted, before, before_lasted,
                    "{}", self.text()
                );
            }
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
        let parts = |record: &Self| {
            (record.level, record.event, record.response.clone(), record.fields.clone())
        };
        parts(self) == parts(other) && self.text() == other.text()
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
    use super::{LogEvent, LogLevel, LogRecord};

    #[test]
    fn a_record_shows_its_level_and_its_text() {
        let record = LogRecord::info(LogEvent::Response, "Health response: MAINTENANCE");
        assert_eq!(format!("{} {record}", record.level()), "INFO Health response: MAINTENANCE");
    }

    #[test]
    fn debug_output_shows_the_level_and_no_message() {
        let record = LogRecord::new(LogLevel::Error, LogEvent::Response, "hunter2".to_owned());
        let shown = format!("{record:?}");
        assert!(shown.contains("Error"), "{shown}");
        assert!(!shown.contains("hunter2"), "{shown}");
    }
}

//! The health check event, and the results that checks report to it.

use std::error::Error;
use std::fmt;

use crate::text::{cut, cut_error, names};

/// The status of one result.
///
/// [`From<&str>`](Self::from) follows the original: only the exact `OK` is [`Status::Ok`], and any other text, such as
/// `ok`, `NOK` or an empty one, is [`Status::Error`] ([H6](crate::contract#h6)). [`FromStr`](std::str::FromStr)
/// accepts `OK` and `ERROR` only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Status {
    /// The check passed.
    Ok,
    /// The check failed.
    Error,
}

names!(Status, "status", {
    Ok => "OK",
    Error => "ERROR",
});

impl From<&str> for Status {
    fn from(text: &str) -> Self {
        if text == "OK" { Self::Ok } else { Self::Error }
    }
}

/// One result: a name, a status and an optional message.
///
/// Name and message appear in the log only ([H9](crate::contract#h9)). Each is cut to
/// [`MAX_MESSAGE_LEN`](crate::MAX_MESSAGE_LEN).
#[derive(Clone, PartialEq, Eq)]
pub struct Report {
    name: String,
    status: Status,
    message: Option<String>,
}

impl Report {
    pub(crate) fn new(
        name: impl fmt::Display,
        status: Status,
        message: Option<&dyn fmt::Display>,
    ) -> Self {
        Self { name: cut(name), status, message: message.map(cut) }
    }

    /// The same result, counted as `status`; `note` gives the reason, before the result's own message.
    pub(crate) fn overruled(&self, status: Status, note: &str) -> Self {
        let message = match &self.message {
            Some(message) => format!("{note}: {message}"),
            None => note.to_owned(),
        };
        Self::new(&self.name, status, Some(&message))
    }

    /// The name under which the result was reported.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether the check passed.
    pub fn status(&self) -> Status {
        self.status
    }

    /// The message, if there is one.
    pub fn message(&self) -> Option<&str> {
        self.message.as_deref()
    }
}

/// Omits the message: it may hold secrets, and `Debug` output travels.
impl fmt::Debug for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Report")
            .field("name", &self.name)
            .field("status", &self.status)
            .finish_non_exhaustive()
    }
}

/// The event that every subscriber gets when the checks run ([H7](crate::contract#h7)). A subscriber reports any
/// number of results to it, or none.
///
/// ```
/// use health_core::HealthCheckEvent;
///
/// fn disks(event: &mut HealthCheckEvent) {
///     event.ok("disk-a");
///     event.error("disk-b", "97 % full");
/// }
///
/// let mut event = HealthCheckEvent::default();
/// disks(&mut event);
/// assert_eq!(event.reports()[1].message(), Some("97 % full"));
/// ```
#[derive(Debug, Default)]
pub struct HealthCheckEvent {
    reports: Vec<Report>,
}

impl HealthCheckEvent {
    /// Reports that `name` passed.
    pub fn ok(&mut self, name: &str) {
        self.push(Report::new(name, Status::Ok, None));
    }

    /// Reports that `name` failed. `error` is an error, which is logged with its causes, or a text.
    pub fn error(&mut self, name: &str, error: impl Into<Box<dyn Error + Send + Sync>>) {
        self.conclude(name, Err(error));
    }

    /// Reports a result as the original does: `status` is a [`Status`], or a text of which only the exact `OK` passes.
    /// Several results may share a name; one that is not OK makes the state failing.
    pub fn report(&mut self, name: &str, status: impl Into<Status>, message: Option<&str>) {
        let message = message.as_ref().map(|text| text as &dyn fmt::Display);
        self.push(Report::new(name, status.into(), message));
    }

    /// The results so far, in order. For tests of a subscriber.
    pub fn reports(&self) -> &[Report] {
        &self.reports
    }

    /// Reports a failure of the library's making.
    pub(crate) fn fail(&mut self, name: &str, message: &dyn fmt::Display) {
        self.push(Report::new(name, Status::Error, Some(message)));
    }

    /// Reports the one result of a check.
    pub(crate) fn conclude<E>(&mut self, name: &str, result: Result<(), E>)
    where
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        // The error is dropped before anything is reported: should its `Drop` panic, there is one result.
        let failure = result.err().map(|error| cut_error(&*error.into()));
        match failure {
            None => self.ok(name),
            Some(message) => self.fail(name, &message),
        }
    }

    pub(crate) fn into_reports(self) -> Vec<Report> {
        self.reports
    }

    pub(crate) fn push(&mut self, report: Report) {
        self.reports.push(report);
    }
}

#[cfg(test)]
mod tests {
    use super::{HealthCheckEvent, Status};

    #[test]
    fn what_was_reported_reads_back_in_order() {
        let mut event = HealthCheckEvent::default();
        event.report("disk", "OK", None);
        event.report("queue", "down", Some("87 jobs"));
        let reports: Vec<_> = event
            .reports()
            .iter()
            .map(|report| (report.name(), report.status(), report.message()))
            .collect();
        assert_eq!(
            reports,
            [("disk", Status::Ok, None), ("queue", Status::Error, Some("87 jobs")),]
        );
    }

    #[test]
    fn a_typed_report_is_that_of_the_original_and_an_error_brings_its_causes() {
        let mut event = HealthCheckEvent::default();
        event.ok("disk");
        event.error("queue", "87 jobs");
        event.error("database", "x".parse::<u8>().unwrap_err());
        let mut original = HealthCheckEvent::default();
        original.report("disk", "OK", None);
        original.report("queue", "ERROR", Some("87 jobs"));
        original.report("database", "ERROR", Some("invalid digit found in string"));
        assert_eq!(event.reports(), original.reports());
    }

    #[test]
    fn debug_output_shows_no_message() {
        let mut event = HealthCheckEvent::default();
        event.report("database", "ERROR", Some("password=hunter2"));
        let shown = format!("{event:?}");
        assert!(shown.contains("database"), "{shown}");
        assert!(!shown.contains("hunter2"), "{shown}");
    }
}

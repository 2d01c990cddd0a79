//! What checks report: the event that subscribers fill in.

use std::fmt;

use crate::text::cut;

/// The status of one report.
///
/// From text, only the exact `OK` is [`Status::Ok`]: `ok`, `NOK`, an empty status and everything else
/// are [`Status::Error`] (H6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Status {
    /// The part of the application that was checked works.
    Ok,
    /// It does not.
    Error,
}

impl Status {
    /// The status as the log shows it: `OK` or `ERROR`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "OK",
            Self::Error => "ERROR",
        }
    }
}

impl From<&str> for Status {
    fn from(text: &str) -> Self {
        if text == "OK" { Self::Ok } else { Self::Error }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One result: a name, a status and perhaps a message.
///
/// Name and message go to the log and nowhere else (H9). Each is cut to
/// [`MAX_MESSAGE_LEN`](crate::MAX_MESSAGE_LEN) when it is stored.
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
        Self {
            name: cut(name),
            status,
            message: message.map(cut),
        }
    }

    /// The same result, counted as `status`; `note` says why, before what it says itself.
    pub(crate) fn overruled(&self, status: Status, note: &str) -> Self {
        let message = match &self.message {
            Some(message) => format!("{note}: {message}"),
            None => note.to_owned(),
        };
        Self::new(&self.name, status, Some(&message))
    }

    /// The name it was reported under.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether it passed.
    pub fn status(&self) -> Status {
        self.status
    }

    /// What the check had to say; `None` when it said nothing.
    pub fn message(&self) -> Option<&str> {
        self.message.as_deref()
    }
}

/// Leaves the message out: it may hold secrets, and `Debug` output travels.
impl fmt::Debug for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Report")
            .field("name", &self.name)
            .field("status", &self.status)
            .finish_non_exhaustive()
    }
}

/// The question put to every subscriber when a request asks for checks (H7).
///
/// A subscriber answers by [reporting](Self::report) any number of results, or none.
///
/// ```
/// use health_core::HealthCheckEvent;
///
/// fn disks(event: &mut HealthCheckEvent) {
///     event.report("disk-a", "OK", None);
///     event.report("disk-b", "ERROR", Some("97 % full"));
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
    /// Adds a result. Any number may share a name; one that is not OK makes the answer an ERROR.
    ///
    /// `status` is a [`Status`] or a text, of which only the exact `OK` passes.
    pub fn report(&mut self, name: &str, status: impl Into<Status>, message: Option<&str>) {
        let message = message.as_ref().map(|text| text as &dyn fmt::Display);
        self.push(Report::new(name, status.into(), message));
    }

    /// What was reported until now, in order: for tests of a subscriber.
    pub fn reports(&self) -> &[Report] {
        &self.reports
    }

    /// Adds a failure whose message is written without a copy of the whole text being made.
    pub(crate) fn fail(&mut self, name: &str, message: &dyn fmt::Display) {
        self.push(Report::new(name, Status::Error, Some(message)));
    }

    /// Adds the one result of a check.
    pub(crate) fn conclude<E: fmt::Display>(&mut self, name: &str, result: Result<(), E>) {
        // The error is gone before anything is reported: should its `Drop` panic, there is one result.
        let failure = result.err().map(cut);
        match failure {
            None => self.report(name, Status::Ok, None),
            Some(message) => self.report(name, Status::Error, Some(&message)),
        }
    }

    pub(crate) fn into_reports(self) -> Vec<Report> {
        self.reports
    }

    /// Adds a report.
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
        let reports = event.reports().iter();
        let reports: Vec<_> = reports
            .map(|report| (report.name(), report.status(), report.message()))
            .collect();
        assert_eq!(
            reports,
            [
                ("disk", Status::Ok, None),
                ("queue", Status::Error, Some("87 jobs")),
            ]
        );
    }

    #[test]
    fn debug_output_holds_no_message() {
        let mut event = HealthCheckEvent::default();
        event.report("database", "ERROR", Some("password=hunter2"));
        let shown = format!("{event:?}");
        assert!(shown.contains("database"), "{shown}");
        assert!(!shown.contains("hunter2"), "{shown}");
    }
}

//! The health check event, and what is reported to it.

use std::error::Error;
use std::fmt;

#[cfg(feature = "details")]
use super::reference::Reference;
use super::result::{CheckResult, IntoCheckResult, Status};
use super::value::Value;
use crate::text::cut;

/// One result of a check, under the name by which it was reported.
///
/// Everything but the status appears in the log only ([H9](crate::contract#h9)). Name and message are cut to
/// [`MAX_MESSAGE_LEN`](crate::MAX_MESSAGE_LEN).
#[derive(Clone, PartialEq, Eq)]
pub struct Report {
    name: String,
    result: CheckResult,
}

impl Report {
    pub(crate) fn new(
        name: impl fmt::Display,
        status: Status,
        message: Option<&dyn fmt::Display>,
    ) -> Self {
        Self::of(name, CheckResult::new(status, message.map(cut)))
    }

    /// The result of `name`, to look at: what a check reports becomes one of these.
    pub fn of(name: impl fmt::Display, result: CheckResult) -> Self {
        Self { name: cut(name), result }
    }

    /// The same result, counted as `status`; `note` gives the cause, before the result's own message.
    pub(crate) fn overruled(mut self, status: Status, note: &str) -> Self {
        let message = match &self.result.message {
            Some(message) => cut(format_args!("{note}: {message}")),
            None => note.to_owned(),
        };
        self.result.message = Some(message);
        self.result.status = status;
        self
    }

    /// The name under which the result was reported.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether the check passed.
    pub fn status(&self) -> Status {
        self.result.status
    }

    /// The message, if there is one.
    pub fn message(&self) -> Option<&str> {
        self.result.message.as_deref()
    }

    /// The reason, if there is one: the [check's own](CheckResult::reason), or for a failure that this library found,
    /// `timed_out`, `still_running`, `panicked`, `not_run_yet`, `stale` or `given_up`.
    pub fn reason(&self) -> Option<&str> {
        self.result.reason_word()
    }

    /// The [values](CheckResult::value).
    pub fn values(&self) -> &[Value] {
        self.result.all_values()
    }

    /// The reason, unless the message says it.
    pub(crate) fn reason_to_log(&self) -> Option<&str> {
        self.result.reason_to_log()
    }

    /// The same result with a reference, which the log and the details show.
    #[cfg(feature = "details")]
    pub(crate) fn with_reference(mut self, reference: Reference) -> Self {
        self.result = self.result.with_reference(reference);
        self
    }

    /// The reference, if there is one.
    #[cfg(feature = "details")]
    pub(crate) fn reference(&self) -> Option<Reference> {
        self.result.reference()
    }

    /// What is wrong with the first part of the result that was left out.
    pub(crate) fn rejection(&self) -> Option<&str> {
        self.result.rejection()
    }
}

/// Omits the message: it may hold secrets, and `Debug` output travels.
impl fmt::Debug for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Report")
            .field("name", &self.name)
            .field("status", &self.result.status)
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

    /// Reports that `name` passed, but a person should look at it ([H23](crate::contract#h23)). `message` is an error,
    /// which is logged with its causes, or a text.
    pub fn degraded(&mut self, name: &str, message: impl Into<Box<dyn Error + Send + Sync>>) {
        self.result(name, CheckResult::degraded(message));
    }

    /// Reports that `name` failed. `error` is an error, which is logged with its causes, or a text.
    pub fn error(&mut self, name: &str, error: impl Into<Box<dyn Error + Send + Sync>>) {
        self.result(name, CheckResult::error(error));
    }

    /// Reports for `name` what a [check](crate::Check::new) could return: a [`CheckResult`] with a reason and values, or
    /// a `Result`.
    pub fn result(&mut self, name: &str, result: impl IntoCheckResult) {
        // The error is dropped before anything is reported: should its `Drop` panic, there is one result.
        let result = result.into_check_result();
        self.push(Report::of(name, result));
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

//! Warnings: every record at WARN except those of responses.

use std::fmt;
use std::io;
use std::path::Path;
use std::time::Duration;

use super::LogRecord;
use crate::config::variables;
use crate::text::List;

impl LogRecord {
    /// H4: a stat that failed, and not because nothing is there.
    pub(crate) fn disablefile_unreadable(path: &Path, error: &io::Error) -> Self {
        Self::warn(format!(
            "cannot tell whether the disablefile {path:?} exists ({error}); \
             taking the host as not in maintenance until it can be looked up"
        ))
    }

    /// H4: a stat that does not return.
    pub(crate) fn disablefile_hangs(path: &Path, limit: Duration, is_active: bool) -> Self {
        Self::warn(format!(
            "cannot tell within {limit:?} whether the disablefile {path:?} exists; \
             taking the host as {}, as it was last seen, until it can be looked up",
            describe(is_active)
        ))
    }

    /// Endpoints that were dropped before they were mounted.
    pub(crate) fn never_mounted() -> Self {
        Self::warn(
            "the health endpoints were dropped, but never mounted on a server: nothing has responded to health requests"
                .to_owned(),
        )
    }

    /// An observer that does not keep up.
    pub(crate) fn observer_is_slow(limit: usize) -> Self {
        Self::warn(format!(
            "an observer is {limit} notifications behind; check results are dropped until it catches up"
        ))
    }

    /// H11: a disablefile that may not work as intended, and why.
    pub(crate) fn odd_disablefile(path: &Path, odd: &[String]) -> Self {
        Self::warn(format!(
            "the disablefile {path:?} may not work as intended: {}; healthcheck.disablefile is best set to a path in a \
             directory of the service, such as /run/NAME/maintenance",
            odd.join("; ")
        ))
    }

    /// H11: another setting that is accepted but probably a mistake, and why.
    pub(crate) fn odd_setting(key: &str, value: &str, odd: &[String]) -> Self {
        Self::warn(format!("{key} = {value:?} may not work as intended: {}", odd.join("; ")))
    }

    /// H11: the prefix of environment variables is shared with other programs.
    pub(crate) fn unknown_variable(name: &str) -> Self {
        let known: Vec<_> = variables().collect();
        Self::warn(format!(
            "the environment variable {name:?} is not a setting of the health endpoint and is ignored; its settings are {}",
            known.join(", ")
        ))
    }

    /// H11: a variable that has the form of a check's setting, but belongs to no registered check.
    pub(crate) fn unknown_check(name: &str, known: &[String]) -> Self {
        Self::warn(format!(
            "the environment variable {name:?} is for no check of the health endpoint and is ignored; {}",
            List("variables", known)
        ))
    }

    /// H19: a source that panics.
    pub(crate) fn source_panics(name: &str, panicked: &impl fmt::Display, is_active: bool) -> Self {
        Self::warn(format!(
            "the maintenance source {name:?} cannot tell ({:?}); taking the host as {} until it can",
            panicked.to_string(),
            describe(is_active)
        ))
    }

    /// H19: a source that does not return.
    pub(crate) fn source_hangs(name: &str, limit: Duration, is_active: bool) -> Self {
        Self::warn(format!(
            "the maintenance source {name:?} does not say within {limit:?} whether the host is in \
             maintenance; taking it as {} until it does",
            describe(is_active)
        ))
    }

    /// H20: a delay that is not shorter than the time between the signal and the kill.
    pub(crate) fn drain_is_cut_short(delay: Duration, grace: Duration) -> Self {
        Self::warn(format!(
            "a drain is to take {delay:?}, but {grace:?} after the signal the process is killed: make the delay \
             shorter, or set HealthBuilder::termination_grace_period to the time between the signal and the kill \
             (default: 30s, as in Kubernetes)"
        ))
    }
}

fn describe(is_in_maintenance: bool) -> &'static str {
    match is_in_maintenance {
        true => "in maintenance",
        false => "not in maintenance",
    }
}

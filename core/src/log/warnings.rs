//! Warnings: every record at WARN except those of responses.

use std::fmt;
use std::io;
use std::path::Path;
use std::time::Duration;

use super::{LogEvent, LogRecord};
use crate::config::variables;
use crate::text::{List, Rounded};

impl LogRecord {
    /// H4: a stat failed, with an error other than "not found".
    pub(crate) fn disablefile_unreadable(path: &Path, error: &io::Error) -> Self {
        Self::warn(
            LogEvent::Disablefile,
            format!(
                "cannot tell whether the disablefile {path:?} exists ({error}); \
             the host counts as not in maintenance until the file can be looked up"
            ),
        )
    }

    /// H4: a stat does not return.
    pub(crate) fn disablefile_hangs(path: &Path, limit: Duration, is_active: bool) -> Self {
        Self::warn(
            LogEvent::Disablefile,
            format!(
                "cannot tell within {limit:?} whether the disablefile {path:?} exists; \
             the host still counts as {} until the file can be looked up",
                describe(is_active)
            ),
        )
    }

    /// The endpoints were dropped before they were mounted.
    pub(crate) fn never_mounted() -> Self {
        Self::warn(LogEvent::Mount,
            "the health endpoints were dropped, but never mounted on a server: nothing has responded to health requests"
                .to_owned(),
        )
    }

    /// H12: a check takes almost as long as its timeout.
    pub(crate) fn slow_check(name: &str, time: Duration, timeout: Duration) -> Self {
        let time = Rounded(time);
        let text = format!("the check {name:?} took {time} of its timeout of {timeout:?}");
        Self::warn(LogEvent::Check, text).of_check(name)
    }

    /// H23: a part of a result is left out.
    pub(crate) fn rejected_result(name: &str, rejection: &str) -> Self {
        Self::warn(LogEvent::Check, format!("in a result of the check {name:?}, {rejection}"))
            .of_check(name)
    }

    /// An observer does not keep up.
    pub(crate) fn observer_is_slow(limit: usize) -> Self {
        Self::warn(
            LogEvent::Observer,
            format!(
                "an observer is {limit} notifications behind; check results are dropped until it catches up"
            ),
        )
    }

    /// H30: a bearer token is easily guessed.
    #[cfg(feature = "details")]
    pub(crate) fn short_token(path: &str, length: usize, enough: usize) -> Self {
        let text = format!(
            "a bearer token of the endpoint {path} has only {length} characters; use a random one of at least {enough}"
        );
        Self::warn(LogEvent::Setting, text)
    }

    /// H11: the disablefile has likely mistakes.
    pub(crate) fn odd_disablefile(path: &Path, odd: &[String]) -> Self {
        Self::warn(
            LogEvent::Setting,
            format!(
                "the disablefile {path:?} may not work as intended: {}; healthcheck.disablefile is best set to a path in a \
             directory of the service, such as /run/NAME/maintenance",
                odd.join("; ")
            ),
        )
    }

    /// H11: another setting has likely mistakes.
    pub(crate) fn odd_setting(key: &str, value: &str, odd: &[String]) -> Self {
        Self::warn(
            LogEvent::Setting,
            format!("{key} = {value:?} may not work as intended: {}", odd.join("; ")),
        )
    }

    /// H11: an unknown environment variable. It may belong to another program.
    pub(crate) fn unknown_variable(name: &str) -> Self {
        let known: Vec<_> = variables().collect();
        Self::warn(
            LogEvent::Setting,
            format!(
                "the environment variable {name:?} is not a setting of the health endpoint and is ignored; its settings are {}",
                known.join(", ")
            ),
        )
    }

    /// H11: a variable looks like the setting of a check, but there is no such check.
    pub(crate) fn unknown_check(name: &str, known: &[String]) -> Self {
        Self::warn(
            LogEvent::Setting,
            format!(
                "the environment variable {name:?} matches no registered check and is ignored; {}",
                List("variables", known)
            ),
        )
    }

    /// H19: a source panicked.
    pub(crate) fn source_panics(name: &str, panicked: &impl fmt::Display, is_active: bool) -> Self {
        Self::warn(
            LogEvent::MaintenanceSource,
            format!(
                "the maintenance source {name:?} failed ({:?}); the host counts as {} until the source returns",
                panicked.to_string(),
                describe(is_active)
            ),
        )
    }

    /// H19: a source does not return.
    pub(crate) fn source_hangs(name: &str, limit: Duration, is_active: bool) -> Self {
        Self::warn(
            LogEvent::MaintenanceSource,
            format!(
                "the maintenance source {name:?} did not return within {limit:?}; the host counts as {} until \
             it does",
                describe(is_active)
            ),
        )
    }
}

fn describe(is_in_maintenance: bool) -> &'static str {
    if is_in_maintenance { "in maintenance" } else { "not in maintenance" }
}

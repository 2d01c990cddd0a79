//! Warnings about the alive file.

use std::path::Path;
use std::time::Duration;

use super::{LogEvent, LogRecord};

impl LogRecord {
    /// A touch has failed, or without an `error` has taken longer than `limit`.
    pub(crate) fn alive_file_not_touched(
        path: &Path,
        error: Option<&str>,
        limit: Duration,
    ) -> Self {
        let reason = match error {
            Some(error) => format!(" ({error})"),
            None => format!(" within {limit:?}"),
        };
        Self::warn(
            LogEvent::AliveFile,
            format!(
                "cannot touch the alive file {path:?}{reason}; it is tried again, and until then a probe finds the file old or \
                 missing"
            ),
        )
    }

    /// The endpoint on which the file depends is failing.
    pub(crate) fn alive_file_is_withheld(path: &Path) -> Self {
        Self::warn(
            LogEvent::AliveFile,
            format!(
                "the alive file {path:?} is not touched, because the liveness endpoint is failing: a probe finds the file old \
                 unless the endpoint recovers"
            ),
        )
    }

    /// The file depends on no check.
    pub(crate) fn alive_file_proves_little(path: &Path) -> Self {
        Self::warn(
            LogEvent::AliveFile,
            format!(
                "the alive file {path:?} does not show a blocked process, because no liveness endpoint has a check: add \
                 Endpoint::liveness with a check of this process, such as Check::heartbeat"
            ),
        )
    }

    /// Any local user can touch, replace or block the file.
    pub(crate) fn alive_file_is_exposed(path: &Path) -> Self {
        Self::warn(
            LogEvent::AliveFile,
            format!(
                "the alive file {path:?} is in a world-writable directory, so any local user can touch it after this process \
                 has ended: choose a directory of the service, such as /run/NAME"
            ),
        )
    }
}

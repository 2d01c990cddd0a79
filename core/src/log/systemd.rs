//! Warnings about systemd.

use std::io;

use super::{LogEvent, LogRecord};

impl LogRecord {
    /// A message could not be sent.
    pub(crate) fn systemd_is_not_reached(error: &io::Error) -> Self {
        Self::warn(
            LogEvent::Systemd,
            format!(
                "cannot notify systemd through NOTIFY_SOCKET ({error}); it is tried again until systemd can be reached"
            ),
        )
    }

    /// The endpoint on which the watchdog depends is failing.
    pub(crate) fn watchdog_gets_no_ping() -> Self {
        Self::warn(
            LogEvent::Systemd,
            "the watchdog of systemd gets no ping, because the liveness endpoint is failing: systemd ends the process \
             unless it recovers"
                .to_owned(),
        )
    }

    /// The pings of the watchdog depend on no check.
    pub(crate) fn watchdog_proves_little() -> Self {
        Self::warn(
            LogEvent::Systemd,
            "the watchdog of systemd does not notice a blocked process, because no liveness endpoint has a check: add \
             Endpoint::liveness with a check of this process, such as Check::tokio_runtime"
                .to_owned(),
        )
    }
}

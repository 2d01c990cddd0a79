//! The records of a drain and of what follows it (H20).

use std::fmt;
use std::path::Path;
use std::time::Duration;

use super::{LogEvent, LogLevel, LogRecord};
use crate::text::Rounded;

/// Why the server may stop.
#[derive(Debug)]
pub(crate) enum DrainEnd {
    /// After exactly the time that was set.
    Elapsed,
    /// Nothing was left to wait for. This many pollers were told.
    Early { told: usize },
    /// The maximum was over.
    Deadline { active: usize, waited_for: Vec<String> },
    /// A second signal has arrived.
    Skipped,
}

impl LogRecord {
    /// The signal has arrived. A future is no signal twice.
    pub(crate) fn drain_begins(drain: impl fmt::Display, can_skip: bool) -> Self {
        let skip = skip(can_skip);
        let text = format!(
            "draining: the endpoints report it from now on, and requests are served for another {drain}{skip}"
        );
        Self::drain(LogLevel::Info, text)
    }

    /// The signal has arrived when the drain had begun.
    pub(crate) fn drain_continues(
        drain: impl fmt::Display,
        elapsed: Duration,
        rest: Duration,
        can_skip: bool,
    ) -> Self {
        let elapsed = Rounded(elapsed);
        let text = if rest.is_zero() {
            format!("draining: it began {elapsed} ago, so nothing is left of {drain}")
        } else {
            let (rest, skip) = (Rounded(rest), skip(can_skip));
            format!(
                "draining: it began {elapsed} ago, so requests are served for another {rest} of {drain}{skip}"
            )
        };
        Self::drain(LogLevel::Info, text)
    }

    /// The drain and the phases may take longer than the process has.
    pub(crate) fn drain_is_cut_short(drain: Duration, phases: Duration, grace: Duration) -> Self {
        let and_phases = if phases.is_zero() {
            String::new()
        } else {
            format!(", and the shutdown phases {phases:?}")
        };
        let text = format!(
            "the drain takes {drain:?}{and_phases}, but the process is killed {grace:?} after the signal: make the \
             drain shorter, or set HealthBuilder::termination_grace_period to the time between the signal and the kill \
             (default: 30s, as in Kubernetes)"
        );
        Self::drain(LogLevel::Warn, text)
    }

    /// The server may stop.
    pub(crate) fn drain_ends(lasted: Duration, end: &DrainEnd) -> Self {
        let lasted = Rounded(lasted);
        let because = match end {
            DrainEnd::Elapsed => String::new(),
            DrainEnd::Early { told: 0 } => ": no request is active, and no poller asks".to_owned(),
            DrainEnd::Early { told } => {
                format!(": no request is active, and each poller has been told ({told})")
            }
            DrainEnd::Deadline { active, waited_for } => {
                let mut reasons = Vec::new();
                if *active > 0 {
                    reasons.push(format!("active requests: {active}"));
                }
                if !waited_for.is_empty() {
                    reasons.push(format!(
                        "pollers that may not have noticed: {}",
                        waited_for.join("; ")
                    ));
                }
                format!(", the maximum; {}", reasons.join("; "))
            }
            DrainEnd::Skipped => ": a second signal skips the rest".to_owned(),
        };
        Self::drain(LogLevel::Info, format!("drained: the server may stop after {lasted}{because}"))
    }

    /// The last requests are told to end.
    pub(crate) fn deadline_passes(last_call: Duration, active: usize) -> Self {
        let text = format!(
            "the time of the drain is over: the server is dropped in {last_call:?}; active requests: {active}"
        );
        Self::drain(LogLevel::Info, text)
    }

    /// The last requests have not ended.
    pub(crate) fn requests_are_dropped(active: usize) -> Self {
        let text = if active == 0 {
            "the server has not ended in time, though no request is active: connections are open on which it waits, \
             such as one with an incomplete request; they are dropped"
                .to_owned()
        } else {
            format!("requests are dropped, because they have not ended in time: {active}")
        };
        Self::drain(LogLevel::Warn, text)
    }

    /// The server has ended with an error.
    pub(crate) fn server_fails(error: &str) -> Self {
        let text = format!("shutdown: the server failed: {error}");
        Self::new(LogLevel::Error, LogEvent::Shutdown, text)
    }

    /// A shutdown phase has succeeded.
    pub(crate) fn phase_ends(name: &str, took: Duration) -> Self {
        let text = format!("shutdown: {name} took {}", Rounded(took));
        Self::new(LogLevel::Info, LogEvent::Shutdown, text)
    }

    /// A shutdown phase has failed.
    pub(crate) fn phase_fails(name: &str, error: &str) -> Self {
        let text = format!("shutdown: {name} failed: {error}");
        Self::new(LogLevel::Error, LogEvent::Shutdown, text)
    }

    /// The file that begins a drain is there.
    pub(crate) fn drain_file_is_found(path: &Path) -> Self {
        Self::drain(LogLevel::Info, format!("the file {path:?} begins a drain"))
    }

    /// The file that begins a drain was there at the first look.
    pub(crate) fn drain_file_is_old(path: &Path) -> Self {
        let text = format!(
            "the file {path:?}, which begins a drain, is left from earlier: it has no effect until it is touched, or removed \
             and created again"
        );
        Self::drain(LogLevel::Info, text)
    }

    /// The file that begins a drain cannot be looked up; without an error, the file system does not respond.
    pub(crate) fn drain_file_is_unreadable(
        path: &Path,
        error: Option<&str>,
        limit: Duration,
    ) -> Self {
        let because = match error {
            Some(error) => error.to_owned(),
            None => format!("the file system does not respond within {limit:?}"),
        };
        let text = format!(
            "cannot look for the file {path:?}, which begins a drain: {because}; it is tried again every second"
        );
        Self::drain(LogLevel::Warn, text)
    }

    /// Nothing waits for a drain yet.
    #[cfg(all(feature = "signal", unix))]
    pub(crate) fn signal_before_drain(signal: &str) -> Self {
        let text = format!("{signal} before the server served: the process ends without a drain");
        Self::drain(LogLevel::Info, text)
    }

    fn drain(level: LogLevel, text: String) -> Self {
        Self::new(level, LogEvent::Drain, text)
    }
}

fn skip(can_skip: bool) -> &'static str {
    if can_skip { "; a second signal skips the rest" } else { "" }
}

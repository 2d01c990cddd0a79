//! The records of a drain (H20).

use std::time::Duration;

use super::{LogEvent, LogLevel, LogRecord};
use crate::text::Rounded;

impl LogRecord {
    /// The signal has arrived. A future is no signal twice.
    pub(crate) fn drain_begins(delay: Duration, can_skip: bool) -> Self {
        let skip = skip(can_skip);
        let text = format!(
            "draining: the endpoints report it from now on, and requests are served for another {delay:?}{skip}"
        );
        Self::new(LogLevel::Info, LogEvent::Drain, text)
    }

    /// The signal has arrived when the drain had begun.
    pub(crate) fn drain_continues(delay: Duration, elapsed: Duration, can_skip: bool) -> Self {
        let rest = delay.saturating_sub(elapsed);
        let elapsed = Rounded(elapsed);
        let text = if rest.is_zero() {
            format!(
                "draining: it began {elapsed} ago, so nothing is left of the delay of {delay:?}"
            )
        } else {
            let (rest, skip) = (Rounded(rest), skip(can_skip));
            format!(
                "draining: it began {elapsed} ago, so requests are served for another {rest} of {delay:?}{skip}"
            )
        };
        Self::new(LogLevel::Info, LogEvent::Drain, text)
    }

    /// The delay is over.
    pub(crate) fn drain_ends() -> Self {
        Self::info(LogEvent::Drain, "drained: the server may stop")
    }

    /// Nothing waits for a drain yet.
    #[cfg(all(feature = "signal", unix))]
    pub(crate) fn signal_before_drain(signal: &str) -> Self {
        let text = format!("{signal} before the server served: the process ends without a drain");
        Self::new(LogLevel::Info, LogEvent::Drain, text)
    }
}

fn skip(can_skip: bool) -> &'static str {
    if can_skip { "; a second signal skips the delay" } else { "" }
}

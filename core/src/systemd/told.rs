//! What systemd knows, and the message that tells it more.

use std::fmt::Write as _;
use std::time::Duration;

/// What systemd has been told, or should be.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Told {
    pub(super) is_ready: bool,
    pub(super) is_stopping: bool,
    pub(super) status: Option<String>,
}

impl Told {
    /// The message that leads to `known`.
    pub(super) fn until(&self, known: &Self, grace_period: Duration) -> String {
        let mut message = String::new();
        if known.is_ready && !self.is_ready {
            message.push_str("READY=1\n");
        }
        if known.is_stopping && !self.is_stopping {
            let microseconds = u64::try_from(grace_period.as_micros()).unwrap_or(u64::MAX);
            let _ = write!(message, "STOPPING=1\nEXTEND_TIMEOUT_USEC={microseconds}\n");
        }
        if let Some(status) = known.status.as_ref().filter(|_| known.status != self.status) {
            let _ = writeln!(message, "STATUS={status}");
        }
        message
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Told;

    #[test]
    fn a_message_says_what_is_new_and_one_without_news_is_empty() {
        let start = Told::default();
        let ready = Told { is_ready: true, status: Some("ok".to_owned()), ..start.clone() };
        let stops = Told { is_stopping: true, ..ready.clone() };
        let grace = Duration::from_secs(2);
        assert_eq!(start.until(&ready, grace), "READY=1\nSTATUS=ok\n");
        assert_eq!(ready.until(&ready, grace), "");
        assert_eq!(ready.until(&stops, grace), "STOPPING=1\nEXTEND_TIMEOUT_USEC=2000000\n");
        assert_eq!(stops.until(&stops, grace), "");
        let longest = format!("STOPPING=1\nEXTEND_TIMEOUT_USEC={}\n", u64::MAX);
        assert_eq!(ready.until(&stops, Duration::MAX), longest);
    }
}

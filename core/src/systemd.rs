//! Tells systemd how the application fares, by the protocol of `sd_notify(3)`: one datagram per message.

mod environment;
mod notifier;
mod socket;
mod told;

use std::time::Duration;

pub(crate) use self::environment::Environment;
pub(crate) use self::notifier::{Notifier, Turn};

/// Whether systemd is notified: [`Health::notify_systemd`](crate::Health::notify_systemd) returns it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Systemd {
    /// Nothing is sent, because `NOTIFY_SOCKET` is missing or empty: systemd has not started this process, or its unit
    /// has another type than `notify`.
    Absent,
    /// The messages are sent.
    #[non_exhaustive]
    Notified {
        /// The longest time between two pings, which is half of the unit's `WatchdogSec`. `None` without a watchdog for
        /// this process.
        ping_period: Option<Duration>,
    },
}

/// Why systemd cannot be notified.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SystemdError {
    /// The variable `NOTIFY_SOCKET` names no socket.
    #[error("NOTIFY_SOCKET is {value:?}: {rule}")]
    #[non_exhaustive]
    Address {
        /// The value, cut to [`MAX_MESSAGE_LEN`](crate::MAX_MESSAGE_LEN).
        value: String,
        /// What is accepted.
        rule: &'static str,
    },
    /// The variable `WATCHDOG_USEC` or `WATCHDOG_PID` is no number.
    #[error("{name} is {value:?}: it must be a whole number above zero")]
    #[non_exhaustive]
    Number {
        /// The name of the variable.
        name: &'static str,
        /// The value, cut to [`MAX_MESSAGE_LEN`](crate::MAX_MESSAGE_LEN).
        value: String,
    },
    /// The system cannot create a socket.
    #[error("cannot create a socket to notify systemd: {error}")]
    #[non_exhaustive]
    Socket {
        /// The error of the system.
        error: String,
    },
    /// This process already notifies systemd, which expects one state of a process.
    #[error("this process already notifies systemd: call it once, for one `Health`")]
    AlreadyNotified,
}

//! What can be wrong: the columns of the matrix.

use std::time::Duration;

use health_interop::fault::Fault;

use crate::row::PERIOD;
use crate::scene::Actions;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Case {
    Up,
    Refused,
    Silent,
    HalfOpen,
    Reset,
    Cut,
    Frozen,
    Restarted,
    WrongPassword,
    PasswordChanged,
    PoolBusy,
    PoolStuck,
    /// Read-only, blocked or full.
    NoWrites,
    /// A name, file or service that is no longer there.
    Gone,
    Slow,
}

impl Case {
    pub(crate) const ALL: [Self; 15] = [
        Self::Up,
        Self::Refused,
        Self::Silent,
        Self::HalfOpen,
        Self::Reset,
        Self::Cut,
        Self::Frozen,
        Self::Restarted,
        Self::WrongPassword,
        Self::PasswordChanged,
        Self::PoolBusy,
        Self::PoolStuck,
        Self::NoWrites,
        Self::Gone,
        Self::Slow,
    ];

    /// The name in results.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Refused => "refused",
            Self::Silent => "silent",
            Self::HalfOpen => "half-open",
            Self::Reset => "reset",
            Self::Cut => "cut",
            Self::Frozen => "frozen",
            Self::Restarted => "restarted",
            Self::WrongPassword => "wrong password",
            Self::PasswordChanged => "password changed",
            Self::PoolBusy => "pool busy",
            Self::PoolStuck => "pool stuck",
            Self::NoWrites => "no writes",
            Self::Gone => "gone",
            Self::Slow => "slow",
        }
    }

    /// The longest time that a test may take. What is slow needs more of it, so that a busy machine is not what makes it
    /// fail.
    pub(crate) fn timeout(self) -> Duration {
        match self {
            Self::Slow => Duration::from_secs(3),
            _ => Duration::from_secs(1),
        }
    }

    /// What the proxies do.
    pub(crate) fn fault(self) -> Option<Fault> {
        Some(match self {
            Self::Refused => Fault::Refuse,
            Self::Silent => Fault::Silent,
            Self::HalfOpen => Fault::HalfOpen,
            Self::Reset => Fault::Reset,
            Self::Cut => Fault::Cut,
            Self::Slow => Fault::Slow(self.timeout() * 9 / 10),
            _ => return None,
        })
    }

    /// What the manager of the servers is asked for, and how it is undone.
    pub(crate) fn actions(self) -> Option<Actions> {
        Some(match self {
            Self::Frozen => (&["freeze"], &["thaw"]),
            Self::Restarted => (&["restart"], &[]),
            Self::PasswordChanged => (&["password", "second"], &["password", "first"]),
            _ => return None,
        })
    }

    /// The time between two tests while the fault lasts.
    pub(crate) fn period(self) -> Duration {
        match self {
            Self::Up => Duration::ZERO,
            // A pool still waits for the last response of a connection that was returned.
            Self::Slow => self.timeout(),
            _ => PERIOD,
        }
    }

    /// How often an indicator is tested while the fault lasts.
    pub(crate) fn tests(self) -> u32 {
        match self {
            Self::Up => 20,
            Self::Slow => 2,
            _ => 3,
        }
    }
}

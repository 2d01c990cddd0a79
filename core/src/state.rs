//! What an endpoint can find the application in, and what it can say.

use std::fmt;

/// What an endpoint finds the application in. The gravest is the greatest, and of several that hold at once
/// the gravest counts (H17).
///
/// Not open for additions: what each endpoint says in each state is complete by type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// Nothing fails, as far as was asked.
    Ok,
    /// Nothing fails but what is optional (H13).
    Degraded,
    /// Something fails that the application needs (H6), or its start has failed (H18).
    Failing,
    /// A start-up latch is not released yet (H18).
    Starting,
    /// An operator keeps traffic away: by the disablefile (H4), the switch or another source (H19).
    Maintenance,
    /// The process is about to end (H20).
    Draining,
}

impl State {
    /// Every state, the least grave first.
    pub const ALL: [Self; 6] = [
        Self::Ok,
        Self::Degraded,
        Self::Failing,
        Self::Starting,
        Self::Maintenance,
        Self::Draining,
    ];

    /// Its name in lower case: `ok`, `degraded`, `failing`, `starting`, `maintenance`, `draining`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Degraded => "degraded",
            Self::Failing => "failing",
            Self::Starting => "starting",
            Self::Maintenance => "maintenance",
            Self::Draining => "draining",
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The body of an answer. None occurs in another, so that a poller may look for one (H16).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Body {
    /// `OK`
    Ok,
    /// `DEGRADED`
    Degraded,
    /// `ERROR`
    Error,
    /// `STARTING`
    Starting,
    /// `MAINTENANCE`
    Maintenance,
    /// `DRAINING`
    Draining,
}

impl Body {
    /// The word as it is sent.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "OK",
            Self::Degraded => "DEGRADED",
            Self::Error => "ERROR",
            Self::Starting => "STARTING",
            Self::Maintenance => "MAINTENANCE",
            Self::Draining => "DRAINING",
        }
    }

    /// Its length, as text.
    pub(crate) fn length(self) -> &'static str {
        match self {
            Self::Ok => "2",
            Self::Error => "5",
            Self::Degraded | Self::Starting | Self::Draining => "8",
            Self::Maintenance => "11",
        }
    }
}

impl fmt::Display for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::{Body, State};

    const WORDS: [Body; 6] = [
        Body::Ok,
        Body::Degraded,
        Body::Error,
        Body::Starting,
        Body::Maintenance,
        Body::Draining,
    ];

    #[test]
    fn no_word_occurs_in_another_and_each_knows_its_length() {
        for word in WORDS {
            assert_eq!(word.length(), word.as_str().len().to_string());
            let inside = |other: &Body| word != *other && other.as_str().contains(word.as_str());
            assert!(!WORDS.iter().any(inside), "{word}");
        }
    }

    #[test]
    fn of_two_states_the_graver_is_the_greater() {
        assert!(State::ALL.is_sorted());
        assert_eq!(State::ALL.iter().max(), Some(&State::Draining));
    }
}

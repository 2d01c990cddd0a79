//! The state of an application, and the body that reports it.

use std::fmt;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::sync::Weak;

use crate::text::names;

/// The state of the application, as an endpoint sees it. States are ordered by gravity; if several apply, the
/// gravest wins ([H17](crate::contract#h17)).
///
/// The enum is exhaustive on purpose: every endpoint defines a response for every state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// No check has failed, or none was asked for.
    Ok,
    /// Only optional checks ([H13](crate::contract#h13)) or shared ones ([H22](crate::contract#h22)) fail, or a check is
    /// degraded ([H23](crate::contract#h23)).
    Degraded,
    /// A required check fails ([H6](crate::contract#h6)), the return from that is
    /// [delayed](crate::Endpoint::recovery_delay), or the start has failed ([H18](crate::contract#h18)).
    Failing,
    /// A start-up latch is not yet released ([H18](crate::contract#h18)).
    Starting,
    /// An operator keeps traffic away with the disablefile ([H4](crate::contract#h4)), the switch or another source
    /// ([H19](crate::contract#h19)).
    Maintenance,
    /// The process is about to stop ([H20](crate::contract#h20)).
    Draining,
}

names!(State, "state", {
    Ok => "ok",
    Degraded => "degraded",
    Failing => "failing",
    Starting => "starting",
    Maintenance => "maintenance",
    Draining => "draining",
});

/// Learns that the program has changed something that states follow from.
pub(crate) trait FollowsStates: Send + Sync {
    fn state_may_have_changed(&self);
}

/// Announces that the program has changed something that states follow from. The default has no
/// follower.
#[derive(Clone, Default)]
pub(crate) struct StateChanges(Option<Weak<dyn FollowsStates>>);

/// A panic leaves what follows as it was.
impl UnwindSafe for StateChanges {}
impl RefUnwindSafe for StateChanges {}

impl StateChanges {
    pub(crate) fn to(follower: Weak<dyn FollowsStates>) -> Self {
        Self(Some(follower))
    }

    /// Call it after the change, and without a lock: the follower wakes tasks of the application.
    pub(crate) fn announce(&self) {
        if let Some(follower) = self.0.as_ref().and_then(Weak::upgrade) {
            follower.state_may_have_changed();
        }
    }
}

impl fmt::Debug for StateChanges {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StateChanges")
    }
}

/// The body of a response. No body contains another, so a poller can match on it ([H16](crate::contract#h16)).
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

names!(Body, "body", {
    Ok => "OK",
    Degraded => "DEGRADED",
    Error => "ERROR",
    Starting => "STARTING",
    Maintenance => "MAINTENANCE",
    Draining => "DRAINING",
});

impl Body {
    /// The length in bytes, as text.
    pub(crate) const fn length(self) -> &'static str {
        match self {
            Self::Ok => "2",
            Self::Error => "5",
            Self::Degraded | Self::Starting | Self::Draining => "8",
            Self::Maintenance => "11",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Body, State};

    #[test]
    fn no_body_contains_another_and_each_knows_its_length() {
        for body in Body::ALL {
            assert_eq!(body.length(), body.as_str().len().to_string());
            let contains = |other: &Body| body != *other && other.as_str().contains(body.as_str());
            assert!(!Body::ALL.iter().any(contains), "{body}");
        }
    }

    #[test]
    fn of_two_states_the_graver_is_the_greater() {
        assert!(State::ALL.is_sorted());
        assert_eq!(State::ALL.iter().max(), Some(&State::Draining));
    }

    #[test]
    fn a_name_reads_back_and_any_other_text_is_refused_with_the_names_there_are() {
        for state in State::ALL {
            assert_eq!(state.to_string().parse(), Ok(state));
        }
        for text in ["", "OK", "ok ", "up"] {
            let error = text.parse::<State>().unwrap_err().to_string();
            assert_eq!(
                error,
                format!(
                    "{text:?} is not a state: accepted are ok, degraded, failing, starting, maintenance, draining"
                )
            );
        }
    }
}

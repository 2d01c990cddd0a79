//! What can be wrong with the description of an endpoint.

use std::time::Duration;

use crate::config::ConfigError;

/// Why an endpoint could not be built.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// A setting was refused. [`HealthBuilder::build`](crate::HealthBuilder::build) is handed settings that were checked before: this
    /// is for functions that read settings and build.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// Two checks were registered under one name, so that their results could not be told apart.
    #[error(
        "two checks are named {name:?}: give each its own name \
         (an event subscriber may report one name several times)"
    )]
    DuplicateCheck {
        /// The name.
        name: String,
    },
    /// A check's name is empty, longer than 128 characters, or holds a control character.
    #[error(
        "the name {name:?} of a check is refused: it must have 1 to 128 characters, none of them a \
         control character"
    )]
    CheckName {
        /// The name, cut to [`TEXT_LIMIT`](crate::TEXT_LIMIT).
        name: String,
    },
    /// A check has a deadline of zero, so that it could only be late.
    #[error("the deadline of the check {name:?} is zero: it must be longer (H12)")]
    ZeroDeadline {
        /// The check's name.
        name: String,
    },
    /// A background check has a period of zero, so that it would never rest.
    #[error("the period of the check {name:?} is zero: it must be longer (H14)")]
    ZeroPeriod {
        /// The check's name.
        name: String,
    },
    /// A background check would be due again before its deadline is over.
    #[error(
        "the check {name:?} is to run every {period:?}, which is less than its deadline of \
         {deadline:?}: make the period longer or the deadline shorter (H14)"
    )]
    ShortPeriod {
        /// The check's name.
        name: String,
        /// Its period.
        period: Duration,
        /// Its deadline.
        deadline: Duration,
    },
    /// A check has a threshold of zero, which no number of results in a row could reach.
    #[error("a threshold of the check {name:?} is zero: it must be 1 or more (H15)")]
    ZeroThreshold {
        /// The check's name.
        name: String,
    },
    /// A bound of the endpoint is zero, so that no check could run, or no look could end.
    #[error("{bound} is zero: it must be more")]
    ZeroBound {
        /// The method of [`HealthBuilder`](crate::HealthBuilder) that sets it.
        bound: &'static str,
    },
}

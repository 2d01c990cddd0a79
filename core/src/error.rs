//! What can be wrong with the description of an endpoint.

use std::fmt;
use std::time::Duration;

use crate::config::{ConfigError, ConfigRule};
use crate::state::{Body, State};

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
        /// The name, cut to [`MAX_MESSAGE_LEN`](crate::MAX_MESSAGE_LEN).
        name: String,
    },
    /// A check has a timeout of zero, so that it could only be late.
    #[error("the timeout of the check {name:?} is zero: it must be longer")]
    ZeroTimeout {
        /// The check's name.
        name: String,
    },
    /// A background check has a period of zero, so that it would never rest.
    #[error("the period of the check {name:?} is zero: it must be longer")]
    ZeroPeriod {
        /// The check's name.
        name: String,
    },
    /// A background check would be due again before its timeout is over.
    #[error(
        "the check {name:?} is to run every {period:?}, which is less than its timeout of \
         {timeout:?}: make the period longer or the timeout shorter"
    )]
    ShortPeriod {
        /// The check's name.
        name: String,
        /// Its period.
        period: Duration,
        /// Its timeout.
        timeout: Duration,
    },
    /// A check has a threshold of zero, which no number of results in a row could reach.
    #[error("a threshold of the check {name:?} is zero: it must be 1 or more")]
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
    /// Two endpoints have one path.
    #[error("two endpoints are at {path:?}: each needs a path of its own")]
    DuplicatePath {
        /// The path.
        path: String,
    },
    /// The path of an endpoint is refused.
    #[error("the path {path:?} of an endpoint is refused: {rule}")]
    EndpointPath {
        /// The path.
        path: String,
        /// The rule it breaks.
        rule: ConfigRule,
    },
    /// A code of an endpoint cannot be sent.
    #[error("the endpoint at {path:?} cannot answer {code} in the state {state}: {rule}")]
    EndpointCode {
        /// The endpoint's path.
        path: String,
        /// The state it was to stand for.
        state: State,
        /// The code.
        code: u16,
        /// The rule it breaks.
        rule: ConfigRule,
    },
    /// What an endpoint is to say in a state would be misunderstood.
    #[error("the endpoint at {path:?} cannot say {code} {word} in the state {state}: {why}")]
    ContradictingCode {
        /// The endpoint's path.
        path: String,
        /// The state.
        state: State,
        /// The code.
        code: u16,
        /// The body.
        word: Body,
        /// What is wrong with them.
        why: &'static str,
    },
    /// A state was to be ignored that is for the checks to say.
    #[error(
        "the endpoint at {path:?} cannot ignore {state}, only starting, maintenance and draining"
    )]
    IgnoredState {
        /// The endpoint's path.
        path: String,
        /// The state.
        state: State,
    },
    /// An endpoint names a check that there is not.
    #[error(
        "the endpoint at {path:?} names the check {name:?}, which does not exist; {}",
        Known("check", known)
    )]
    UnknownCheck {
        /// The endpoint's path.
        path: String,
        /// The name.
        name: String,
        /// The names of all checks, in the order of their registration.
        known: Vec<String>,
    },
    /// An endpoint was given a choice of checks with nothing in it.
    #[error(
        "the endpoint at {path:?} is to run only checks of an empty list: if it is to run none, say \
         Endpoint::no_checks"
    )]
    EmptyChoice {
        /// The endpoint's path.
        path: String,
    },
    /// An endpoint names a tag that no check has.
    #[error(
        "the endpoint at {path:?} names the tag {tag:?}, which no check has; {}",
        Known("tag", known)
    )]
    UnknownTag {
        /// The endpoint's path.
        path: String,
        /// The tag.
        tag: String,
        /// The tags of all checks, sorted.
        known: Vec<String>,
    },
    /// A liveness endpoint would have this process restarted for the failure of another.
    #[error(
        "the liveness endpoint at {path:?} would run the check {name:?} of a dependency, whose failure no \
         restart mends: leave it out, mark it Check::process_only, or allow it by \
         Endpoint::allow_dependency; a subscriber has a name by Check::subscriber"
    )]
    DependencyInLiveness {
        /// The endpoint's path.
        path: String,
        /// The check's name.
        name: String,
    },
    /// A start-up latch's name is empty, longer than 128 characters, or holds a control character.
    #[error(
        "the name {name:?} of a start-up latch is refused: it must have 1 to 128 characters, none of them \
         a control character"
    )]
    LatchName {
        /// The name, cut to [`MAX_MESSAGE_LEN`](crate::MAX_MESSAGE_LEN).
        name: String,
    },
    /// Two start-up latches have one name, or one was added twice.
    #[error("two start-up latches are named {name:?}: give each its own name, and add it once")]
    DuplicateLatch {
        /// The name.
        name: String,
    },
}

/// The names there are, of one kind, for an error about another.
struct Known<'a>(&'static str, &'a [String]);

/// How many names an error lists.
const LISTED: usize = 20;

impl fmt::Display for Known<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(kind, names) = self;
        let Some((first, others)) = names.split_first() else {
            return write!(f, "there is no {kind}");
        };
        write!(f, "the {kind}s are {first:?}")?;
        for name in others.iter().take(LISTED - 1) {
            write!(f, ", {name:?}")?;
        }
        match names.len().saturating_sub(LISTED) {
            0 => Ok(()),
            more => write!(f, " and {more} more"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Known;

    #[test]
    fn an_error_about_an_unknown_name_lists_the_names_there_are() {
        let names = |count: usize| (0..count).map(|n| n.to_string()).collect::<Vec<_>>();
        assert_eq!(Known("tag", &names(0)).to_string(), "there is no tag");
        assert_eq!(Known("tag", &names(1)).to_string(), r#"the tags are "0""#);
        assert_eq!(
            Known("check", &names(2)).to_string(),
            r#"the checks are "0", "1""#
        );
        let all = Known("check", &names(20)).to_string();
        assert!(all.ends_with(r#""18", "19""#), "{all}");
        let many = Known("check", &names(22)).to_string();
        assert!(many.ends_with(r#""18", "19" and 2 more"#), "{many}");
    }
}

//! The finding of a scenario.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::judge::{Mismatch, clip};
use crate::scenario::Start;
use crate::scenario::marker::MarkerError;

/// The finding of a scenario, before its level is considered.
#[derive(Debug, Clone)]
pub(crate) enum Finding {
    Passed,
    Failed(Vec<Failure>),
    Skipped(String),
}

impl Finding {
    pub(crate) fn of(failures: Vec<Failure>) -> Self {
        if failures.is_empty() { Self::Passed } else { Self::Failed(failures) }
    }

    pub(crate) fn add(&mut self, failure: Failure) {
        match self {
            Self::Failed(failures) => failures.push(failure),
            Self::Passed | Self::Skipped(_) => *self = Self::Failed(vec![failure]),
        }
    }

    /// Whether log records or starts of checks are not as expected.
    pub(crate) fn is_about_lines(&self) -> bool {
        let Self::Failed(failures) = self else {
            return false;
        };
        failures.iter().flat_map(|failure| &failure.mismatches).any(Mismatch::is_about_lines)
    }

    /// Whether a request got no response.
    pub(crate) fn is_without_answer(&self) -> bool {
        match self {
            Self::Failed(failures) => failures.iter().any(Failure::is_without_answer),
            Self::Passed | Self::Skipped(_) => false,
        }
    }
}

/// The mismatches at one moment of a scenario.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Failure {
    moment: String,
    pub(crate) mismatches: Vec<Mismatch>,
}

impl Failure {
    /// A server that should have been ready, or should have rejected its settings, and did neither.
    pub(crate) fn of_start(start: Start, what: impl Into<String>) -> Self {
        let expected = match start {
            Start::Ready => "a server that starts",
            Start::Refused => "an error on standard error, and an exit code other than 0",
        };
        Self {
            moment: "the start".to_owned(),
            mismatches: vec![Mismatch::new("server", expected, what)],
        }
    }

    pub(crate) fn of_marker(moment: &str, error: &MarkerError) -> Self {
        Self {
            moment: format!("{moment}, before it was sent"),
            mismatches: vec![Mismatch::new("marker", "in place", error.to_string())],
        }
    }

    /// Returns `None` if there are no mismatches.
    pub(crate) fn unless_empty(moment: &str, mismatches: Vec<Mismatch>) -> Option<Self> {
        (!mismatches.is_empty()).then(|| Self { moment: moment.to_owned(), mismatches })
    }

    pub(crate) fn is_without_answer(&self) -> bool {
        self.mismatches.iter().any(|mismatch| mismatch.field == "response")
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "  at {}", self.moment)?;
        for Mismatch { field, expected, got } in &self.mismatches {
            writeln!(f, "    {field}")?;
            writeln!(f, "      expected {expected}")?;
            writeln!(f, "      got      {}", excerpt(field, got))?;
        }
        Ok(())
    }
}

/// A body without the bulk of a page of HTML; any other value as it is.
fn excerpt<'a>(field: &str, value: &'a str) -> Cow<'a, str> {
    const SHOWN: usize = 200;
    if field == "body" { clip(value, SHOWN) } else { value.into() }
}

/// The first difference, and the number of others.
pub(crate) fn brief(failures: &[Failure]) -> String {
    let mut mismatches = failures.iter().flat_map(|failure| &failure.mismatches);
    let Some(Mismatch { field, expected, got }) = mismatches.next() else {
        return String::new();
    };
    let first = format!("{field} is {}, not {expected}", excerpt(field, got));
    match mismatches.count() {
        0 => first,
        more => format!("{first}, and {more} more"),
    }
}

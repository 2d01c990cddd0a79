//! The rules of the contract that scenarios cite.

use std::fmt;

use serde::Deserialize;

/// A rule of the contract.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// `H1` to `H27`.
    pub id: String,
    /// Its title in the contract.
    pub title: String,
    /// The rule in a sentence.
    pub sentence: String,
    /// Why the rule matters to pollers and operators.
    pub why: String,
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.id, self.title, self.sentence)
    }
}

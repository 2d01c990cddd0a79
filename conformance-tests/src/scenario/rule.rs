//! The rules of the contract that scenarios cite.

use std::fmt;

use serde::Deserialize;

/// A rule of the contract, by its number.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// `H1` to `H21`.
    pub id: String,
    /// Its name in the contract.
    pub title: String,
    /// What it asks, in a sentence.
    pub sentence: String,
    /// Why pollers, or those who run them, care.
    pub why: String,
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.id, self.title, self.sentence)
    }
}

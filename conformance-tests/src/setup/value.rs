//! Values that a check reports (H23).

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};

/// A value that a check reports, with its unit.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Value {
    /// Its name, without the unit.
    pub name: String,
    /// The number.
    pub number: Number,
    /// The unit.
    pub unit: Unit,
}

/// The unit of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// A number of things.
    Count,
    /// Bytes.
    Bytes,
    /// Seconds.
    Seconds,
    /// A part of the whole.
    Ratio,
}

/// A number, ordered as by [`f64::total_cmp`].
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Number(pub f64);

impl Ord for Number {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.total_cmp(&other.0)
    }
}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Number {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Number {}

impl Value {
    /// The key of the value in the log.
    pub(crate) fn key(&self) -> String {
        let name = &self.name;
        match self.unit {
            Unit::Count => name.clone(),
            Unit::Bytes => format!("{name}_bytes"),
            Unit::Seconds => format!("{name}_seconds"),
            Unit::Ratio => format!("{name}_ratio"),
        }
    }

    /// Whether the name is accepted. Numbers in TOML and JSON are finite.
    pub(crate) fn is_accepted(&self) -> bool {
        let mut characters = self.name.chars();
        (1..=64).contains(&self.name.len())
            && characters.next().is_some_and(|first| first.is_ascii_lowercase())
            && characters.all(|other| matches!(other, 'a'..='z' | '0'..='9' | '_'))
    }
}

/// Whether the text is accepted as a reason.
pub(crate) fn is_reason(text: &str) -> bool {
    (1..=32).contains(&text.len())
        && text.chars().all(|other| matches!(other, 'a'..='z' | '0'..='9' | '_' | '-'))
}

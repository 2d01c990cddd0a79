//! A number that a check reports: how much is free, how long a queue is.

use std::borrow::Cow;

use crate::text::names;

/// The unit of a [`Value`]: the base units of Prometheus and OpenMetrics, so that a value is valid in every format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Unit {
    /// A number of things.
    Count,
    /// Bytes.
    Bytes,
    /// Seconds.
    Seconds,
    /// A part of the whole, from 0 to 1.
    Ratio,
}

names!(Unit, "unit", {
    Count => "count",
    Bytes => "bytes",
    Seconds => "seconds",
    Ratio => "ratio",
});

/// A named number that a check has reported with [`CheckResult::value`](crate::CheckResult::value).
#[derive(Debug, Clone, PartialEq)]
pub struct Value {
    pub(super) name: Cow<'static, str>,
    /// Finite.
    pub(super) number: f64,
    pub(super) unit: Unit,
}

/// The number is never NaN.
impl Eq for Value {}

impl Value {
    /// The name, without the unit.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The number. It is neither NaN nor infinite.
    pub fn number(&self) -> f64 {
        self.number
    }

    /// The unit.
    pub fn unit(&self) -> Unit {
        self.unit
    }

    /// The name with the unit, as metrics have it: `free_bytes`.
    pub(crate) fn full_name(&self) -> Cow<'_, str> {
        match self.unit {
            Unit::Count => Cow::Borrowed(&self.name),
            unit => Cow::Owned(format!("{}_{unit}", self.name)),
        }
    }
}

/// The maximum length of a name in characters.
const MAX_VALUE_NAME_LEN: usize = 64;

/// Whether metrics accept `text` as a part of a name.
pub(super) fn is_value_name(text: &str) -> bool {
    let is_accepted = |byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_');
    text.len() <= MAX_VALUE_NAME_LEN
        && text.starts_with(|first: char| first.is_ascii_lowercase())
        && text.bytes().all(is_accepted)
}

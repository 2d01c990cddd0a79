//! The error for a rejected setting (H11).

use std::fmt;

use super::odd::odd_text;
use super::rules::ConfigRule;

/// A setting was rejected.
///
/// [`Display`](fmt::Display) shows its key, its value, the rule that the value breaks, and a likely cause, such as a
/// carriage return at the end of the value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    key: String,
    value: String,
    rule: ConfigRule,
}

impl ConfigError {
    pub(crate) fn new(key: &str, value: &str, rule: ConfigRule) -> Self {
        Self { key: key.to_owned(), value: value.to_owned(), rule }
    }

    /// The key as it was written, such as `healthcheck.url` or `HEALTHCHECK_URL`.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The value as it was written. Bytes that are not UTF-8 are replaced by `U+FFFD`.
    pub fn value(&self) -> &str {
        &self.value
    }

    /// The rule that the setting breaks.
    pub fn rule(&self) -> &ConfigRule {
        &self.rule
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { key, value, rule } = self;
        let odd_key = odd_text(key);
        if odd_key.is_empty() && !key.contains(char::is_control) {
            f.write_str(key)?;
        } else {
            write!(f, "{key:?}")?;
        }
        write!(f, " = {value:?} is refused: {rule}")?;
        for clause in odd_key {
            write!(f, "; of the key: {clause}")?;
        }
        for clause in odd_text(value) {
            write!(f, "; of the value: {clause}")?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigError {}

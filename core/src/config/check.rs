//! Settings of single checks. They refer to checks by name until the endpoints are built (H11).

use std::time::Duration;

use super::ConfigError;
use super::rules::ConfigRule;
use super::setting::{CheckName, CheckSetting};

/// One setting of one check, as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OfCheck {
    pub(super) check: CheckName,
    pub(crate) setting: CheckSetting,
    pub(crate) value: Duration,
    pub(super) key: String,
    pub(super) text: String,
}

impl OfCheck {
    /// The index of its check in `names`. `None` if a variable names no check, because other programs share the
    /// environment.
    ///
    /// # Errors
    ///
    /// A key names no check, or a variable matches several checks.
    pub(crate) fn find(&self, names: &[String]) -> Result<Option<usize>, ConfigError> {
        let mut found = (0..names.len()).filter(|&number| self.check.is_of(&names[number]));
        let first = found.next();
        let second = found.next();
        let refuse = |rule| Err(ConfigError::new(&self.key, &self.text, rule));
        match (&self.check, first, second) {
            (CheckName::Exact(_), None, _) => {
                refuse(ConfigRule::UnknownCheck { known: names.to_vec() })
            }
            (CheckName::Variable(_), Some(first), Some(second)) => {
                let checks = [first, second].map(|number| names[number].clone());
                refuse(ConfigRule::AmbiguousVariable { checks: checks.into() })
            }
            (_, found, _) => Ok(found),
        }
    }

    /// The key or variable as it was written.
    pub(crate) fn key(&self) -> &str {
        &self.key
    }
}

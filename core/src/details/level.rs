//! How much an endpoint shows (H29).

use super::tokens::BearerTokens;

/// How much an endpoint shows besides its word ([H29](crate::contract#h29)). Levels are ordered: each shows more than the one
/// before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[non_exhaustive]
pub enum DetailLevel {
    /// Only the word.
    #[default]
    None,
    /// The names of checks and latches, states, reasons, times and durations. No text that a check reports is shown; its
    /// reference stands for it, which the log has, too.
    States,
    /// Everything: messages, values, links, the version of the program. These can contain secrets.
    Full,
}

/// What an endpoint shows to which reader.
#[derive(Debug, Clone, Default)]
pub(crate) struct EndpointDetails {
    /// For every reader.
    pub(crate) level: DetailLevel,
    /// The readers with one of these see everything.
    pub(crate) tokens: Option<BearerTokens>,
    /// Whether it shows the metrics of the whole application, and nothing else.
    #[cfg(feature = "metrics")]
    pub(crate) is_metrics: bool,
}

impl EndpointDetails {
    /// Whether no reader is shown anything.
    pub(crate) fn is_none(&self) -> bool {
        self.level == DetailLevel::None && self.tokens.is_none()
    }

    /// The level for a request with these lines of `Authorization`. A token that is not valid, and a missing one, make no
    /// difference.
    pub(crate) fn level_for(&self, authorization: &[&[u8]]) -> DetailLevel {
        match &self.tokens {
            Some(tokens) if tokens.accept(authorization) => DetailLevel::Full,
            _ => self.level,
        }
    }
}

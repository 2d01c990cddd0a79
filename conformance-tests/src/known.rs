//! Known failures: what a server cannot do, and why, as data.

use serde::Deserialize;
use wildmatch::WildMatch;

/// Scenarios that a server is known to fail, each with the reason.
///
/// ```toml
/// [[known]]
/// scenario = "method/unknown-*"         # an id, or a pattern in which `*` stands for any text
/// fields = ["status", "body", "header"] # what may differ; "header" stands for every header
/// reason = "the framework answers 400 to a method it does not know, before any route"
/// ```
///
/// What differs beside the fields is a failure as ever. An entry that matches no scenario, or one that passes, is a failure itself: it is out of date.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KnownFailures {
    pub(crate) entries: Vec<KnownFailure>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct KnownFailure {
    pub(crate) scenario: String,
    pub(crate) fields: Vec<String>,
    pub(crate) reason: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct KnownFile {
    #[serde(default)]
    known: Vec<KnownFailure>,
}

/// A file of known failures that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("known failures: {0}")]
pub struct KnownError(String);

impl KnownFailures {
    /// Reads the TOML of a file of known failures.
    ///
    /// # Errors
    ///
    /// Not this format, or an entry without a reason.
    pub fn parse(text: &str) -> Result<Self, KnownError> {
        let entries = toml::from_str::<KnownFile>(text)
            .map_err(|error| KnownError(error.to_string()))?
            .known;
        match entries.iter().find(|entry| entry.reason.trim().is_empty()) {
            Some(entry) => Err(KnownError(format!(
                "the entry for {:?} has no reason",
                entry.scenario
            ))),
            None => Ok(Self { entries }),
        }
    }

    /// The entry for `id`.
    pub(crate) fn entry(&self, id: &str) -> Option<&KnownFailure> {
        self.entries.iter().find(|entry| entry.matches(id))
    }
}

impl KnownFailure {
    pub(crate) fn matches(&self, id: &str) -> bool {
        WildMatch::new(&self.scenario).matches(id)
    }

    /// Whether a difference in `field` is known.
    pub(crate) fn covers(&self, field: &str) -> bool {
        let kind = field.split(' ').next();
        self.fields
            .iter()
            .any(|known| known == field || Some(known.as_str()) == kind)
    }
}

#[cfg(test)]
mod tests {
    use super::KnownFailures;

    #[test]
    fn a_pattern_covers_the_scenarios_it_matches() {
        let file = "[[known]]\nscenario = 'method/unknown-*'\nfields = ['header']\nreason = 'why'";
        let known = KnownFailures::parse(file).unwrap();
        let entry = known.entry("method/unknown-token").unwrap();
        assert!(entry.covers("header content-type"));
        assert!(!entry.covers("status"));
        assert_eq!(known.entry("method/get"), None);
    }

    #[test]
    fn an_entry_without_a_reason_or_with_an_unknown_key_is_refused() {
        for file in [
            "[[known]]\nscenario = 'a'\nfields = ['log']\nreason = ' '",
            "[[known]]\nscenario = 'a'\nfields = ['log']",
            "[[known]]\nscenario = 'a'\nreason = 'r'",
            "[[known]]\nscenario = 'a'\nfields = ['log']\nreason = 'r'\nissue = 1",
            "[[know]]\nscenario = 'a'\nfields = ['log']\nreason = 'r'",
        ] {
            assert!(KnownFailures::parse(file).is_err(), "{file}");
        }
    }
}

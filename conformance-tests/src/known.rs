//! Known failures: what a server cannot do, and why, as data.

use serde::Deserialize;
use wildmatch::WildMatch;

use crate::capability::{Capability, Lacks};
use crate::judge::FIELDS;
use crate::scenario::Suite;

/// Scenarios that a server is known to fail, and capabilities that it lacks, each with the reason.
///
/// ```toml
/// [[known]]
/// scenario = "method/unknown-*"         # an id, or a pattern in which `*` stands for any text
/// fields = ["status", "body", "header"] # what may differ; "header" stands for every header
/// reason = "the framework answers 400 to a method it does not know, before any route"
///
/// [[lacks]]
/// capability = "reason"                 # log, checks, reason, panic
/// reason = "the framework has no way to set a reason phrase"
/// ```
///
/// The fields are the words before what is expected and got in a report. What differs beside them is a
/// failure as ever, and so is an entry whose scenario passes: it is out of date.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KnownFailures {
    pub(crate) entries: Vec<KnownFailure>,
    pub(crate) lacks: Lacks,
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
struct Lack {
    capability: Capability,
    reason: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct KnownFile {
    #[serde(default)]
    known: Vec<KnownFailure>,
    #[serde(default)]
    lacks: Vec<Lack>,
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
    /// Not this format; an entry without a reason, or about a field that there is not; a pattern that
    /// matches no scenario of `suite`.
    pub fn parse(text: &str, suite: &Suite) -> Result<Self, KnownError> {
        let file: KnownFile =
            toml::from_str(text).map_err(|error| KnownError(error.to_string()))?;
        for entry in &file.known {
            entry.check(suite)?;
        }
        let mut lacks = Lacks::new();
        for Lack { capability, reason } in file.lacks {
            if reason.trim().is_empty() {
                let problem = format!("the lack of {:?} has no reason", capability.to_string());
                return Err(KnownError(problem));
            }
            lacks.insert(capability, reason);
        }
        Ok(Self {
            entries: file.known,
            lacks,
        })
    }

    /// The entry for `id`.
    pub(crate) fn entry(&self, id: &str) -> Option<&KnownFailure> {
        self.entries.iter().find(|entry| entry.matches(id))
    }
}

impl KnownFailure {
    fn check(&self, suite: &Suite) -> Result<(), KnownError> {
        let problem = |problem: String| {
            Err(KnownError(format!(
                "the entry for {:?} {problem}",
                self.scenario
            )))
        };
        if self.reason.trim().is_empty() {
            return problem("has no reason".to_owned());
        }
        if !suite
            .scenarios()
            .any(|scenario| self.matches(scenario.id()))
        {
            return problem("matches no scenario".to_owned());
        }
        let is_unknown = |field: &&String| !FIELDS.contains(&kind(field));
        match self.fields.iter().find(is_unknown) {
            Some(field) => problem(format!(
                "has the field {field:?}, which is none of {}",
                FIELDS.join(", ")
            )),
            None => Ok(()),
        }
    }

    pub(crate) fn matches(&self, id: &str) -> bool {
        WildMatch::new(&self.scenario).matches(id)
    }

    /// Whether a difference in `field` is known.
    pub(crate) fn covers(&self, field: &str) -> bool {
        self.fields
            .iter()
            .any(|known| known == field || known == kind(field))
    }
}

/// The first word of a field: `header` of `header content-type`.
fn kind(field: &str) -> &str {
    field.split(' ').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::KnownFailures;
    use crate::capability::Capability;
    use crate::scenario::Suite;

    fn parse(file: &str) -> Result<KnownFailures, String> {
        KnownFailures::parse(file, &Suite::builtin().unwrap()).map_err(|error| error.to_string())
    }

    #[test]
    fn a_pattern_covers_the_scenarios_it_matches() {
        let file = "[[known]]\nscenario = 'method/unknown-*'\nfields = ['header']\nreason = 'why'";
        let known = parse(file).unwrap();
        let entry = known.entry("method/unknown-token").unwrap();
        assert!(entry.covers("header content-type"));
        assert!(!entry.covers("status"));
        assert_eq!(known.entry("method/get"), None);
    }

    #[test]
    fn a_lack_is_read_with_its_reason() {
        let known = parse("[[lacks]]\ncapability = 'reason'\nreason = 'why'").unwrap();
        assert_eq!(known.lacks[&Capability::Reason], "why");
    }

    #[test]
    fn an_entry_that_is_not_sound_is_refused_with_the_problem() {
        let path = "[[known]]\nscenario = 'path/exact'\n";
        for (file, problem) in [
            (
                format!("{path}fields = ['log']\nreason = ' '"),
                "has no reason",
            ),
            (format!("{path}fields = ['log']"), "missing field `reason`"),
            (format!("{path}reason = 'r'"), "missing field `fields`"),
            (
                format!("{path}fields = ['log']\nreason = 'r'\nissue = 1"),
                "unknown field `issue`",
            ),
            (
                format!("{path}fields = ['staus']\nreason = 'r'"),
                "\"staus\", which is none of",
            ),
            (
                "[[known]]\nscenario = 'a'\nfields = ['log']\nreason = 'r'".to_owned(),
                "matches no scenario",
            ),
            (
                "[[know]]\nscenario = 'a'".to_owned(),
                "unknown field `know`",
            ),
            (
                "[[lacks]]\ncapability = 'log'\nreason = ''".to_owned(),
                "has no reason",
            ),
            (
                "[[lacks]]\ncapability = 'legs'\nreason = 'r'".to_owned(),
                "unknown variant `legs`",
            ),
        ] {
            let error = parse(&file).unwrap_err();
            assert!(error.contains(problem), "{file}: {error}");
        }
    }
}

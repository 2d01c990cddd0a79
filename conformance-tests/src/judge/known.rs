//! Known failures of a server, as data.

use serde::Deserialize;
use wildmatch::WildMatch;

use crate::judge::FIELDS;
use crate::judge::finding::Failure;
use crate::scenario::Suite;
use crate::scenario::capability::{Capability, Lacks};

/// Scenarios that a server is known to fail, and capabilities that it lacks, each with the reason.
///
/// ```toml
/// [[known]]
/// scenario = "method/unknown-*"         # an id, or a pattern in which `*` matches any text
/// fields = ["status", "body", "header"] # what may differ; "header" is any header
/// reason = "the framework responds 400 to an unknown method before routing"
///
/// [[always]]                            # the same for any scenario
/// fields = ["header cache-control"]
/// reason = "the framework adds a header to every response"
///
/// [[lacks]]
/// capability = "reason"                 # one of those in the module `scenario`
/// reason = "the framework cannot set a reason phrase"
/// ```
///
/// A field is the word above the expected and actual value in a report. All entries that match a scenario apply. Any other
/// difference is a failure, and so is a `[[known]]` entry that no longer applies to a scenario that it matches.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KnownFailures {
    entries: Vec<KnownFailure>,
    always: Vec<Always>,
    pub(crate) lacks: Lacks,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct KnownFailure {
    scenario: String,
    fields: Vec<String>,
    reason: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Always {
    fields: Vec<String>,
    reason: String,
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
    always: Vec<Always>,
    #[serde(default)]
    lacks: Vec<Lack>,
}

/// A file of known failures that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("known failures: {0}")]
pub struct KnownError(String);

impl KnownFailures {
    /// Parses a file of known failures.
    ///
    /// # Errors
    ///
    /// The text has another format, an entry has no reason or an unknown field, or a pattern matches no scenario of `suite`.
    pub fn parse(text: &str, suite: &Suite) -> Result<Self, KnownError> {
        let file: KnownFile =
            toml::from_str(text).map_err(|error| KnownError(error.to_string()))?;
        for entry in &file.known {
            let what = format!("the entry for {:?}", entry.scenario);
            check(&what, Some(&entry.fields), &entry.reason)?;
            if !suite.scenarios().any(|scenario| entry.matches(scenario.id())) {
                return Err(KnownError(format!("{what} matches no scenario")));
            }
        }
        for entry in &file.always {
            check("an entry for every scenario", Some(&entry.fields), &entry.reason)?;
        }
        let mut lacks = Lacks::new();
        for Lack { capability, reason } in file.lacks {
            let what = format!("the lack of {:?}", capability.to_string());
            check(&what, None, &reason)?;
            lacks.insert(capability, reason);
        }
        Ok(Self { entries: file.known, always: file.always, lacks })
    }

    /// The reasons of the entries for any scenario.
    pub(crate) fn always(&self) -> impl Iterator<Item = &str> {
        self.always.iter().map(|entry| entry.reason.as_str())
    }

    /// Whether a scenario is known to differ in `field`.
    pub(crate) fn expects(&self, id: &str, field: &str) -> bool {
        let mut entries = self.entries.iter().filter(|entry| entry.matches(id));
        entries.any(|entry| covers(&entry.fields, field))
    }

    /// Removes the known differences from the failures of a scenario.
    pub(crate) fn excuse(&self, id: &str, mut failures: Vec<Failure>) -> Excused {
        let mut reasons = Vec::new();
        let mut out_of_date = Vec::new();
        for entry in &self.always {
            if take(&mut failures, &entry.fields) {
                reasons.push(entry.reason.clone());
            }
        }
        for entry in self.entries.iter().filter(|entry| entry.matches(id)) {
            if take(&mut failures, &entry.fields) {
                reasons.push(entry.reason.clone());
            } else {
                let (pattern, fields) = (&entry.scenario, entry.fields.join(", "));
                out_of_date
                    .push(format!("known failure {pattern:?}: {id} does not differ in {fields}"));
            }
        }
        Excused { failures, reasons, out_of_date }
    }
}

/// Failures of one scenario, without the known ones.
pub(crate) struct Excused {
    /// The remaining failures.
    pub(crate) failures: Vec<Failure>,
    /// The reasons for the removed ones.
    pub(crate) reasons: Vec<String>,
    /// A sentence for each entry that no longer applies.
    pub(crate) out_of_date: Vec<String>,
}

/// Removes the differences in these fields from failures. Returns whether there were any.
fn take(failures: &mut Vec<Failure>, fields: &[String]) -> bool {
    let mut has_taken = false;
    for failure in &mut *failures {
        failure.mismatches.retain(|mismatch| {
            let is_known = covers(fields, &mismatch.field);
            has_taken |= is_known;
            !is_known
        });
    }
    failures.retain(|failure| !failure.mismatches.is_empty());
    has_taken
}

fn check(what: &str, fields: Option<&[String]>, reason: &str) -> Result<(), KnownError> {
    if reason.trim().is_empty() {
        return Err(KnownError(format!("{what} has no reason")));
    }
    if fields.is_some_and(<[String]>::is_empty) {
        return Err(KnownError(format!("{what} has no fields")));
    }
    let is_unknown = |field: &&String| !FIELDS.contains(&kind(field));
    let mut fields = fields.into_iter().flatten();
    match fields.find(is_unknown) {
        Some(field) => Err(KnownError(format!(
            "{what} has the field {field:?}, which is not one of {}",
            FIELDS.join(", ")
        ))),
        None => Ok(()),
    }
}

impl KnownFailure {
    fn matches(&self, id: &str) -> bool {
        WildMatch::new(&self.scenario).matches(id)
    }
}

/// Whether a difference in `field` is among those in `fields`.
fn covers(fields: &[String], field: &str) -> bool {
    let mut fields = fields.iter();
    fields.any(|known| known == field || known == kind(field))
}

/// The first word of a field: `header` of `header content-type`.
fn kind(field: &str) -> &str {
    field.split(' ').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::KnownFailures;
    use crate::judge::Mismatch;
    use crate::judge::finding::Failure;
    use crate::scenario::Suite;
    use crate::scenario::capability::Capability;

    fn parse(file: &str) -> Result<KnownFailures, String> {
        KnownFailures::parse(file, &Suite::builtin().unwrap()).map_err(|error| error.to_string())
    }

    /// The reasons for a scenario that differs in these fields, and what is left and out of date.
    fn excuse(file: &str, id: &str, fields: &[&str]) -> (Vec<String>, usize, usize) {
        let mismatches = fields.iter().map(|field| Mismatch::new(*field, "", ""));
        let failures = Failure::unless_empty("a request", mismatches.collect());
        let excused = parse(file).unwrap().excuse(id, Vec::from_iter(failures));
        (excused.reasons, excused.failures.len(), excused.out_of_date.len())
    }

    #[test]
    fn an_entry_excuses_its_fields_in_the_scenarios_it_matches() {
        let file = "[[known]]\nscenario = 'method/unknown-*'\nfields = ['header']\nreason = 'why'";
        let why = vec!["why".to_owned()];
        let excused = |id, fields: &[&str]| excuse(file, id, fields);
        assert_eq!(excused("method/unknown-token", &["header date"]), (why.clone(), 0, 0));
        assert_eq!(excused("method/unknown-token", &["header date", "status"]), (why, 1, 0));
        assert_eq!(excused("method/unknown-token", &["status"]), (vec![], 1, 1));
        assert_eq!(excused("method/unknown-token", &[]), (vec![], 0, 1));
        assert_eq!(excused("method/get", &["header date"]), (vec![], 1, 0));
    }

    #[test]
    fn all_entries_count_and_each_has_to_excuse_something() {
        let file = "[[always]]\nfields = ['header']\nreason = 'a'
            [[known]]\nscenario = 'path/*'\nfields = ['status']\nreason = 'b'
            [[known]]\nscenario = 'path/exact'\nfields = ['header', 'body']\nreason = 'c'";
        let all = ["a", "b", "c"].map(str::to_owned).to_vec();
        assert_eq!(
            excuse(file, "path/exact", &["header x", "status", "body"]),
            (all.clone(), 0, 0)
        );
        assert_eq!(excuse(file, "path/exact", &["header x", "status"]), (all[..2].to_vec(), 0, 1));
        assert_eq!(excuse(file, "query/runs-all", &[]), (vec![], 0, 0));
    }

    #[test]
    fn a_lack_is_read_with_its_reason() {
        let known = parse("[[lacks]]\ncapability = 'reason'\nreason = 'why'").unwrap();
        assert_eq!(known.lacks[&Capability::Reason], "why");
    }

    #[test]
    fn an_invalid_entry_is_rejected_with_the_problem() {
        let path = "[[known]]\nscenario = 'path/exact'\n";
        for (file, problem) in [
            (format!("{path}fields = ['log']\nreason = ' '"), "has no reason"),
            (format!("{path}fields = ['log']"), "missing field `reason`"),
            (format!("{path}reason = 'r'"), "missing field `fields`"),
            (format!("{path}fields = ['log']\nreason = 'r'\nissue = 1"), "unknown field `issue`"),
            (format!("{path}fields = ['staus']\nreason = 'r'"), "\"staus\", which is not one of"),
            (
                "[[known]]\nscenario = 'a'\nfields = ['log']\nreason = 'r'".to_owned(),
                "matches no scenario",
            ),
            (format!("{path}fields = []\nreason = 'r'"), "has no fields"),
            ("[[always]]\nfields = ['log']\nreason = ''".to_owned(), "has no reason"),
            ("[[know]]\nscenario = 'a'".to_owned(), "unknown field `know`"),
            ("[[lacks]]\ncapability = 'log'\nreason = ''".to_owned(), "has no reason"),
            ("[[lacks]]\ncapability = 'legs'\nreason = 'r'".to_owned(), "unknown variant `legs`"),
        ] {
            let error = parse(&file).unwrap_err();
            assert!(error.contains(problem), "{file}: {error}");
        }
    }
}

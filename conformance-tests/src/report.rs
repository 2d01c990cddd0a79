//! The report of a run.

mod explain;
#[cfg(feature = "cli")]
mod junit;
pub(crate) mod matrix;
mod text;

use serde::{Deserialize, Serialize};

use crate::judge::finding::{Failure, Finding};
use crate::judge::known::Excused;
use crate::options::Options;
use crate::scenario::capability::Lacks;
use crate::scenario::{Level, Scenario, Suite};

/// The result of a run. [`Display`](std::fmt::Display) shows one failure of each kind and counts skipped scenarios by
/// reason; the alternate form `{:#}` shows all of them. [`to_json`](Self::to_json) returns everything.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Report {
    /// The name of the server.
    pub(crate) name: String,
    /// The version of this suite.
    pub(crate) suite: String,
    /// Capabilities that the server lacks.
    pub(crate) lacks: Lacks,
    /// Reasons for known differences in any scenario.
    pub(crate) always: Vec<String>,
    pub(crate) outcomes: Vec<Outcome>,
    /// Entries of the known failures that are out of date, as sentences.
    pub(crate) out_of_date: Vec<String>,
    pub(crate) rerun: String,
}

/// A report that cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("not a report of `health-conformance run --format json`: {0}")]
pub struct ReportError(#[from] serde_json::Error);

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Outcome {
    pub(crate) id: String,
    /// The rule's number.
    pub(crate) rule: String,
    /// The rule's title and sentence.
    pub(crate) sentence: String,
    pub(crate) level: Level,
    pub(crate) title: String,
    /// The setup of its server.
    pub(crate) setup: String,
    #[serde(flatten)]
    pub(crate) verdict: Verdict,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "verdict", rename_all = "kebab-case")]
pub(crate) enum Verdict {
    Passed,
    Failed {
        failures: Vec<Failure>,
    },
    /// Failed a `should`, in a run that is not strict.
    Unmet {
        failures: Vec<Failure>,
    },
    /// Failed a `note`.
    Noted {
        failures: Vec<Failure>,
    },
    /// Failed for known reasons.
    Known {
        reasons: Vec<String>,
    },
    /// Was not run, or cannot be observed on this machine.
    Skipped {
        reason: String,
    },
}

impl Report {
    pub(crate) fn new(
        suite: &Suite,
        found: Vec<(&Scenario, Finding)>,
        lacks: &Lacks,
        options: &Options,
    ) -> Self {
        let mut out_of_date = Vec::new();
        let mut outcome = |(scenario, finding): (&Scenario, Finding)| Outcome {
            id: scenario.id().to_owned(),
            rule: scenario.rule().to_owned(),
            sentence: suite
                .rule_of(scenario)
                .map_or_else(String::new, |rule| format!("{}: {}", rule.title, rule.sentence)),
            level: scenario.level(),
            title: scenario.title().to_owned(),
            setup: scenario.setup().to_string(),
            verdict: verdict(scenario, finding, options, &mut out_of_date),
        };
        let outcomes = found.into_iter().map(&mut outcome).collect();
        Self {
            name: options.name.clone(),
            suite: env!("CARGO_PKG_VERSION").to_owned(),
            lacks: lacks.clone(),
            always: options.known.always().map(str::to_owned).collect(),
            outcomes,
            out_of_date,
            rerun: options.rerun.clone(),
        }
    }

    /// Joins reports of parts of the same run.
    #[cfg(feature = "testee")]
    pub(crate) fn joined(suite: &Suite, reports: Vec<Self>) -> Self {
        let mut reports = reports.into_iter();
        let mut whole = reports
            .next()
            .unwrap_or_else(|| Self::new(suite, Vec::new(), &Lacks::new(), &Options::default()));
        for part in reports {
            whole.outcomes.extend(part.outcomes);
            whole.out_of_date.extend(part.out_of_date);
        }
        let place = |outcome: &Outcome| suite.scenarios().position(|it| it.id() == outcome.id);
        whole.outcomes.sort_by_cached_key(place);
        whole
    }

    /// Whether the report contains a scenario.
    #[cfg(feature = "testee")]
    pub(crate) fn has(&self, id: &str) -> bool {
        self.outcomes.iter().any(|outcome| outcome.id == id)
    }

    /// Whether the server conforms: at least one scenario was run, only known failures occurred, and no known failure is out
    /// of date.
    pub fn conforms(&self) -> bool {
        let counts = self.counts();
        counts.played() > 0 && counts.failed == 0 && self.out_of_date.is_empty()
    }

    /// The ids of the scenarios that passed.
    pub fn passed(&self) -> impl Iterator<Item = &str> {
        self.ids_of(|verdict| matches!(verdict, Verdict::Passed))
    }

    /// The ids of the scenarios that failed for unknown reasons.
    pub fn failed(&self) -> impl Iterator<Item = &str> {
        self.ids_of(|verdict| matches!(verdict, Verdict::Failed { .. }))
    }

    fn ids_of(&self, is_wanted: fn(&Verdict) -> bool) -> impl Iterator<Item = &str> {
        let wanted = move |outcome: &&Outcome| is_wanted(&outcome.verdict);
        let wanted = self.outcomes.iter().filter(wanted);
        wanted.map(|outcome| outcome.id.as_str())
    }

    /// Returns the report as JSON, for [`from_json`](Self::from_json) and other programs. A value of a difference has at most
    /// 4,096 bytes.
    ///
    /// # Errors
    ///
    /// Never, as long as a report consists of text, lists and numbers.
    pub fn to_json(&self) -> Result<String, ReportError> {
        Ok(serde_json::to_string_pretty(self)?)
    }

    /// Parses the output of [`to_json`](Self::to_json).
    ///
    /// # Errors
    ///
    /// The text has another format.
    pub fn from_json(text: &str) -> Result<Self, ReportError> {
        Ok(serde_json::from_str(text)?)
    }

    pub(crate) fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        for outcome in &self.outcomes {
            *match outcome.verdict {
                Verdict::Passed => &mut counts.passed,
                Verdict::Failed { .. } => &mut counts.failed,
                Verdict::Unmet { .. } => &mut counts.unmet,
                Verdict::Noted { .. } => &mut counts.noted,
                Verdict::Known { .. } => &mut counts.known,
                Verdict::Skipped { .. } => &mut counts.skipped,
            } += 1;
        }
        counts
    }
}

/// The number of scenarios for each verdict.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) passed: usize,
    pub(crate) failed: usize,
    pub(crate) unmet: usize,
    pub(crate) noted: usize,
    pub(crate) known: usize,
    pub(crate) skipped: usize,
}

impl Counts {
    /// The number of scenarios that were run.
    pub(crate) fn played(&self) -> usize {
        self.passed + self.failed + self.unmet + self.noted + self.known
    }
}

fn verdict(
    scenario: &Scenario,
    finding: Finding,
    options: &Options,
    out_of_date: &mut Vec<String>,
) -> Verdict {
    let failures = match finding {
        Finding::Skipped(reason) => return Verdict::Skipped { reason },
        Finding::Passed => Vec::new(),
        Finding::Failed(failures) => failures,
    };
    let Excused { failures, reasons, out_of_date: sentences } =
        options.known.excuse(scenario.id(), failures);
    out_of_date.extend(sentences);
    match scenario.level() {
        _ if failures.is_empty() && reasons.is_empty() => Verdict::Passed,
        _ if failures.is_empty() => Verdict::Known { reasons },
        Level::Note => Verdict::Noted { failures },
        Level::Should if !options.strict => Verdict::Unmet { failures },
        Level::Must | Level::Should => Verdict::Failed { failures },
    }
}

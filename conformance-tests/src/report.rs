//! What came of a run: every failure, in words one can act on.

use std::fmt;

use crate::judge::Mismatch;
use crate::known::{KnownFailure, KnownFailures};
use crate::marker::MarkerError;
use crate::scenario::{Scenario, Suite};

/// The outcomes of a run. [`Display`](fmt::Display) shows the whole report.
#[derive(Debug, Clone)]
pub struct Report {
    outcomes: Vec<Outcome>,
    /// Entries of the known failures that are out of date, as sentences.
    stale: Vec<String>,
    rerun: String,
}

#[derive(Debug, Clone)]
pub(crate) struct Outcome {
    id: String,
    rule: String,
    says: String,
    verdict: Verdict,
}

#[derive(Debug, Clone)]
pub(crate) enum Verdict {
    Passed,
    Failed(Vec<Failure>),
    /// Failed, as was expected, for this reason.
    Known(String),
    /// This machine cannot show it, for this reason.
    Unobserved(String),
}

/// What failed at one moment of a scenario.
#[derive(Debug, Clone)]
pub(crate) struct Failure {
    moment: String,
    mismatches: Vec<Mismatch>,
}

impl Failure {
    pub(crate) fn of_start(what: impl Into<String>) -> Self {
        Self {
            moment: "the start".to_owned(),
            mismatches: vec![Mismatch::new("server", "one that starts", what)],
        }
    }

    pub(crate) fn of_marker(number: usize, error: &MarkerError) -> Self {
        Self {
            moment: format!("request {number}, before it was sent"),
            mismatches: vec![Mismatch::new("marker", "in place", error.to_string())],
        }
    }

    /// `None` when nothing differs.
    pub(crate) fn unless_empty(moment: &str, mismatches: Vec<Mismatch>) -> Option<Self> {
        (!mismatches.is_empty()).then(|| Self {
            moment: moment.to_owned(),
            mismatches,
        })
    }

    pub(crate) fn is_without_answer(&self) -> bool {
        self.mismatches
            .iter()
            .any(|mismatch| mismatch.field == "answer")
    }
}

impl Report {
    pub(crate) fn new(
        suite: &Suite,
        judged: Vec<(&Scenario, Verdict)>,
        known: &KnownFailures,
        rerun: &str,
    ) -> Self {
        let stale = stale_entries(suite, &judged, known);
        let outcome = |(scenario, verdict): (&Scenario, Verdict)| Outcome {
            id: scenario.id().to_owned(),
            rule: suite
                .rules()
                .find(|rule| rule.id == scenario.rule())
                .map_or_else(|| scenario.rule().to_owned(), ToString::to_string),
            says: scenario.says().to_owned(),
            verdict: match (verdict, known.entry(scenario.id())) {
                (Verdict::Failed(failures), Some(entry)) => excuse(failures, entry),
                (verdict, _) => verdict,
            },
        };
        Self {
            outcomes: judged.into_iter().map(outcome).collect(),
            stale,
            rerun: rerun.to_owned(),
        }
    }

    /// Whether the server conforms: at least one scenario passed, none failed that is not known to,
    /// and every known failure still is one.
    pub fn conforms(&self) -> bool {
        let [passed, failed, ..] = self.counts();
        passed > 0 && failed == 0 && self.stale.is_empty()
    }

    /// Passed, failed, known to fail, unobserved.
    fn counts(&self) -> [usize; 4] {
        let mut counts = [0; 4];
        for outcome in &self.outcomes {
            counts[match outcome.verdict {
                Verdict::Passed => 0,
                Verdict::Failed(_) => 1,
                Verdict::Known(_) => 2,
                Verdict::Unobserved(_) => 3,
            }] += 1;
        }
        counts
    }
}

/// Takes away what is known to differ; what is left is a failure.
fn excuse(mut failures: Vec<Failure>, known: &KnownFailure) -> Verdict {
    for failure in &mut failures {
        let is_news = |mismatch: &Mismatch| !known.covers(&mismatch.field);
        failure.mismatches.retain(is_news);
    }
    failures.retain(|failure| !failure.mismatches.is_empty());
    if failures.is_empty() {
        Verdict::Known(known.reason.clone())
    } else {
        Verdict::Failed(failures)
    }
}

/// Entries that match no scenario at all, or one that passed.
fn stale_entries(
    suite: &Suite,
    judged: &[(&Scenario, Verdict)],
    known: &KnownFailures,
) -> Vec<String> {
    let mut stale = Vec::new();
    for entry in &known.entries {
        let pattern = &entry.scenario;
        if !suite
            .scenarios()
            .any(|scenario| entry.matches(scenario.id()))
        {
            stale.push(format!("known failure {pattern:?} matches no scenario"));
        }
        for (scenario, verdict) in judged {
            if entry.matches(scenario.id()) && matches!(verdict, Verdict::Passed) {
                let id = scenario.id();
                stale.push(format!("known failure {pattern:?}: {id} passes"));
            }
        }
    }
    stale
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for outcome in &self.outcomes {
            let id = &outcome.id;
            match &outcome.verdict {
                Verdict::Passed => {}
                Verdict::Known(reason) => writeln!(f, "known       {id}: {reason}")?,
                Verdict::Unobserved(reason) => writeln!(f, "unobserved  {id}: {reason}")?,
                Verdict::Failed(failures) => {
                    writeln!(f, "\nFAILED      {id}: {}", outcome.says)?;
                    writeln!(f, "  rule {}", outcome.rule)?;
                    for failure in failures {
                        write!(f, "{failure}")?;
                    }
                    if !self.rerun.is_empty() {
                        writeln!(f, "  again: {}", self.rerun.replace("{id}", id))?;
                    }
                    writeln!(f)?;
                }
            }
        }
        for sentence in &self.stale {
            writeln!(f, "OUT OF DATE {sentence}")?;
        }
        let [passed, failed, known, unobserved] = self.counts();
        write!(
            f,
            "{passed} passed, {failed} failed, {known} known to fail, {unobserved} unobserved"
        )?;
        if self.outcomes.is_empty() {
            write!(f, ": no scenario was run")?;
        }
        Ok(())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "  at {}", self.moment)?;
        for Mismatch {
            field,
            expected,
            got,
        } in &self.mismatches
        {
            writeln!(f, "    {field}")?;
            writeln!(f, "      expected {expected}")?;
            writeln!(f, "      got      {got}")?;
        }
        Ok(())
    }
}

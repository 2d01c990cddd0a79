//! The report for CI.

use quick_junit::{NonSuccessKind, TestCase, TestCaseStatus, TestSuite};

use super::{Outcome, Report, Verdict};
use crate::judge::finding::{Failure, brief};

impl Report {
    /// Returns the report as JUnit XML: a test suite for each topic, and a test case for each scenario. Known, noted, unmet
    /// and skipped scenarios are skipped cases with a reason; a known failure that is out of date is a failed case.
    ///
    /// # Errors
    ///
    /// The report cannot be written as XML.
    pub fn to_junit(&self) -> Result<String, quick_junit::SerializeError> {
        let mut report = quick_junit::Report::new(match self.name.as_str() {
            "" => "health-conformance",
            name => name,
        });
        for outcomes in self.outcomes.chunk_by(|a, b| topic(a) == topic(b)) {
            let mut suite = TestSuite::new(topic(&outcomes[0]));
            suite.add_test_cases(outcomes.iter().map(|outcome| test_case(outcome, &self.rerun)));
            report.add_test_suite(suite);
        }
        if !self.out_of_date.is_empty() {
            let mut suite = TestSuite::new("known failures");
            for sentence in &self.out_of_date {
                let status = failure("out of date", sentence.clone());
                suite.add_test_case(TestCase::new(sentence.as_str(), status));
            }
            report.add_test_suite(suite);
        }
        report.to_string()
    }
}

/// The part of an id before the slash.
fn topic(outcome: &Outcome) -> &str {
    outcome.id.split('/').next().unwrap_or_default()
}

fn test_case(outcome: &Outcome, rerun: &str) -> TestCase {
    let status = match &outcome.verdict {
        Verdict::Passed => TestCaseStatus::success(),
        Verdict::Failed { failures } => failure(&outcome.title, describe(outcome, failures, rerun)),
        Verdict::Unmet { failures } => skipped("should", &brief(failures)),
        Verdict::Noted { failures } => skipped("note", &brief(failures)),
        Verdict::Known { reasons } => skipped("known", &reasons.join("; ")),
        Verdict::Skipped { reason } => skipped("skipped", reason),
    };
    let mut case = TestCase::new(outcome.id.as_str(), status);
    case.set_classname(outcome.rule.as_str());
    case
}

fn failure(message: &str, description: String) -> TestCaseStatus {
    let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
    status.set_message(message).set_description(description);
    status
}

fn skipped(kind: &str, reason: &str) -> TestCaseStatus {
    let mut status = TestCaseStatus::skipped();
    status.set_message(format!("{kind}: {reason}"));
    status
}

fn describe(outcome: &Outcome, failures: &[Failure], rerun: &str) -> String {
    let Outcome { rule, sentence, setup, .. } = outcome;
    let mut text = format!("rule {rule} {sentence}\nsetup {setup}\n");
    for failure in failures {
        text += &failure.to_string();
    }
    if !rerun.is_empty() {
        text += &format!("again: {}\n", rerun.replace("{id}", &outcome.id));
    }
    text
}

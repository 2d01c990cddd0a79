//! Several reports as one table.

use std::fmt;

use crate::judge::finding::brief;
use crate::report::{Outcome, Report, Verdict};

/// Merged reports of several servers: a row for each scenario, a column for each server.
/// [`Display`](fmt::Display) shows it as Markdown.
#[derive(Debug, Clone)]
pub struct Matrix {
    reports: Vec<Report>,
}

/// Why reports cannot be merged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MatrixError {
    /// No report was given.
    #[error("there are no reports to merge")]
    Empty,
    /// A report has no name, and a column needs one.
    #[error("report {0} has no name: run the suite with --name")]
    Nameless(usize),
    /// Two reports have the same name.
    #[error("two reports are named {0:?}")]
    Twice(String),
    /// The reports contain different scenarios.
    #[error("the reports of {first:?} and {other:?} contain different scenarios: {difference}")]
    Different {
        /// The first report.
        first: String,
        /// The report that differs from it.
        other: String,
        /// What the first difference is.
        difference: String,
    },
}

impl Matrix {
    /// Merges reports of the same scenarios, by the same version of the suite.
    ///
    /// # Errors
    ///
    /// There is no report, the reports contain different scenarios, or names are missing or equal.
    pub fn merge(reports: Vec<Report>) -> Result<Self, MatrixError> {
        let Some(first) = reports.first() else {
            return Err(MatrixError::Empty);
        };
        for (index, report) in reports.iter().enumerate() {
            if column(report).is_empty() {
                return Err(MatrixError::Nameless(index + 1));
            }
            if reports[..index].iter().any(|other| column(other) == column(report)) {
                return Err(MatrixError::Twice(column(report)));
            }
            if let Some(difference) = difference(first, report) {
                return Err(MatrixError::Different {
                    first: first.name.clone(),
                    other: report.name.clone(),
                    difference,
                });
            }
        }
        Ok(Self { reports })
    }
}

/// The first word of a report's name.
fn column(report: &Report) -> String {
    escape(report.name.split_whitespace().next().unwrap_or_default())
}

/// Escapes text for a table.
fn escape(text: &str) -> String {
    let one_line: Vec<_> = text.split_whitespace().collect();
    one_line.join(" ").replace('|', "\\|")
}

fn difference(first: &Report, other: &Report) -> Option<String> {
    if first.suite != other.suite {
        return Some(format!("suite {} and suite {}", first.suite, other.suite));
    }
    let is_in = |outcome: &Outcome, report: &Report| {
        let same =
            |o: &Outcome| (&o.id, &o.rule, o.level) == (&outcome.id, &outcome.rule, outcome.level);
        report.outcomes.iter().any(same)
    };
    let only = |of: &Report, not_of: &Report| {
        let missing = of.outcomes.iter().find(|outcome| !is_in(outcome, not_of))?;
        Some(format!(
            "{} ({}, {}) is only in the report of {:?}",
            missing.id, missing.rule, missing.level, of.name
        ))
    };
    only(first, other).or_else(|| only(other, first))
}

impl fmt::Display for Matrix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut notes = Notes::default();
        writeln!(f, "| | |\n|---|---|")?;
        let suite = &self.reports[0].suite;
        writeln!(f, "| suite | health-conformance {suite} |")?;
        for report in &self.reports {
            let (column, name) = (column(report), escape(&report.name));
            write!(f, "| {column} | {name}: {}", report.summary())?;
            for (capability, reason) in &report.lacks {
                write!(f, "; lacks {capability}({})", notes.number(reason.clone()))?;
            }
            writeln!(f, " |")?;
        }
        let outcomes = &self.reports[0].outcomes;
        for rule in rules(outcomes) {
            writeln!(f, "\n## {} {}\n", rule.rule, rule.sentence)?;
            write!(f, "| scenario | level |")?;
            for report in &self.reports {
                write!(f, " {} |", column(report))?;
            }
            writeln!(f, "\n|---|---|{}", "---|".repeat(self.reports.len()))?;
            for outcome in outcomes.iter().filter(|outcome| outcome.rule == rule.rule) {
                write!(f, "| {} | {} |", outcome.id, outcome.level)?;
                for report in &self.reports {
                    let same = report.outcomes.iter().find(|other| other.id == outcome.id);
                    let cell = same.map_or_else(String::new, |same| notes.cell(&same.verdict));
                    write!(f, " {cell} |")?;
                }
                writeln!(f)?;
            }
        }
        writeln!(f, "\n## Notes\n")?;
        for (index, note) in notes.0.iter().enumerate() {
            writeln!(f, "{}. {}", index + 1, escape(note))?;
        }
        Ok(())
    }
}

/// The first scenario of each rule, in the order of the rules' numbers.
fn rules(outcomes: &[Outcome]) -> Vec<&Outcome> {
    let mut rules: Vec<&Outcome> = Vec::new();
    for outcome in outcomes {
        if !rules.iter().any(|rule| rule.rule == outcome.rule) {
            rules.push(outcome);
        }
    }
    let number = |outcome: &&Outcome| {
        outcome.rule.trim_start_matches('H').parse::<u32>().unwrap_or(u32::MAX)
    };
    rules.sort_by_key(number);
    rules
}

/// The notes, each once.
#[derive(Debug, Default)]
struct Notes(Vec<String>);

impl Notes {
    fn cell(&mut self, verdict: &Verdict) -> String {
        let (word, sentences) = match verdict {
            Verdict::Passed => return "ok".to_owned(),
            Verdict::Known { reasons } => ("known", reasons.clone()),
            Verdict::Skipped { reason } => ("skip", vec![reason.clone()]),
            Verdict::Noted { failures } => ("note", vec![brief(failures)]),
            Verdict::Unmet { failures } => ("unmet", vec![brief(failures)]),
            Verdict::Failed { failures } => ("**fails**", vec![brief(failures)]),
        };
        let numbers = sentences.into_iter().map(|sentence| self.number(sentence));
        format!("{word}({})", Vec::from_iter(numbers).join(","))
    }

    fn number(&mut self, sentence: String) -> String {
        let known = self.0.iter().position(|note| *note == sentence);
        let index = known.unwrap_or_else(|| {
            self.0.push(sentence);
            self.0.len() - 1
        });
        (index + 1).to_string()
    }
}

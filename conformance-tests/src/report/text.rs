//! The report for people.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::{Outcome, Report, Verdict};
use crate::judge::finding::{Failure, brief};

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (capability, reason) in &self.lacks {
            writeln!(f, "lacks    {capability}: {reason}")?;
        }
        for reason in &self.always {
            writeln!(f, "always   {reason}")?;
        }
        for outcome in &self.outcomes {
            let id = &outcome.id;
            match &outcome.verdict {
                Verdict::Passed => {}
                Verdict::Known { reasons } => self.show_known(f, id, reasons)?,
                Verdict::Skipped { reason } => writeln!(f, "skipped  {id}: {reason}")?,
                Verdict::Noted { failures } => writeln!(f, "note     {id}: {}", brief(failures))?,
                Verdict::Unmet { failures } => self.show(f, "UNMET", outcome, failures)?,
                Verdict::Failed { failures } => self.show(f, "FAILED", outcome, failures)?,
            }
        }
        for sentence in &self.out_of_date {
            writeln!(f, "OUT OF DATE {sentence}")?;
        }
        for (field, count, first) in self.frequent() {
            writeln!(f, "{field} differs in {count} scenarios, first in {first}")?;
        }
        f.write_str(&self.summary())
    }
}

impl Report {
    /// One line: how many scenarios passed, failed, and so on.
    pub fn summary(&self) -> String {
        let counts = self.counts();
        let mut summary = format!("{} passed, {} failed", counts.passed, counts.failed);
        for (count, word) in [
            (counts.unmet, "should have passed"),
            (counts.known, "known to fail"),
            (counts.noted, "noted"),
            (counts.skipped, "skipped"),
            (self.out_of_date.len(), "out of date"),
        ] {
            if count > 0 {
                summary += &format!(", {count} {word}");
            }
        }
        if counts.played() == 0 {
            summary += ": nothing is proven";
        }
        summary
    }

    /// The fields that most scenarios fail in, where there are many: how many, and the first of them.
    fn frequent(&self) -> Vec<(&str, usize, &str)> {
        const MANY: usize = 6;
        let mut fields: BTreeMap<&str, (usize, &str)> = BTreeMap::new();
        for outcome in &self.outcomes {
            let Verdict::Failed { failures } = &outcome.verdict else {
                continue;
            };
            let mismatches = failures.iter().flat_map(|failure| &failure.mismatches);
            let distinct: BTreeSet<_> = mismatches.map(|mismatch| &*mismatch.field).collect();
            for field in distinct {
                fields.entry(field).or_insert((0, &outcome.id)).0 += 1;
            }
        }
        let frequent = fields.into_iter().filter(|(_, (count, _))| *count >= MANY);
        let mut frequent: Vec<_> =
            frequent.map(|(field, (count, first))| (field, count, first)).collect();
        frequent.sort_by_key(|(_, count, _)| Reverse(*count));
        frequent
    }

    /// What is known always is said once, at the top.
    fn show_known(&self, f: &mut fmt::Formatter<'_>, id: &str, reasons: &[String]) -> fmt::Result {
        let own = reasons.iter().filter(|reason| !self.always.contains(reason));
        let own: Vec<_> = own.map(String::as_str).collect();
        if own.is_empty() {
            return Ok(());
        }
        writeln!(f, "known    {id}: {}", own.join("; "))
    }

    fn show(
        &self,
        f: &mut fmt::Formatter<'_>,
        verdict: &str,
        outcome: &Outcome,
        failures: &[Failure],
    ) -> fmt::Result {
        let Outcome { id, level, says, setup, .. } = outcome;
        writeln!(f, "\n{verdict:<8} {id} ({level}): {says}")?;
        writeln!(f, "  rule {} {}", outcome.rule, outcome.sentence)?;
        writeln!(f, "  setup {setup}")?;
        for failure in failures {
            write!(f, "{failure}")?;
        }
        if !self.rerun.is_empty() {
            writeln!(f, "  again: {}", self.rerun.replace("{id}", id))?;
        }
        writeln!(f)
    }
}

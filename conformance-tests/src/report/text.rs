//! The report for people.

use std::fmt;

use super::{Outcome, Report, Verdict};
use crate::finding::{Failure, brief};

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
        if counts.passed + counts.known == 0 {
            summary += ": nothing is shown";
        }
        summary
    }

    /// What is known always is said once, at the top.
    fn show_known(&self, f: &mut fmt::Formatter<'_>, id: &str, reasons: &[String]) -> fmt::Result {
        let own = reasons
            .iter()
            .filter(|reason| !self.always.contains(reason));
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
        let Outcome {
            id, level, says, ..
        } = outcome;
        writeln!(f, "\n{verdict:<8} {id} ({level}): {says}")?;
        writeln!(f, "  rule {} {}", outcome.rule, outcome.sentence)?;
        for failure in failures {
            write!(f, "{failure}")?;
        }
        if !self.rerun.is_empty() {
            writeln!(f, "  again: {}", self.rerun.replace("{id}", id))?;
        }
        writeln!(f)
    }
}

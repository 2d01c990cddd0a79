//! The report for people.

use std::fmt;

use super::{Failure, Outcome, Report, Verdict};
use crate::judge::Mismatch;

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (capability, reason) in &self.lacks {
            writeln!(f, "lacks    {capability}: {reason}")?;
        }
        for outcome in &self.outcomes {
            let id = &outcome.id;
            match &outcome.verdict {
                Verdict::Passed => {}
                Verdict::Known { reasons } => writeln!(f, "known    {id}: {}", reasons.join("; "))?,
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

/// The first thing that differs, and how many more do.
pub(crate) fn brief(failures: &[Failure]) -> String {
    let mut mismatches = failures.iter().flat_map(|failure| &failure.mismatches);
    let Some(Mismatch {
        field,
        expected,
        got,
    }) = mismatches.next()
    else {
        return String::new();
    };
    let first = format!("{field} is {got}, not {expected}");
    match mismatches.count() {
        0 => first,
        more => format!("{first}, and {more} more"),
    }
}

//! The report for people.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::{Outcome, Report, Verdict};
use crate::judge::Mismatch;
use crate::judge::finding::{Failure, brief};

/// Shows the report to people: each skip reason and each cause of failures once. The alternate form (`{:#}`) shows
/// every skipped scenario and every failure in full.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (capability, reason) in &self.lacks {
            writeln!(f, "lacks    {capability}: {reason}")?;
        }
        for reason in &self.always {
            writeln!(f, "always   {reason}")?;
        }
        self.show_skipped(f)?;
        let mut shown = BTreeSet::new();
        for outcome in &self.outcomes {
            let id = &outcome.id;
            match &outcome.verdict {
                Verdict::Passed | Verdict::Skipped { .. } => {}
                Verdict::Known { reasons } => self.show_known(f, id, reasons)?,
                Verdict::Noted { failures } => writeln!(f, "note     {id}: {}", brief(failures))?,
                Verdict::Unmet { failures } | Verdict::Failed { failures } => {
                    if shown.insert(Cause::of(&outcome.verdict)) || f.alternate() {
                        self.show(f, outcome, failures)?;
                    }
                }
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

/// What failures of several scenarios have in common.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Cause<'a> {
    is_failed: bool,
    mismatches: Vec<(&'a str, &'a str, &'a str)>,
}

impl<'a> Cause<'a> {
    /// How the response differs, or else all that differs: log records and starts of checks follow from the setup, and
    /// differ between scenarios.
    fn of(verdict: &'a Verdict) -> Self {
        let (is_failed, failures) = match verdict {
            Verdict::Failed { failures } => (true, &failures[..]),
            Verdict::Unmet { failures } => (false, &failures[..]),
            _ => (false, &[][..]),
        };
        let collect = |is_wanted: fn(&Mismatch) -> bool| -> Vec<_> {
            failures
                .iter()
                .flat_map(|failure| &failure.mismatches)
                .filter(|mismatch| is_wanted(mismatch))
                .map(|Mismatch { field, expected, got }| (&**field, &**expected, &**got))
                .collect()
        };
        let of_response = collect(|mismatch| !mismatch.is_about_lines());
        let mismatches = if of_response.is_empty() { collect(|_| true) } else { of_response };
        Self { is_failed, mismatches }
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
            summary += ": no scenario was run";
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

    /// Skipped scenarios by reason, the most frequent reason first.
    fn show_skipped(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut reasons: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for outcome in &self.outcomes {
            if let Verdict::Skipped { reason } = &outcome.verdict {
                reasons.entry(reason).or_default().push(&outcome.id);
            }
        }
        let mut reasons: Vec<_> = reasons.into_iter().collect();
        reasons.sort_by_key(|(_, ids)| Reverse(ids.len()));
        for (reason, ids) in reasons {
            if f.alternate() || ids.len() == 1 {
                for id in ids {
                    writeln!(f, "skipped  {id}: {reason}")?;
                }
            } else {
                writeln!(f, "skipped  {} scenarios: {reason}", ids.len())?;
            }
        }
        Ok(())
    }

    /// A reason that holds for every scenario is shown once, at the top.
    fn show_known(&self, f: &mut fmt::Formatter<'_>, id: &str, reasons: &[String]) -> fmt::Result {
        let own: Vec<_> = reasons
            .iter()
            .filter(|reason| !self.always.contains(reason))
            .map(String::as_str)
            .collect();
        if own.is_empty() {
            return Ok(());
        }
        writeln!(f, "known    {id}: {}", own.join("; "))
    }

    fn show(
        &self,
        f: &mut fmt::Formatter<'_>,
        outcome: &Outcome,
        failures: &[Failure],
    ) -> fmt::Result {
        let Outcome { id, level, title, setup, verdict, .. } = outcome;
        let verdict = match verdict {
            Verdict::Failed { .. } => "FAILED",
            _ => "UNMET",
        };
        writeln!(f, "\n{verdict:<8} {id} ({level}): {title}")?;
        writeln!(f, "  rule {} {}", outcome.rule, outcome.sentence)?;
        if !setup.is_empty() {
            writeln!(f, "  setup {setup}")?;
        }
        for failure in failures {
            write!(f, "{failure}")?;
        }
        if !self.rerun.is_empty() {
            writeln!(f, "  again: {}", self.rerun.replace("{id}", id))?;
        }
        if !f.alternate() {
            self.show_same(f, outcome)?;
        }
        writeln!(f)
    }

    /// Lists the other scenarios that fail in the same way.
    fn show_same(&self, f: &mut fmt::Formatter<'_>, first: &Outcome) -> fmt::Result {
        const LISTED: usize = 12;
        let cause = Cause::of(&first.verdict);
        let others: Vec<_> = self
            .outcomes
            .iter()
            .filter(|other| other.id != first.id && Cause::of(&other.verdict) == cause)
            .map(|other| other.id.as_str())
            .collect();
        if others.is_empty() {
            return Ok(());
        }
        let listed = others[..others.len().min(LISTED)].join(", ");
        let more = match others.len().saturating_sub(LISTED) {
            0 => String::new(),
            more => format!(", and {more} more"),
        };
        writeln!(f, "  the same difference in {} more: {listed}{more}", others.len())
    }
}

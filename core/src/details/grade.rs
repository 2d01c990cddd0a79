//! What several formats conclude from a snapshot, in one place, so that they agree.

use super::object::{Number, Object};
use super::snapshot::{Cause, CheckDetails, ReportDetails, Snapshot};
use crate::check::Status;
use crate::state::State;
use crate::text::Rounded;

/// Whether all is well, as health+json and .NET have it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Grade {
    Pass,
    Warn,
    Fail,
}

impl Grade {
    /// The grade of the whole. A client may read the code or the document, and must conclude the same: with 4xx and 5xx it is
    /// a failure, and with 2xx and 3xx it is none (draft-inadarei-api-health-check-06, section 3.1).
    pub(super) fn of(snapshot: &Snapshot) -> Self {
        let accepts = snapshot.status.is_success() || snapshot.status.is_redirection();
        match snapshot.state {
            _ if !accepts => Self::Fail,
            State::Ok => Self::Pass,
            State::Degraded
            | State::Failing
            | State::Starting
            | State::Maintenance
            | State::Draining => Self::Warn,
        }
    }

    /// The grade of a check or result.
    pub(super) fn of_status(status: Status) -> Self {
        match status {
            Status::Ok => Self::Pass,
            Status::Degraded => Self::Warn,
            Status::Error => Self::Fail,
        }
    }
}

impl Snapshot {
    /// Why the state is not OK, in words; empty if it is.
    pub(super) fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        match &self.cause {
            Cause::Checks => {
                let is_bad =
                    |check: &&CheckDetails| !matches!(check.status, None | Some(Status::Ok));
                let bad = self.checks.iter().filter(is_bad).map(|check| check.name.as_str());
                let bad: Vec<_> = bad.collect();
                if self.state != State::Ok && !bad.is_empty() {
                    notes.push(format!("not OK: {}", bad.join(", ")));
                }
            }
            Cause::Recovery { rest } => {
                notes.push(format!(
                    "no required check fails any more; the return is delayed for {}",
                    Rounded(*rest)
                ));
            }
            Cause::Start { latches } => {
                for latch in latches {
                    notes.push(match (&latch.error, latch.has_failed) {
                        (Some(error), _) => {
                            format!("the start has failed: {}: {error}", latch.name)
                        }
                        (None, true) => format!("the start has failed: {}", latch.name),
                        (None, false) => format!("the start waits for {}", latch.name),
                    });
                }
            }
            Cause::Maintenance { by_switch: true, .. } => {
                notes.push("in maintenance by the switch".to_owned());
            }
            Cause::Maintenance { disablefile: Some(path), .. } => {
                notes.push(format!("in maintenance by the disablefile {path} or another source"));
            }
            Cause::Maintenance { disablefile: None, .. } => {
                notes.push("in maintenance by the disablefile or another source".to_owned());
            }
            Cause::Drain { rest, active_requests } => {
                notes.push(format!("draining, active requests: {active_requests}"));
                notes.extend(rest.map(|rest| format!("the server stops within {}", Rounded(rest))));
            }
        }
        notes
    }

    /// The notes if the state follows from anything but the checks.
    pub(super) fn notes_besides_checks(&self) -> Option<Vec<String>> {
        (!matches!(self.cause, Cause::Checks)).then(|| self.notes())
    }
}

impl CheckDetails {
    /// The only result, if it has the name of the check: it needs no name besides.
    pub(super) fn only_result(&self) -> Option<&ReportDetails> {
        match self.results.as_slice() {
            [result] if result.name == self.name => Some(result),
            _ => None,
        }
    }

    /// Each result with its full name: `disks/disk-a`. A check without a result has one entry.
    pub(super) fn entries(&self) -> Vec<(String, Option<Status>, Option<&ReportDetails>)> {
        if self.results.is_empty() || self.only_result().is_some() {
            return vec![(self.name.clone(), self.status, self.only_result())];
        }
        self.results
            .iter()
            .map(|result| {
                (format!("{}/{}", self.name, result.name), Some(result.status), Some(result))
            })
            .collect()
    }
}

impl ReportDetails {
    /// What the result says: the message at the full level, and below it the reason.
    pub(super) fn explanation(&self) -> Option<&str> {
        self.message.as_deref().or(self.reason.as_deref())
    }

    /// Why the result is not OK, in words of Kubernetes if it has no other.
    pub(super) fn explanation_or_note(&self) -> &str {
        let note = if self.is_message_withheld { "reason withheld" } else { "no reason given" };
        self.explanation().unwrap_or(note)
    }

    /// The values under their names with units: `{"free_bytes":2000000000}`.
    pub(super) fn values_by_name(&self) -> Object<Number> {
        let mut values = Object::default();
        for value in &self.values {
            values.insert(&value.full_name(), Number(value.number()));
        }
        values
    }

    /// What the result says, with the reference that the log has, too: `refused (reference 1k7v9c2)`. `None` if it says nothing.
    pub(super) fn description(&self) -> Option<String> {
        match self.reference {
            Some(reference) => {
                Some(format!("{} (reference {reference})", self.explanation_or_note()))
            }
            None => self.explanation().map(str::to_owned),
        }
    }
}

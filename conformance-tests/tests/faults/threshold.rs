//! Results in a row (H15), with room for one fault.

use health_conformance::Check;

use crate::fault::Fault;

/// What counts of one check.
#[derive(Debug, Default)]
pub(crate) struct Threshold {
    has_passed: bool,
    is_failing: bool,
    /// How many results in a row say otherwise than what counts.
    row: u32,
}

impl Threshold {
    /// Only with a fault: no result in a row.
    pub(crate) fn begin_anew(&mut self) {
        self.row = 0;
    }

    /// A result as it counts.
    pub(crate) fn count(&mut self, result: Check, fault: Option<Fault>) -> Check {
        let passes = result.status == "OK";
        match (self.has_passed, fault) {
            (_, Some(Fault::ThresholdsIgnored)) => return result,
            (false, Some(Fault::FirstFailureHeldBack)) => {}
            (false, Some(Fault::FirstOkHeldBack)) => self.is_failing |= !passes,
            (false, _) => {
                self.is_failing = !passes;
                self.has_passed = passes;
                return result;
            }
            (true, _) => {}
        }
        if passes != self.is_failing {
            let is_kept = match passes {
                true => fault == Some(Fault::FailuresCountInAll),
                false => fault == Some(Fault::SuccessesCountInAll),
            };
            self.row = if is_kept { self.row } else { 0 };
            return result;
        }
        let (needed, what, held) = match passes {
            true => (result.success_threshold, "successes", "ERROR"),
            false => (result.failure_threshold, "failures", "OK"),
        };
        self.row += 1;
        if self.row >= needed || (passes && fault == Some(Fault::FirstSuccessCounts)) {
            self.row = 0;
            self.is_failing = !passes && fault != Some(Fault::FailuresCountAnew);
            return result;
        }
        let told = format!("{} of {needed} {what}", self.row);
        let message = match fault {
            Some(Fault::HeldBackUntold) => result.message,
            _ => Some(told),
        };
        Check {
            status: held.to_owned(),
            message,
            ..result
        }
    }
}

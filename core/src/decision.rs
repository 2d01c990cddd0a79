//! The verdict: what to do next, and what the outcome means (H4, H5, H6).

use crate::event::{Report, Status};
use crate::maintenance::MaintenanceState;
use crate::request::CheckMode;

/// What a request leads to, before any check has run.
#[derive(Debug)]
pub(crate) enum Step {
    /// The answer is known.
    Decided(Decision),
    /// The checks have to be asked.
    RunChecks(RunPermit),
}

impl Step {
    /// Maintenance comes first: while it is active no permit to run checks exists (H4).
    pub(crate) fn choose(state: MaintenanceState, mode: CheckMode) -> Self {
        match (state, mode) {
            (MaintenanceState::Active, _) => Self::Decided(Decision::Maintain),
            (MaintenanceState::Inactive, CheckMode::Skip) => Self::Decided(Decision::Pass),
            (MaintenanceState::Inactive, CheckMode::Run) => Self::RunChecks(RunPermit(())),
        }
    }
}

/// Leave to run the checks once. Only [`Step::choose`] hands it out, and only outside maintenance.
#[derive(Debug)]
pub(crate) struct RunPermit(());

/// What the endpoint concludes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Decision {
    /// Healthy (H3).
    Pass,
    /// In maintenance (H4).
    Maintain,
    /// At least one report is not OK; all of them, passing ones included, go to the log (H6, H8).
    Fail(Vec<Report>),
}

impl Decision {
    /// Judges the reports of one run; no reports are no failure (H6).
    pub(crate) fn judge(reports: Vec<Report>) -> Self {
        if reports.iter().all(|report| report.status() == Status::Ok) {
            Self::Pass
        } else {
            Self::Fail(reports)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Decision, Step};
    use crate::event::{Report, Status};
    use crate::maintenance::MaintenanceState::{Active, Inactive};
    use crate::request::CheckMode::{Run, Skip};

    #[test]
    fn maintenance_leaves_nothing_to_run_whatever_was_asked() {
        for mode in [Skip, Run] {
            assert!(matches!(
                Step::choose(Active, mode),
                Step::Decided(Decision::Maintain)
            ));
        }
        assert!(matches!(
            Step::choose(Inactive, Skip),
            Step::Decided(Decision::Pass)
        ));
        assert!(matches!(Step::choose(Inactive, Run), Step::RunChecks(_)));
    }

    #[test]
    fn one_failure_among_any_number_of_passes_fails() {
        let report = |status: &str| Report::new("check", status.into(), None);
        assert_eq!(Decision::judge(vec![]), Decision::Pass);
        assert_eq!(
            Decision::judge(vec![report("OK"), report("OK")]),
            Decision::Pass
        );
        for failing in ["ERROR", "ok", "NOK", "", "OK "] {
            assert_eq!(Status::from(failing), Status::Error, "{failing:?}");
            let reports = vec![report("OK"), report(failing), report("OK")];
            assert_eq!(Decision::judge(reports.clone()), Decision::Fail(reports));
        }
    }
}

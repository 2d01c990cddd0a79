//! The verdict: what to do next, and what the outcome means (H4, H5, H6, H17).

use std::sync::Arc;

use crate::check::{Report, Status};
use crate::endpoint::CheckMode;
use crate::lifecycle::{Start, Unreleased};
use crate::log::LogRecord;
use crate::state::State;

/// What a request leads to, before any check has run.
#[derive(Debug)]
pub(crate) enum Step {
    /// The answer is known.
    Decided(Decision),
    /// The checks have to be asked.
    RunChecks(RunPermit),
}

/// What holds whatever the checks say, as far as an endpoint shows it: the gravest of it (H17).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Condition {
    /// Nothing: it is for the checks to say.
    Open,
    Start(Unreleased),
    Maintenance,
    Draining,
}

impl Step {
    /// Whatever is graver than a failing check comes first: then no permit to run checks exists (H4, H17).
    pub(crate) fn choose(condition: Condition, mode: CheckMode) -> Self {
        match (condition, mode) {
            (Condition::Draining, _) => Self::Decided(Decision::Drain),
            (Condition::Maintenance, _) => Self::Decided(Decision::Maintain),
            (Condition::Start(unreleased), _) => Self::Decided(Decision::Start(unreleased)),
            (Condition::Open, CheckMode::Skip) => Self::Decided(Decision::Pass),
            (Condition::Open, CheckMode::Run) => Self::RunChecks(RunPermit(())),
        }
    }
}

/// Leave to run the checks once. Only [`Step::choose`] hands it out, and not in maintenance.
#[derive(Debug)]
pub(crate) struct RunPermit(());

/// What the results of all checks come to; the gravest is the greatest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Verdict {
    /// Nothing fails.
    Ok,
    /// Nothing fails but what is optional (H13).
    Degraded,
    /// Something fails that the application needs (H6).
    Error,
}

impl Verdict {
    /// Judges the reports of one check; no reports are no failure (H6).
    pub(crate) fn of(need: Criticality, reports: &[Report]) -> Self {
        let passed = reports.iter().all(|report| report.status() == Status::Ok);
        match (passed, need) {
            (true, _) => Self::Ok,
            (false, Criticality::Optional) => Self::Degraded,
            (false, Criticality::Required) => Self::Error,
        }
    }
}

/// Whether the application can do without what is checked (H13).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Criticality {
    Required,
    Optional,
}

/// What came of one run of the checks: made once, for all who asked.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) verdict: Verdict,
    /// With all results, passing ones included (H8).
    pub(crate) record: LogRecord,
}

impl Outcome {
    /// Judges what was reported, check by check.
    pub(crate) fn judge(results: &[(Criticality, Vec<Report>)]) -> Self {
        let verdicts = results
            .iter()
            .map(|(need, reports)| Verdict::of(*need, reports));
        let verdict = verdicts.max().unwrap_or(Verdict::Ok);
        let reports = results.iter().flat_map(|(_, reports)| reports);
        Self {
            verdict,
            record: LogRecord::of_results(verdict, reports),
        }
    }
}

/// What the endpoint concludes.
#[derive(Debug, Clone)]
pub(crate) enum Decision {
    /// Healthy, as nobody asked for checks (H3).
    Pass,
    /// What the checks say (H6).
    Checked(Arc<Outcome>),
    /// The start is not over, or has failed (H18).
    Start(Unreleased),
    /// In maintenance (H4).
    Maintain,
    /// About to end (H20).
    Drain,
}

impl Decision {
    pub(crate) fn state(&self) -> State {
        match self {
            Self::Pass => State::Ok,
            Self::Checked(outcome) => match outcome.verdict {
                Verdict::Ok => State::Ok,
                Verdict::Degraded => State::Degraded,
                Verdict::Error => State::Failing,
            },
            Self::Start(unreleased) => match unreleased.start {
                Start::UnderWay => State::Starting,
                Start::Failed => State::Failing,
            },
            Self::Maintain => State::Maintenance,
            Self::Drain => State::Draining,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Condition, Criticality, Decision, Outcome, Step, Verdict};
    use crate::check::{Report, Status};
    use crate::endpoint::CheckMode::{Run, Skip};
    use crate::lifecycle::{Start, Unreleased};
    use crate::state::State;

    #[test]
    fn what_keeps_traffic_away_leaves_nothing_to_run_whatever_was_asked() {
        let start = |start| {
            let names = vec!["migrations".to_owned()];
            Condition::Start(Unreleased { start, names })
        };
        for (condition, state) in [
            (Condition::Draining, State::Draining),
            (Condition::Maintenance, State::Maintenance),
            (start(Start::UnderWay), State::Starting),
            (start(Start::Failed), State::Failing),
        ] {
            for mode in [Skip, Run] {
                match Step::choose(condition.clone(), mode) {
                    Step::Decided(decision) => assert_eq!(decision.state(), state),
                    step @ Step::RunChecks(_) => panic!("{step:?}"),
                }
            }
        }
        assert!(matches!(
            Step::choose(Condition::Open, Skip),
            Step::Decided(Decision::Pass)
        ));
        assert!(matches!(
            Step::choose(Condition::Open, Run),
            Step::RunChecks(_)
        ));
    }

    fn report(status: &str) -> Report {
        Report::new("check", status.into(), None)
    }

    #[test]
    fn one_failure_among_any_number_of_passes_fails() {
        let verdict = |reports: &[Report]| Verdict::of(Criticality::Required, reports);
        assert_eq!(verdict(&[]), Verdict::Ok);
        assert_eq!(verdict(&[report("OK"), report("OK")]), Verdict::Ok);
        for failing in ["ERROR", "ok", "NOK", "", "OK "] {
            assert_eq!(Status::from(failing), Status::Error, "{failing:?}");
            let reports = [report("OK"), report(failing), report("OK")];
            assert_eq!(verdict(&reports), Verdict::Error);
        }
    }

    proptest! {
        /// The model: count the failures of either kind.
        #[test]
        fn the_gravest_failure_decides_in_whatever_order(
            results in prop::collection::vec((any::<bool>(), prop::collection::vec(any::<bool>(), 0..3)), 0..6),
        ) {
            let failures = |optional: bool| {
                let of_kind = results.iter().filter(|(is_optional, _)| *is_optional == optional);
                of_kind.flat_map(|(_, passes)| passes).filter(|passes| !**passes).count()
            };
            let expected = match (failures(false), failures(true)) {
                (0, 0) => Verdict::Ok,
                (0, _) => Verdict::Degraded,
                _ => Verdict::Error,
            };
            let results: Vec<_> = results
                .iter()
                .map(|(optional, passes)| {
                    let need = if *optional { Criticality::Optional } else { Criticality::Required };
                    let status = |passes: &bool| report(if *passes { "OK" } else { "ERROR" });
                    (need, passes.iter().map(status).collect())
                })
                .collect();
            let outcome = Outcome::judge(&results);
            prop_assert_eq!(outcome.verdict, expected);
            let word = match expected {
                Verdict::Ok => "Health response: OK",
                Verdict::Degraded => "Health response: DEGRADED (",
                Verdict::Error => "Health response: ERROR (",
            };
            prop_assert!(outcome.record.text().starts_with(word));
        }
    }
}

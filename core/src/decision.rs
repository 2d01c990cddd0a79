//! The decision about a request, and the verdict on the results of checks (H4, H5, H6, H17).

mod record;
mod recovery;

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::{Duration, Instant};

use self::record::results_record;
pub(crate) use self::recovery::RecoveryDelay;
use crate::check::{Criticality, Report, Status};
use crate::lifecycle::{Start, Unreleased};
use crate::log::LogRecord;
use crate::state::State;
use crate::text::names;

/// The conclusion of an endpoint about a request.
#[derive(Debug, Clone)]
pub(crate) enum Decision {
    /// Healthy; the request asked for no checks (H3).
    Pass,
    /// The state follows from the checks (H6).
    Checked(Arc<Outcome>),
    /// The checks do not fail any more, and the return to healthy is delayed for the rest of a time (H25).
    Delayed { outcome: Arc<Outcome>, rest: Duration },
    /// The start is not over, or has failed (H18).
    Start(Unreleased),
    /// In maintenance (H4).
    Maintain,
    /// About to stop (H20).
    Drain,
}

impl Decision {
    /// The names of the checks that fail, or of the latches by which the start failed. `None` without checks.
    pub(crate) fn failing(&self) -> Option<Cow<'_, BTreeSet<String>>> {
        match self {
            Self::Checked(outcome) => Some(Cow::Borrowed(&outcome.failing)),
            Self::Delayed { outcome, .. } => {
                // The entry without a name is not OK.
                let mut failing = outcome.failing.clone();
                failing.insert(String::new());
                Some(Cow::Owned(failing))
            }
            Self::Start(unreleased) if unreleased.start == Start::Failed => {
                Some(Cow::Owned(unreleased.names().map(str::to_owned).collect()))
            }
            Self::Pass | Self::Start(_) | Self::Maintain | Self::Drain => None,
        }
    }

    pub(crate) fn state(&self) -> State {
        match self {
            Self::Pass => State::Ok,
            Self::Checked(outcome) => outcome.verdict.into(),
            Self::Delayed { .. } => State::Failing,
            Self::Start(unreleased) => match unreleased.start {
                Start::UnderWay => State::Starting,
                Start::Failed => State::Failing,
            },
            Self::Maintain => State::Maintenance,
            Self::Drain => State::Draining,
        }
    }
}

/// The permit to run the checks once. Only [`decide`] creates one, so no other code can run a check while the
/// application starts, drains or is in maintenance.
#[derive(Debug)]
pub(crate) struct RunPermit(());

/// Ends with a decision, or goes on to the checks. `observed` is a start, maintenance or drain that the endpoint shows:
/// all of them take precedence over the checks (H4, H17).
pub(crate) fn decide(
    observed: Option<Decision>,
    runs_checks: bool,
) -> ControlFlow<Decision, RunPermit> {
    match observed {
        Some(decision) => ControlFlow::Break(decision),
        None if runs_checks => ControlFlow::Continue(RunPermit(())),
        None => ControlFlow::Break(Decision::Pass),
    }
}

/// The result of several checks together. Verdicts are ordered by gravity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verdict {
    /// No check fails.
    Ok,
    /// No required check fails, but an optional one does ([H13](crate::contract#h13)), or a check is degraded
    /// ([H23](crate::contract#h23)).
    Degraded,
    /// A required check fails ([H6](crate::contract#h6)).
    Failing,
}

names!(Verdict, "verdict", {
    Ok => "ok",
    Degraded => "degraded",
    Failing => "failing",
});

impl From<Verdict> for State {
    fn from(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Ok => Self::Ok,
            Verdict::Degraded => Self::Degraded,
            Verdict::Failing => Self::Failing,
        }
    }
}

impl Verdict {
    /// The verdict on the results of one check; no results are no failure (H6).
    pub(crate) fn of(criticality: Criticality, reports: &[Report]) -> Self {
        let verdicts = reports.iter().map(|report| match (report.status(), criticality) {
            (Status::Ok, _) => Self::Ok,
            (Status::Degraded, _) | (Status::Error, Criticality::Optional) => Self::Degraded,
            (Status::Error, Criticality::Required) => Self::Failing,
        });
        verdicts.max().unwrap_or(Self::Ok)
    }
}

/// The outcome of one run of the checks, shared by all requests that waited for it.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) verdict: Verdict,
    /// The results, check by check.
    pub(crate) results: Vec<(Criticality, Arc<[Report]>)>,
    /// When the results were put together.
    concluded: Instant,
    /// The names of the results that are not OK.
    pub(crate) failing: BTreeSet<String>,
    /// With all results, passing ones included (H8).
    pub(crate) record: LogRecord,
}

impl Outcome {
    /// The outcome of these results, check by check, at the time `concluded`.
    pub(crate) fn of(results: Vec<(Criticality, Arc<[Report]>)>, concluded: Instant) -> Self {
        let verdicts =
            results.iter().map(|(criticality, reports)| Verdict::of(*criticality, reports));
        let verdict = verdicts.max().unwrap_or(Verdict::Ok);
        let reports = all_reports(&results);
        let failing = match verdict {
            // No result is another, and a poll of many checks need not look again.
            Verdict::Ok => BTreeSet::new(),
            Verdict::Degraded | Verdict::Failing => {
                let failing = reports.clone().filter(|report| report.status() != Status::Ok);
                failing.map(|report| report.name().to_owned()).collect()
            }
        };
        Self { verdict, failing, record: results_record(verdict, reports), results, concluded }
    }

    fn reports(&self) -> impl Iterator<Item = &Report> + Clone {
        all_reports(&self.results)
    }
}

fn all_reports(results: &[(Criticality, Arc<[Report]>)]) -> impl Iterator<Item = &Report> + Clone {
    results.iter().flat_map(|(_, reports)| &**reports)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use std::ops::ControlFlow;
    use std::time::Instant;

    use super::{Decision, Outcome, Verdict, decide};
    use crate::check::{Criticality, Report, Status};
    use crate::lifecycle::{Start, StartupLatch, Unreleased};
    use crate::state::State;

    #[test]
    fn no_check_runs_while_the_application_starts_drains_or_is_in_maintenance() {
        let start = |start| {
            let latches = vec![StartupLatch::new("migrations").shared()];
            Decision::Start(Unreleased { start, latches })
        };
        for (observed, state) in [
            (Decision::Drain, State::Draining),
            (Decision::Maintain, State::Maintenance),
            (start(Start::UnderWay), State::Starting),
            (start(Start::Failed), State::Failing),
        ] {
            for runs_checks in [false, true] {
                match decide(Some(observed.clone()), runs_checks) {
                    ControlFlow::Break(decision) => assert_eq!(decision.state(), state),
                    ControlFlow::Continue(permit) => panic!("{permit:?}"),
                }
            }
        }
        assert!(matches!(decide(None, false), ControlFlow::Break(Decision::Pass)));
        assert!(matches!(decide(None, true), ControlFlow::Continue(_)));
    }

    fn report(status: &str) -> Report {
        Report::new("check", status.into(), None)
    }

    #[test]
    fn one_failure_among_any_number_of_passes_fails() {
        let verdict = |reports: &[Report]| Verdict::of(Criticality::Required, reports);
        assert_eq!(verdict(&[]), Verdict::Ok);
        assert_eq!(verdict(&[report("OK"), report("OK")]), Verdict::Ok);
        for failing in ["ERROR", "ok", "NOK", "", "OK ", "DEGRADED"] {
            assert_eq!(Status::from(failing), Status::Error, "{failing:?}");
            let reports = [report("OK"), report(failing), report("OK")];
            assert_eq!(verdict(&reports), Verdict::Failing);
        }
    }

    proptest! {
        /// The model: count the failures of either kind, and the degraded results.
        #[test]
        fn the_gravest_failure_decides_in_whatever_order(
            results in prop::collection::vec(
                (any::<bool>(), prop::collection::vec(prop::sample::select(&Status::ALL[..]), 0..3)),
                0..6,
            ),
        ) {
            let number = |optional: bool, status: Status| {
                let of_kind = results.iter().filter(|(is_optional, _)| *is_optional == optional);
                of_kind.flat_map(|(_, statuses)| statuses).filter(|other| **other == status).count()
            };
            let degraded = number(false, Status::Degraded) + number(true, Status::Degraded);
            let expected = match (number(false, Status::Error), number(true, Status::Error) + degraded) {
                (0, 0) => Verdict::Ok,
                (0, _) => Verdict::Degraded,
                _ => Verdict::Failing,
            };
            let results: Vec<_> = results
                .iter()
                .map(|(optional, statuses)| {
                    let criticality = if *optional { Criticality::Optional } else { Criticality::Required };
                    let reports = statuses.iter().map(|status| Report::new("check", *status, None));
                    (criticality, reports.collect())
                })
                .collect();
            let outcome = Outcome::of(results, Instant::now());
            prop_assert_eq!(outcome.verdict, expected);
            let word = match expected {
                Verdict::Ok => "Health response: OK",
                Verdict::Degraded => "Health response: DEGRADED (",
                Verdict::Failing => "Health response: ERROR (",
            };
            prop_assert!(outcome.record.text().starts_with(word));
        }
    }
}

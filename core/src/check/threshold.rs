//! Thresholds: how many consecutive results change the status of a check (H15).

use super::{Report, Status};

/// The number of consecutive failures, and of successes after them, that count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Thresholds {
    pub(crate) failures: u32,
    pub(crate) successes: u32,
}

impl Default for Thresholds {
    fn default() -> Self {
        Self { failures: 1, successes: 1 }
    }
}

/// The status of a check after all its executions so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum CheckStatus {
    /// The check was never OK: every result counts as it is.
    #[default]
    Unproven,
    /// The check counts as OK; the last `failures` executions failed.
    Up { failures: u32 },
    /// The check counts as failing; the last `successes` executions passed.
    Down { successes: u32 },
}

impl CheckStatus {
    /// Updates the status with one execution of the check `name`, and returns the results as they count.
    pub(crate) fn count(
        &mut self,
        thresholds: Thresholds,
        name: &str,
        mut reports: Vec<Report>,
    ) -> Vec<Report> {
        let passed = !has_failed(&reports);
        *self = match (*self, passed) {
            (Self::Unproven, false) => Self::Unproven,
            (Self::Unproven | Self::Up { .. }, true) => Self::Up { failures: 0 },
            (Self::Down { .. }, false) => Self::Down { successes: 0 },
            (Self::Up { failures }, false) => {
                let failures = failures.saturating_add(1);
                if failures >= thresholds.failures {
                    Self::Down { successes: 0 }
                } else {
                    let note = format!("{failures} of {} failures", thresholds.failures);
                    let failing = |report: &&mut Report| report.status() == Status::Error;
                    for report in reports.iter_mut().filter(failing) {
                        *report = report.clone().overruled(Status::Ok, &note);
                    }
                    Self::Up { failures }
                }
            }
            (Self::Down { successes }, true) => {
                let successes = successes.saturating_add(1);
                if successes >= thresholds.successes {
                    Self::Up { failures: 0 }
                } else {
                    let note = format!("{successes} of {} successes", thresholds.successes);
                    if reports.is_empty() {
                        reports.push(Report::new(name, Status::Ok, None));
                    }
                    for report in &mut reports {
                        *report = report.clone().overruled(Status::Error, &note);
                    }
                    Self::Down { successes }
                }
            }
        };
        reports
    }
}

/// The gravest status; no results are no failure (H6).
pub(crate) fn gravest(reports: &[Report]) -> Status {
    let has = |status| reports.iter().any(|report| report.status() == status);
    if has(Status::Error) {
        Status::Error
    } else if has(Status::Degraded) {
        Status::Degraded
    } else {
        Status::Ok
    }
}

/// Whether a result is an error. A degraded check has passed.
pub(crate) fn has_failed(reports: &[Report]) -> bool {
    reports.iter().any(|report| report.status() == Status::Error)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{CheckStatus, Thresholds};
    use super::{Report, Status};

    fn execution(passes: bool) -> Vec<Report> {
        let failure = "no route";
        if passes {
            vec![Report::new("replica", Status::Ok, None)]
        } else {
            vec![Report::new("replica", Status::Error, Some(&failure))]
        }
    }

    /// What each execution counts as, and its message.
    fn settled(thresholds: Thresholds, executions: &[bool]) -> Vec<(bool, Option<String>)> {
        let mut status = CheckStatus::default();
        let settle = |passes: &bool| {
            let reports = status.count(thresholds, "replica", execution(*passes));
            let [report] = &*reports else { panic!("{reports:?}") };
            let counts_as_ok = report.status() == Status::Ok;
            (counts_as_ok, report.message().map(str::to_owned))
        };
        executions.iter().map(settle).collect()
    }

    #[test]
    fn a_result_that_does_not_count_yet_has_a_message() {
        let thresholds = Thresholds { failures: 2, successes: 2 };
        let text = |text: &str| Some(text.to_owned());
        assert_eq!(
            settled(thresholds, &[true, false, false, true, true]),
            [
                (true, None),
                (true, text("1 of 2 failures: no route")),
                (false, text("no route")),
                (false, text("1 of 2 successes")),
                (true, None),
            ]
        );
    }

    #[test]
    fn a_subscriber_that_falls_silent_while_it_counts_as_failing_is_reported_by_its_name() {
        let thresholds = Thresholds { failures: 1, successes: 2 };
        let mut status = CheckStatus::Down { successes: 0 };
        let reports = status.count(thresholds, "replicas", vec![]);
        assert_eq!(reports[0].name(), "replicas");
        assert_eq!(reports[0].status(), Status::Error);
        assert!(status.count(thresholds, "replicas", vec![]).is_empty());
    }

    /// Counts as OK: looks at the whole past anew, execution by execution.
    fn model(thresholds: Thresholds, past: &[bool]) -> bool {
        let Some(first_success) = past.iter().position(|passes| *passes) else {
            return false;
        };
        let mut is_up = true;
        let mut row = Vec::new();
        for passes in &past[first_success..] {
            if *passes == is_up {
                row.clear();
            } else {
                row.push(passes);
            }
            let needed = if is_up { thresholds.failures } else { thresholds.successes };
            if row.len() == needed as usize {
                is_up = !is_up;
                row.clear();
            }
        }
        is_up
    }

    proptest! {
        #[test]
        fn only_results_in_a_row_change_what_a_check_counts_as(
            failures in 1..5_u32,
            successes in 1..5_u32,
            executions in prop::collection::vec(any::<bool>(), 0..40),
        ) {
            let thresholds = Thresholds { failures, successes };
            let settled = settled(thresholds, &executions);
            for (index, (counts_as_ok, _)) in settled.iter().enumerate() {
                prop_assert_eq!(*counts_as_ok, model(thresholds, &executions[..=index]));
            }
        }
    }
}

//! H23: results that are more than OK or an error, and the slow checks of H12.

use std::time::{Duration, Instant};

use health_conformance::{Check, Preset};

use crate::fault::{checks, exchange, faults, results, setup, to};

faults! {
    /// A degraded check counts as failing.
    DegradedFails: "result/degraded" => checks(|check| {
        if std::mem::take(&mut check.degraded) {
            "ERROR".clone_into(&mut check.status);
        }
    });
    /// A degraded optional check is not shown.
    DegradedOptionalUntold: "result/degraded-optional" =>
        checks(|check| check.degraded &= !check.optional);
    /// A degraded check hides that another one fails.
    DegradedHidesOthers: "result/degraded-and-failing" => setup(|setup| {
        let is_degraded = setup.checks.iter().any(|check| check.degraded);
        setup.checks.iter_mut().for_each(|check| check.optional |= is_degraded);
    });
    /// The status text `DEGRADED` is a degraded result.
    DegradedByText: "result/degraded-as-text" =>
        checks(|check| check.degraded |= check.status == "DEGRADED");
    /// Reasons and values are not logged.
    ReasonUntold: "result/reason-and-values" => results(|rows, _, _| {
        rows.iter_mut().for_each(|row| row.rest.clear());
    });
    /// The values of a check that passes are not logged.
    ValuesOfPassingUntold: "result/reason-and-values" => results(|rows, _, _| {
        let passing = rows.iter_mut().filter(|row| row.status == "OK");
        passing.for_each(|row| row.rest.clear());
    });
    /// The values come before the reason.
    ValuesBeforeReason: "result/reason-and-values" => results(|rows, _, _| {
        for row in rows {
            row.rest = std::mem::take(&mut row.rest).into_iter().rev().collect();
        }
    });
    /// A reason is logged, whatever it is.
    ReasonUnchecked: "result/left-out" => results(|rows, _, correct| {
        for (row, check) in rows.iter_mut().zip(&correct.setup.checks) {
            if let Some(reason) = &check.reason {
                row.rest.shift_insert(0, "reason".to_owned(), reason.as_str().into());
            }
        }
    });
    /// What is left out is logged each time.
    LeftOutToldAgain: "result/left-out" => to(|answer, request, correct| {
        if request.asks() && correct.setup.checks.iter().any(has_odd_reason) {
            answer.log("WARN", "database-check");
        }
    });
    /// Nothing is logged about what is left out.
    LeftOutUntold: "result/left-out-of-ok" => checks(|check| {
        if has_odd_reason(check) {
            check.reason = None;
        }
    });
    /// A reason that is not accepted makes a check fail.
    LeftOutFails: "result/left-out-of-ok" => checks(|check| {
        if has_odd_reason(check) && check.status == "OK" {
            "ERROR".clone_into(&mut check.status);
            check.message = Some("the reason is not accepted".to_owned());
        }
    });
    /// A degraded result counts as a failure for the thresholds.
    DegradedIsNoSuccess: "result/degraded-counts-as-success" => checks(|check| {
        for later in check.then.iter_mut().filter(|later| later.degraded) {
            later.degraded = false;
            "ERROR".clone_into(&mut later.status);
        }
    });
    /// A degraded result does not prove that a shared dependency was reached.
    DegradedProvesNothing: "result/degraded-shared" => checks(|check| {
        if check.shared && std::mem::take(&mut check.degraded) {
            "ERROR".clone_into(&mut check.status);
        }
    });
    /// An endpoint that warns people does not show that a check is degraded.
    DegradedHiddenFromPeople: "result/degraded-endpoints" => setup(|setup| {
        if setup.checks.iter().any(|check| check.degraded) {
            let warns = setup.endpoints.iter_mut().filter(|it| it.preset == Preset::Nagios);
            warns.for_each(|endpoint| endpoint.preset = Preset::Readiness);
        }
    });
    /// A slow check is not logged.
    SlowUntold: "timeout/slow" => setup(|setup| setup.slow_percent = None);
    /// A slow check is logged each time.
    SlowToldAgain: "timeout/slow" => {
        let decoration = exchange(|request, correct| {
            let start = Instant::now();
            let mut answer = correct.answer(request);
            let is_watched = correct.setup.checks.iter().any(|check| check.timeout.as_secs() == 4);
            if is_watched && start.elapsed() > Duration::from_secs(1) {
                answer.log("WARN", "database-check");
            }
            Ok(answer)
        });
        crate::fault::Decoration { setup: Box::new(|setup| setup.slow_percent = None), ..decoration }
    };
}

fn has_odd_reason(check: &Check) -> bool {
    check.reason.as_ref().is_some_and(|reason| reason.contains([' ', 'R']))
}

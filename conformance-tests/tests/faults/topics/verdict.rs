//! H6 and H7: the verdict, and what becomes of the results.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use health_conformance::{Behaviour, Check, Setup};

use crate::correct::Answer;
use crate::fault::{Crowd, Decoration, Memory, Row, answer, exchange, faults, results, setup, to};

faults! {
    /// No failure counts.
    FailuresIgnored: "verdict/error" => answer(|answer| {
        if answer.is("ERROR") {
            answer.turn_ok();
        }
    });
    /// The failure code is 503, whatever the setting.
    FailureCodeIgnored: "verdict/configured-code" =>
        setup(|setup| drop(setup.settings.remove(FAILURE_CODE)));
    /// An error with the code 200 has the body OK.
    FailureCode200IsHealth: "verdict/ok-as-code" => answer(|answer| {
        if answer.is("ERROR") && answer.status == 200 {
            answer.set_body("OK");
        }
    });
    /// One code serves for both.
    OneCodeForBoth:
        "verdict/code-does-not-touch-maintenance",
        "maintenance/code-does-not-touch-errors" => setup(|setup| {
        for (from, to) in [(FAILURE_CODE, MAINTENANCE_CODE), (MAINTENANCE_CODE, FAILURE_CODE)] {
            if let Some(code) = setup.settings.get(from).cloned() {
                setup.settings.entry(to.to_owned()).or_insert(code);
            }
        }
    });
    /// Without checks, asking for them is an error.
    NoReportsIsAnError: "verdict/no-reports" => to(|answer, request, correct| {
        if request.asks() && correct.setup.checks.is_empty() {
            answer.turn(503, "ERROR");
        }
    });
    /// Status is compared without regard to case.
    StatusInAnyCase: "verdict/status-lower-case" =>
        passes(|status| status.eq_ignore_ascii_case("OK"));
    /// Spaces round a status are ignored.
    StatusTrimmed: "verdict/status-padded" => passes(|status| status.trim() == "OK");
    /// An empty status passes.
    EmptyStatusPasses: "verdict/status-empty" => passes(str::is_empty);
    /// Only `ERROR` fails.
    OnlyErrorFails: "verdict/status-word" => passes(|status| status != "ERROR");
    /// A status that contains `OK` passes.
    StatusContainsOk: "verdict/status-nok" => passes(|status| status.contains("OK"));
    /// The last of several reports of one name counts.
    LastOfOneNameCounts: "verdict/earlier-failure-of-one-name" =>
        one_of_a_name(|same| same.last().cloned());
    /// The first of several reports of one name counts.
    FirstOfOneNameCounts: "verdict/later-failure-of-one-name" =>
        one_of_a_name(|same| same.first().cloned());
    /// Only the first check counts.
    FirstCheckCounts: "subscriber/all-of-them-run" => setup(|setup| {
        for check in setup.checks.iter_mut().skip(1) {
            "OK".clone_into(&mut check.status);
        }
    });
    /// The first failure ends the run.
    FailureEndsRun: "subscriber/all-of-them-run" =>
        setup(|setup| cut_behind(setup, |check| check.status != "OK"));
    /// Results of one name are reported once.
    DuplicatesDropped: "subscriber/duplicates-kept" =>
        results(|rows, _, _| rows.dedup_by(|one, other| one.name == other.name));
    /// Results stand in the order in which they came.
    ResultsAsTheyCame: "subscriber/registration-order" => setup(|setup| {
        setup.checks.sort_by_key(|check| match check.behaviour {
            Behaviour::Slow(time) => time,
            _ => Duration::ZERO,
        });
    });
    /// Results of earlier requests are kept.
    ResultsPileUp: "subscriber/nothing-left-over" => {
        let all = Memory::<Vec<Row>>::default();
        results(move |rows, _, _| {
            let mut all = all.lock();
            all.append(rows);
            rows.clone_from(&all);
        })
    };
    /// A client that leaves takes the checks of others with it.
    LeavingPoisonsChecks: "wire/client-leaves-while-checks-run" => {
        let is_poisoned = AtomicBool::new(false);
        to(move |answer, request, _| {
            is_poisoned.fetch_or(request.has_left(), Relaxed);
            if is_poisoned.load(Relaxed) {
                *answer = Answer::page(500, "poisoned");
            }
        })
    };
    /// Responses to requests during a run are not logged.
    SharedRunLoggedOnce: "wire/crowd-with-checks" => {
        let crowd = Crowd::default();
        exchange(move |request, correct| {
            let (mut answer, has_joined) = crowd.answer(request, correct);
            answer.records.truncate(usize::from(!has_joined));
            Ok(answer)
        })
    };
    /// Of requests that come together, only the first is logged.
    PipelineLoggedOnce: "wire/pipelined-checks" => to(|answer, request, _| {
        if request.number > 0 {
            answer.records.clear();
        }
    });
}

const FAILURE_CODE: &str = "healthcheck.failure_code";
const MAINTENANCE_CODE: &str = "healthcheck.maintenance_code";

/// Checks of such a status pass.
fn passes(passes: fn(&str) -> bool) -> Decoration {
    setup(move |setup| {
        let passing = setup.checks.iter_mut().filter(|check| passes(&check.status));
        passing.for_each(|check| "OK".clone_into(&mut check.status));
    })
}

/// One of the statuses of each name counts for all of them.
fn one_of_a_name(choose: fn(&[String]) -> Option<String>) -> Decoration {
    setup(move |setup| {
        let checks = setup.checks.clone();
        for check in &mut setup.checks {
            let same = checks.iter().filter(|other| other.name == check.name);
            let same: Vec<String> = same.map(|other| other.status.clone()).collect();
            check.status = choose(&same).unwrap_or_default();
        }
    })
}

/// The checks behind the first such one are not run.
pub(crate) fn cut_behind(setup: &mut Setup, is_last: impl Fn(&Check) -> bool) {
    if let Some(last) = setup.checks.iter().position(is_last) {
        setup.checks.truncate(last + 1);
    }
}

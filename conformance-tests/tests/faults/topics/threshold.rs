//! H15: thresholds.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use health_conformance::Behaviour;

use crate::fault::{Crowd, checks, exchange, faults, results, to};

faults! {
    /// The first failure counts.
    ThresholdsIgnored: "threshold/failures" =>
        checks(|check| (check.failure_threshold, check.success_threshold) = (1, 1));
    /// A failure that counts is forgotten.
    FailuresCountAnew: "threshold/failures" => {
        let has_counted = AtomicBool::new(false);
        to(move |answer, _, _| {
            if answer.is("ERROR") && !has_counted.fetch_not(Relaxed) {
                return;
            }
            if answer.is("ERROR") {
                answer.turn_ok();
            }
        })
    };
    /// A failure that does not count yet is not logged.
    HeldBackUntold: "threshold/failures-are-told" => results(|rows, _, _| {
        for row in rows.iter_mut().filter(|row| row.message().contains(" failures")) {
            row.message = None;
        }
    });
    /// Failures count, in a row or not.
    FailuresCountInAll: "threshold/failures-in-a-row" =>
        checks(|check| check.then.retain(|later| later.status != "OK"));
    /// Failures are held back before the first OK, too.
    FirstFailureHeldBack: "threshold/failures-before-the-first-ok" => {
        let has_passed = AtomicBool::new(false);
        to(move |answer, _, _| {
            if !has_passed.fetch_or(answer.is("OK"), Relaxed) && answer.is("ERROR") {
                answer.turn_ok();
            }
        })
    };
    /// The first OK is held back.
    FirstOkHeldBack: "threshold/failures-before-the-first-ok" => {
        let has_passed = AtomicBool::new(false);
        to(move |answer, request, _| {
            if request.asks() && answer.is("OK") && !has_passed.swap(true, Relaxed) {
                answer.turn(503, "ERROR");
            }
        })
    };
    /// The first OK after a failure counts.
    FirstSuccessCounts: "threshold/successes" => checks(|check| check.success_threshold = 1);
    /// OK results count, in a row or not.
    SuccessesCountInAll: "threshold/successes-in-a-row" => checks(|check| {
        let first = check.then.iter().position(|later| later.status != "OK");
        let mut index = 0;
        check.then.retain(|later| {
            index += 1;
            later.status == "OK" || first.is_some_and(|first| index == first + 1)
        });
    });
    /// A run counts for each request that shares it.
    RunCountsForEachAsker: "threshold/shared-run" => {
        let crowd = Crowd::default();
        exchange(move |request, correct| {
            let (answer, has_joined) = crowd.answer(request, correct);
            if has_joined {
                correct.answer(request);
                return Ok(correct.answer(request));
            }
            Ok(answer)
        })
    };
    /// A timeout that has expired is never held back.
    TimeoutsAlwaysCount: "threshold/timeouts" => checks(|check| {
        if check.then.iter().any(|later| later.behaviour == Behaviour::Hang) {
            check.failure_threshold = 1;
        }
    });
}

//! H12: checks that panic, hang or block.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use health_conformance::{Behaviour, Check, Line, Place, Setup};

use super::verdict::cut_behind;
use crate::correct::Answer;
use crate::fault::{
    Decoration, Memory, answer, exchange, faults, hang_up, results, rows, setup, to, wait_for_runs,
};

faults! {
    /// A panic ends the connection.
    PanicEndsConnection: "panic/is-an-error" => ends_connection(|_| true);
    /// A panic ends the run.
    PanicEndsRun: "panic/others-still-run" => setup(|setup| cut_behind(setup, panics));
    /// A panic passes.
    PanicPasses: "panic/is-an-error" => setup(|setup| {
        for check in setup.checks.iter_mut().filter(|check| panics(check)) {
            check.behaviour = Behaviour::Report;
        }
    });
    /// A panic makes every later response an error.
    PanicSticks: "panic/every-time" => {
        let has_panicked = AtomicBool::new(false);
        to(move |answer, _, correct| {
            if has_panicked.load(Relaxed) {
                *answer = Answer::page(500, "poisoned");
            }
            has_panicked.fetch_or(answer.is("ERROR") && any_panics(&correct.setup, |_| true), Relaxed);
        })
    };
    /// The response to a panic is a page, with a body even for HEAD.
    PanicHasAPage: "panic/head" => answer(|answer| {
        if answer.is("ERROR") {
            answer.set_body("a check panicked");
            answer.sends_body = true;
        }
    });
    /// A plain request panics with its checks.
    PlainPanics: "panic/not-asked-for" => hang_up(|_, request, correct| {
        request.target == correct.url() && any_panics(&correct.setup, |_| true)
    });
    /// In maintenance, a check that would panic ends the connection.
    PanicInMaintenance: "maintenance/beats-panicking-check" => hang_up(|answer, _, correct| {
        answer.is("MAINTENANCE") && any_panics(&correct.setup, |_| true)
    });
    /// A panic in the call that makes a future ends the connection.
    PanicInCallEndsConnection: "panic/in-the-call", "panic/everywhere" =>
        ends_connection(|place| place == Place::Call);
    /// A panic in a drop ends the connection.
    PanicInDropEndsConnection: "panic/in-drop" => ends_connection(|place| place == Place::Drop);
    /// A panic in the drop of a panic's payload ends the connection.
    PanicInPayloadEndsConnection: "panic/in-payload" =>
        ends_connection(|place| place == Place::Payload);

    /// There are no timeouts: the response waits for the slowest.
    NoTimeout: "timeout/hanging" => timeout(|_| Some(FOR_EVER));
    /// When a timeout expires, what the others said is lost.
    OthersLostAtTimeout: "timeout/hanging", "timeout/everything-breaks" => results(|rows, _, _| {
        if rows.iter().any(|row| row.is_late()) {
            rows.retain(|row| row.is_late());
        }
    });
    /// A check that is too late is waited for, and its OK counts.
    LateOkCounts: "timeout/late" =>
        timeout(|check| matches!(check.behaviour, Behaviour::Slow(_)).then_some(FOR_EVER));
    /// All checks have one short timeout, whatever their own is.
    TimeoutIsFixed: "timeout/in-time" => timeout(|_| Some(Duration::from_millis(250)));
    /// A result that comes too late is that of the next request.
    LateResultKept: "timeout/after-a-late-one" => {
        let was_late = AtomicBool::new(false);
        to(move |answer, request, _| {
            let is_late = answer.records.iter().filter_map(rows).flatten().any(|row| row.is_late());
            if was_late.swap(is_late, Relaxed) && request.asks() {
                answer.turn_ok();
            }
        })
    };
    /// A check that timed out once always times out.
    LatenessSticks: "timeout/after-a-late-one" => first_late_answer(|text| text.to_owned());
    /// Checks run one after the other.
    TimeoutsAddUp: "timeout/many" => setup(|setup| {
        let mut sum = Duration::ZERO;
        for check in &mut setup.checks {
            sum += check.timeout;
            check.timeout = sum;
        }
    });
    /// Plain requests wait for a run that is under way.
    PlainWaitsForRuns: "timeout/plain-meanwhile" => wait_for_runs(|_, request| !request.asks());
    /// In maintenance, requests wait for a run that is under way.
    MaintenanceWaitsForRuns: "timeout/maintenance-meanwhile" =>
        wait_for_runs(|answer, _| answer.is("MAINTENANCE"));
    /// A check that blocks its thread is waited for.
    BlockingHasNoTimeout: "blocking/past-its-timeout" =>
        timeout(|check| blocks(check).then_some(FOR_EVER));
    /// A check that still blocks a thread is started again.
    BlockingStartedAgain: "blocking/past-its-timeout" => to(|answer, _, correct| {
        for row in answer.records.iter().filter_map(rows).flatten() {
            if row.message().starts_with("still running") {
                correct.journal.record(Line::Check(row.name.unwrap_or_default()));
            }
        }
    });
    /// A check that blocked its thread too long is never started again.
    BusyForEver: "blocking/ended" =>
        first_late_answer(|text| text.replace("timed out", "still running"));
    /// A check that blocks its thread is not waited for at all.
    BlockingNotAwaited: "blocking/in-time" =>
        timeout(|check| blocks(check).then_some(Duration::from_millis(1)));
    /// While a check blocks its thread, plain requests wait.
    BlockingBlocksServer: "blocking/plain-meanwhile" => wait_for_runs(|_, request| !request.asks());
}

/// Longer than any scenario.
const FOR_EVER: Duration = Duration::from_secs(600);

fn panics(check: &Check) -> bool {
    matches!(check.behaviour, Behaviour::Panic(_))
}

fn blocks(check: &Check) -> bool {
    matches!(check.behaviour, Behaviour::Block(_))
}

fn any_panics(setup: &Setup, is_at: fn(Place) -> bool) -> bool {
    let mut checks = setup.checks.iter();
    checks.any(|check| matches!(check.behaviour, Behaviour::Panic(place) if is_at(place)))
}

/// A run with a panic in such a place ends the connection.
fn ends_connection(is_at: fn(Place) -> bool) -> Decoration {
    hang_up(move |answer, _, correct| answer.is("ERROR") && any_panics(&correct.setup, is_at))
}

/// Checks have other timeouts.
fn timeout(of: fn(&Check) -> Option<Duration>) -> Decoration {
    setup(move |setup| {
        for check in &mut setup.checks {
            check.timeout = of(check).unwrap_or(check.timeout);
        }
    })
}

/// The first response with a check that was late is that of all later runs, in other words.
fn first_late_answer(words: fn(&str) -> String) -> Decoration {
    let late = Memory::<Option<Answer>>::default();
    exchange(move |request, correct| {
        if let Some(late) = late.lock().as_ref().filter(|_| request.asks()) {
            return Ok(late.clone());
        }
        let answer = correct.answer(request);
        if answer.records.iter().filter_map(rows).flatten().any(|row| row.is_late()) {
            let mut kept = answer.clone();
            for record in &mut kept.records {
                record.text = words(&record.text);
            }
            *late.lock() = Some(kept);
        }
        Ok(answer)
    })
}

//! H20: the drain.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};

use health_conformance::Command;

use super::maintenance::disablefile;
use super::source::{needs_a_request, seen_late};
use super::state::is_no_drain;
use crate::correct::{Answer, Correct};
use crate::fault::{Decoration, Twin, command, exchange, faults, wait_for_runs};
use crate::http::Request;

faults! {
    /// There is no drain.
    DrainIgnored: "drain/next-request" => command(|command, correct| {
        if is_no_drain(command) {
            correct.apply(command);
        }
    });
    /// A drain is seen by the second request.
    DrainSeenLate: "drain/next-request", "drain/kept-connection" => seen_late();
    /// A drain is lost that begins before the first request.
    DrainNeedsARequest: "drain/before-the-first-request" => needs_a_request();
    /// A second drain ends the first.
    SecondDrainEndsIt: "drain/twice" => {
        let drains = AtomicUsize::new(0);
        ends(move |command| !is_no_drain(command) && drains.fetch_add(1, Relaxed) > 0, |_, _, _| false)
    };
    /// Only the first twenty requests get the draining response.
    DrainToldToSome: "drain/crowd" => {
        let told = AtomicUsize::new(0);
        ends(|_| false, move |answer, _, _| answer.state() == "DRAINING" && told.fetch_add(1, Relaxed) > 20)
    };
    /// A marker ends the drain.
    MarkerEndsDrain: "drain/marker-does-not-end-it" =>
        ends(|_| false, |_, _, correct| disablefile(correct).exists());
    /// The switch ends the drain.
    SwitchEndsDrain: "drain/switch-does-not-end-it" =>
        ends(|command| matches!(command, Command::SwitchOff), |_, _, _| false);
    /// A latch that is released ends the drain.
    ReleaseEndsDrain: "drain/release-does-not-end-it" =>
        ends(|command| matches!(command, Command::Release(_)), |_, _, _| false);
    /// Checks that pass end the drain.
    PassingChecksEndDrain: "drain/checks-do-not-end-it" =>
        ends(|_| false, |answer, _, _| answer.is("OK"));
    /// A run that is under way ends with what its checks say.
    RunOutlivesDrain: "drain/while-checks-run" => {
        let is_draining = Arc::new(AtomicBool::new(false));
        let (told, undrained) = (is_draining.clone(), Twin::new(|_| {}));
        exchange(move |request, correct| if is_draining.load(Relaxed) { Ok(correct.answer(request)) } else { Ok(undrained.of(correct).answer(request)) })
        .with_command(move |command, correct| {
            told.store(true, Relaxed);
            correct.apply(command);
        })
    };
    /// In a drain, requests wait for runs that are under way.
    DrainWaitsForRuns: "drain/while-a-check-hangs" =>
        wait_for_runs(|answer, _| answer.state() == "DRAINING");
}

/// The drain is over once a command or a response ends it.
fn ends(
    by_command: impl Fn(&Command) -> bool + Send + Sync + 'static,
    by_answer: impl Fn(&Answer, &Request, &Correct) -> bool + Send + Sync + 'static,
) -> Decoration {
    let is_over = Arc::new(AtomicBool::new(false));
    let undrained = Arc::new(Twin::new(|_| {}));
    let (told, others) = (is_over.clone(), undrained.clone());
    exchange(move |request, correct| {
        if is_over.load(Relaxed) {
            return Ok(undrained.of(correct).answer(request));
        }
        let answer = correct.answer(request);
        is_over.store(by_answer(&answer, request, correct), Relaxed);
        Ok(answer)
    })
    .with_command(move |command, correct| {
        let others = others.of(correct);
        correct.apply(command);
        if is_no_drain(command) {
            others.apply(command);
        }
        told.fetch_or(by_command(command), Relaxed);
    })
}

//! H18: the start-up.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use health_conformance::{Command, Preset};

use super::endpoint::shows;
use crate::correct::Correct;
use crate::fault::{Memory, command, faults, no_disablefile, other_wins, results, setup, to};

faults! {
    /// Latches hold nothing.
    LatchesIgnored: "startup/plain-endpoint" => setup(|setup| setup.latches.clear());
    /// One latch that is released is enough.
    OneLatchIsEnough: "startup/until-all-are-released" => command(|command, correct| match command {
        Command::Release(_) => release_all(correct),
        other => correct.apply(other),
    });
    /// The last latch alone counts.
    LastLatchCounts: "startup/in-any-order" =>
        setup(|setup| drop(setup.latches.drain(..setup.latches.len().saturating_sub(1))));
    /// The log names every latch, released or not.
    ReleasedLatchesNamed: "startup/until-all-are-released" => to(|answer, _, correct| {
        for record in &mut answer.records {
            if record.state() == Some("STARTING") {
                let names = serde_json::to_string(&correct.setup.latches).unwrap();
                record.text = format!("Health response: STARTING ({names})");
            }
        }
    });
    /// Names of latches stand in a header.
    LatchesInHeader: "startup/plain-endpoint" => to(|answer, _, correct| {
        if answer.state() == "STARTING" {
            answer.set("x-waits-for", &correct.setup.latches.join(" "));
        }
    });
    /// After a while the server takes itself for started.
    ForgottenIsReady: "startup/forgotten" => {
        let answered = AtomicUsize::new(0);
        to(move |answer, _, correct| {
            if answer.state() == "STARTING" && answered.fetch_add(1, Relaxed) >= 10 {
                release_all(correct);
            }
        })
    };
    /// A latch that is dropped is released.
    DroppedIsReady: "startup/dropped" => command(|command, correct| match command {
        Command::Drop(name) => correct.apply(&Command::Release(name.clone())),
        other => correct.apply(other),
    });
    /// A latch that is dropped is still held.
    DroppedIsStarting: "startup/dropped" => command(|command, correct| match command {
        Command::Drop(_) => {}
        other => correct.apply(other),
    });
    /// A latch that was dropped fails only those who ask for checks.
    DroppedNeedsAQuery: "startup/dropped" => to(|answer, request, correct| {
        if request.target == correct.url() && answer.is("ERROR") {
            answer.turn_ok();
        }
    });
    /// Checks run although a latch was dropped.
    ChecksRunWithDropped: "startup/dropped" =>
        other_wins(|setup| setup.latches.clear(), |_| true, ("ERROR", ""));
    /// Liveness fails with a latch that was dropped.
    DroppedKillsLiveness: "startup/dropped-and-alive" => shows(Preset::Liveness, "ERROR");
    /// A latch that was dropped beats maintenance.
    DroppedBeatsMaintenance: "startup/dropped-in-maintenance" =>
        other_wins(no_disablefile, |_| true, ("MAINTENANCE", "ERROR"));
    /// While a latch is held, none has failed.
    HeldHidesDropped: "startup/dropped-and-held" => {
        let held = Arc::new(AtomicUsize::new(0));
        let told = held.clone();
        to(move |answer, _, correct| {
            if answer.is("ERROR") && held.load(Relaxed) < correct.setup.latches.len() {
                answer.turn(503, "STARTING");
            }
        })
        .with_command(move |command, correct| {
            told.fetch_add(1, Relaxed);
            correct.apply(command);
        })
    };
    /// The error of a latch that failed is not logged.
    FailedLikeDropped: "startup/failed" => command(|command, correct| match command {
        Command::Fail(name, _) => correct.apply(&Command::Drop(name.clone())),
        other => correct.apply(other),
    });
    /// A latch that failed is still held.
    FailedIsStarting: "startup/failed" => command(|command, correct| match command {
        Command::Fail(..) => {}
        other => correct.apply(other),
    });
    /// Latches are logged in the order in which they were dropped.
    DroppedAsTheyCame: "startup/all-dropped" => {
        let dropped = Arc::new(Memory::<Vec<String>>::default());
        let told = dropped.clone();
        results(move |rows, _, _| {
            let dropped = dropped.lock();
            rows.sort_by_key(|row| dropped.iter().position(|name| Some(name) == row.name.as_ref()));
        })
        .with_command(move |command, correct| {
            if let Command::Drop(name) = command {
                told.lock().push(name.clone());
            }
            correct.apply(command);
        })
    };
}

fn release_all(correct: &Correct) {
    for latch in &correct.setup.latches {
        correct.apply(&Command::Release(latch.clone()));
    }
}

//! H19: sources of maintenance.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};

use health_conformance::Command;

use super::maintenance::disablefile;
use crate::correct::Correct;
use crate::fault::{Decoration, Memory, command, faults, other_wins, to};

faults! {
    /// There is no switch.
    SwitchIgnored: "source/switch" => command(|command, correct| {
        if !is_switch(command) {
            correct.apply(command);
        }
    });
    /// A switch is seen by the second request.
    SwitchSeenLate: "source/switch" => seen_late();
    /// A switch is lost that is turned before the first request.
    SwitchNeedsARequest: "source/switch-before-the-first-request" => needs_a_request();
    /// The switch counts.
    SwitchCounts: "source/switch-twice" => {
        let count = AtomicUsize::new(0);
        command(move |command, correct| match command {
            Command::SwitchOn => {
                count.fetch_add(1, Relaxed);
                correct.apply(command);
            }
            Command::SwitchOff if count.fetch_sub(1, Relaxed) > 1 => {}
            _ => correct.apply(command),
        })
    };
    /// What the switch said last beats the file.
    SwitchOverridesFile: "source/any-of-them" => {
        let is_off = Arc::new(AtomicBool::new(false));
        let told = is_off.clone();
        to(move |answer, _, _| {
            if is_off.load(Relaxed) && answer.is("MAINTENANCE") {
                answer.turn_ok();
            }
        })
        .with_command(move |command, correct| {
            told.store(matches!(command, Command::SwitchOff), Relaxed);
            correct.apply(command);
        })
    };
    /// File and switch are needed both.
    EverySourceNeeded: "source/any-of-them" => to(|answer, _, correct| {
        if answer.is("MAINTENANCE") && !is_marked(correct) {
            answer.turn_ok();
        }
    });
    /// Without a disablefile there is no switch either.
    SwitchNeedsDisablefile: "source/without-disablefile" => command(|command, correct| {
        if !is_switch(command) || correct.setting("disablefile") != Some("") {
            correct.apply(command);
        }
    });
    /// A switch that is on starts checks.
    SwitchRunsChecks: "source/no-checks" =>
        other_wins(|_| {}, |command| !is_switch(command), ("MAINTENANCE", ""));
    /// The code of the switch is always 299.
    SwitchHasACodeOfItsOwn: "source/configured-code" => to(|answer, _, correct| {
        if answer.is("MAINTENANCE") && !is_marked(correct) {
            answer.status = 299;
        }
    });
    /// The switch is that of the first endpoint.
    SwitchIsOfTheFirst: "source/every-endpoint" => to(|answer, request, correct| {
        if answer.is("MAINTENANCE") && !is_marked(correct) && correct.further(request).is_some() {
            answer.turn_ok();
        }
    });
}

fn is_switch(command: &Command) -> bool {
    matches!(command, Command::SwitchOn | Command::SwitchOff)
}

fn is_marked(correct: &Correct) -> bool {
    disablefile(correct).exists()
}

/// Commands take effect after the next request.
pub(crate) fn seen_late() -> Decoration {
    let pending = Arc::new(Memory::<Vec<Command>>::default());
    let told = pending.clone();
    to(move |_, _, correct| {
        for command in pending.lock().drain(..) {
            correct.apply(&command);
        }
    })
    .with_command(move |command, _| told.lock().push(command.clone()))
}

/// Commands before the first request are lost.
pub(crate) fn needs_a_request() -> Decoration {
    let is_asked = Arc::new(AtomicBool::new(false));
    let told = is_asked.clone();
    to(move |_, _, _| is_asked.store(true, Relaxed)).with_command(move |command, correct| {
        if told.load(Relaxed) {
            correct.apply(command);
        }
    })
}

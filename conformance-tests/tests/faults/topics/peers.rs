//! H24: peers.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use health_conformance::Command;

use crate::fault::{checks, command, faults, rows, to};

faults! {
    /// What the peers say changes nothing.
    PeersUnheard: "peers/majority" => command(|command, correct| {
        if !matches!(command, Command::Peers(..)) {
            correct.apply(command);
        }
    });
    /// A host leaves as soon as its peers reach what it does not.
    PeersAtOnce: "peers/not-at-once" => to(|answer, _, _| {
        if answer.state() == "DEGRADED" {
            answer.turn(503, "ERROR");
        }
    });
    /// One peer that reaches the dependency is enough.
    PeersInMinority: "peers/minority" => command(|command, correct| match command {
        Command::Peers(name, 1.., of) => correct.apply(&Command::Peers(name.clone(), *of, *of)),
        _ => correct.apply(command),
    });
    /// Half of the peers are a majority.
    PeersInHalf: "peers/half" => command(|command, correct| match command {
        Command::Peers(name, reaching, of) if reaching * 2 == *of => {
            correct.apply(&Command::Peers(name.clone(), *of, *of));
        }
        _ => correct.apply(command),
    });
    /// A host that has left returns only when the dependency does.
    PeersRemembered: "peers/no-opinion" => {
        let has_left = AtomicBool::new(false);
        to(move |answer, _, _| match answer.state() {
            "DEGRADED" if has_left.load(Relaxed) => answer.turn(503, "ERROR"),
            "ERROR" => has_left.store(true, Relaxed),
            _ => {}
        })
    };
    /// A host leaves only once.
    PeersHeardOnce: "peers/back" => {
        let has_returned = AtomicBool::new(false);
        let has_left = AtomicBool::new(false);
        to(move |answer, _, _| match answer.state() {
            "ERROR" if has_returned.load(Relaxed) => answer.turn(200, "OK"),
            "ERROR" => has_left.store(true, Relaxed),
            _ => has_returned.store(has_left.load(Relaxed), Relaxed),
        })
    };
    /// A view is kept when the exchange fails.
    PeersOutliveLoss: "peers/lost-view" => command(|command, correct| {
        if !matches!(command, Command::PeersFail(_)) {
            correct.apply(command);
        }
    });
    /// An exchange that fails takes the host out.
    PeersRequired: "peers/failing-exchange" => to(|answer, _, _| {
        let mut rows = answer.records.iter().filter_map(rows).flatten();
        if rows.any(|row| row.name.as_deref() == Some("peers-check") && row.status == "ERROR") {
            answer.turn(503, "ERROR");
        }
    });
    /// One view of an unknown check loses all views.
    PeersAllOrNothing: "peers/unknown-check" => command(|command, correct| match command {
        Command::Peers(name, ..) if name == "mail-check" => {}
        _ => {
            correct.apply(command);
            correct.apply(&Command::PeersFail("no such check".to_owned()));
        }
    });
    /// A host that has never reached the dependency serves if its peers do not reach it either.
    PeersExcuseStart: "peers/never-ok" => checks(|check| check.optional |= check.shared);
}

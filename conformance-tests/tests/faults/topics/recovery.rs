//! H25: the delay of a return to healthy.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use health_conformance::{Endpoint, LogPolicy};

use crate::correct::Answer;
use crate::fault::{Decoration, Row, faults, no_disablefile, other_wins, results, rows, setup, to};

const TEN_YEARS: Duration = Duration::from_secs(10 * 365 * 24 * 3600);

faults! {
    /// An endpoint returns at once.
    RecoversAtOnce: "recovery/delayed" => endpoints(|endpoint| endpoint.recovery_delay = None);
    /// Every endpoint returns late.
    AllRecoverLate: "recovery/delayed" =>
        endpoints(|endpoint| endpoint.recovery_delay = Some(TEN_YEARS));
    /// The delay never ends.
    NeverRecovers: "recovery/ends" => endpoints(|endpoint| {
        endpoint.recovery_delay = endpoint.recovery_delay.map(|_| TEN_YEARS);
    });
    /// A new host is delayed, too.
    NewHostRecoversLate: "recovery/never-healthy" => {
        let (was_ok, has_failed) = (AtomicBool::new(false), AtomicBool::new(false));
        to(move |answer, request, correct| {
            let is_delayed =
                correct.further(request).is_some_and(|endpoint| endpoint.recovery_delay.is_some());
            if is_delayed && answer.state() == "ERROR" {
                has_failed.store(true, Relaxed);
            } else if is_delayed && has_failed.load(Relaxed) && !was_ok.load(Relaxed) {
                answer.turn(503, "ERROR");
                answer.log("ERROR", "Health response: ERROR ([])");
            } else if is_delayed {
                was_ok.store(true, Relaxed);
            }
        })
    };
    /// The record does not say that the return is delayed.
    DelayNotLogged: "recovery/delayed" => results(|rows, _, _| rows.retain(|row| !row.is_delay()));
    /// The entry of the delay has a name, like that of a check.
    DelayNamedLikeACheck: "recovery/delayed" => results(|rows, _, _| {
        for row in rows.iter_mut().filter(|row| row.is_delay()) {
            row.name = Some("recovery".to_owned());
        }
    });
    /// The entry of the delay comes first.
    DelayLoggedFirst: "recovery/delayed" => results(|rows, _, _| rows.sort_by_key(|row| !row.is_delay()));
    /// A failure within the delay is logged as a delay.
    FailureLoggedAsDelay: "recovery/fails-again" => {
        let was_delayed = AtomicBool::new(false);
        results(move |rows, _, _| match rows.iter().find(|row| row.is_delay()) {
            Some(_) => was_delayed.store(true, Relaxed),
            None if was_delayed.load(Relaxed) => rows.push(Row {
                name: None,
                status: "ERROR".to_owned(),
                message: Some("recovery delayed for another 1s".to_owned()),
                rest: Default::default(),
            }),
            None => {}
        })
    };
    /// Only one return is delayed.
    SecondRecoveryAtOnce: "recovery/fails-again" => {
        let (was_delayed, has_failed) = (AtomicBool::new(false), AtomicBool::new(false));
        to(move |answer, _, _| {
            let is_delay = is_delayed(answer);
            if is_delay && has_failed.load(Relaxed) {
                answer.turn_ok();
            } else if is_delay {
                was_delayed.store(true, Relaxed);
            } else if was_delayed.load(Relaxed) && answer.state() == "ERROR" {
                has_failed.store(true, Relaxed);
            }
        })
    };
    /// A response without checks is delayed, too.
    PlainRecoversLate: "recovery/without-checks" => {
        let was_delayed = AtomicBool::new(false);
        to(move |answer, request, _| {
            if request.path() == "/strict" && answer.state() == "ERROR" {
                was_delayed.store(true, Relaxed);
            } else if request.target == "/strict" && was_delayed.load(Relaxed) {
                answer.turn(503, "ERROR");
            }
        })
    };
    /// A delayed return beats maintenance.
    DelayBeatsMaintenance: "recovery/maintenance" =>
        other_wins(no_disablefile, |_| true, ("MAINTENANCE", "ERROR"));
    /// A delayed return beats a drain.
    DelayBeatsDrain: "recovery/drain" => {
        let was_delayed = AtomicBool::new(false);
        to(move |answer, request, _| {
            let is_delay = is_delayed(answer);
            was_delayed.fetch_or(is_delay && request.path() == "/strict", Relaxed);
            if was_delayed.load(Relaxed) && answer.state() == "DRAINING" {
                answer.turn(503, "ERROR");
            }
        })
    };
    /// The recovery is logged when the delay begins.
    RecoveryLoggedEarly: "recovery/log-of-changes" => {
        let is_first = AtomicBool::new(true);
        to(move |answer, _, correct| {
            let is_delay = is_delayed(answer);
            if is_delay && correct.setup.log == LogPolicy::Change && is_first.swap(false, Relaxed) {
                answer.records.clear();
                answer.log("INFO", "Health response: OK");
            }
        })
    };
}

fn endpoints(edit: fn(&mut Endpoint)) -> Decoration {
    setup(move |setup| setup.endpoints.iter_mut().for_each(edit))
}

/// Whether the log says that the return is delayed.
fn is_delayed(answer: &Answer) -> bool {
    let mut rows = answer.records.iter().filter_map(rows).flatten();
    rows.any(|row| row.is_delay())
}

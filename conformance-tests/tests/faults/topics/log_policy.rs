//! H21: the log policy.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use health_conformance::LogPolicy;

use crate::correct::{Answer, Correct};
use crate::fault::{Decoration, Memory, faults, level, records, setup, to};
use crate::http::Request;

faults! {
    /// Each response is logged, and not changes alone.
    ChangesIgnored: "log-policy/changes-only" => setup(|setup| setup.log = LogPolicy::Every);
    /// Changes alone are logged, whatever was said.
    ChangesAreTheDefault: "log-policy/every-answer" => setup(|setup| setup.log = LogPolicy::Change);
    /// That all is well again is not logged.
    RecoveryNotLogged: "log-policy/recovery" =>
        records(|records| records.retain(|record| record.state() != Some("OK")));
    /// That all is well again is logged at WARN.
    RecoveryAtWarn: "log-policy/recovery" => level("OK", "WARN");
    /// The first OK is logged as a change.
    FirstOkLogged: "log-policy/recovery" => {
        let has_answered = AtomicBool::new(false);
        to(move |answer, _, correct| {
            let is_first = !has_answered.swap(true, Relaxed);
            if is_first && correct.setup.log == LogPolicy::Change && answer.state() == "OK" {
                answer.log("INFO", "Health response: OK");
            }
        })
    };
    /// Another result in the same state is a change.
    ResultsAreChanges: "log-policy/errors" =>
        changes(|request, _| request.path().to_owned(), |answer| match answer.records.first() {
        Some(record) => record.text.clone(),
        None => "Health response: OK".to_owned(),
    });
    /// The state alone counts: a response without checks is a recovery, and another failing check is no change.
    StateAlone: "log-policy/plain-is-no-recovery", "log-policy/second-outage" =>
        changes(|request, _| request.path().to_owned(), |answer| answer.state().to_owned());
    /// What is degraded is no change.
    DegradedIsNoChange: "log-policy/each-state" =>
        records(|records| records.retain(|record| record.state() != Some("DEGRADED")));
    /// All endpoints have one state for the log.
    ChangesOfAnyEndpoint: "log-policy/endpoints-apart" =>
        changes(|_, _| String::new(), |answer| answer.state().to_owned());
}

/// Logs changes of the text that `says` returns, separately for each `key`.
fn changes(key: fn(&Request, &Correct) -> String, says: fn(&Answer) -> String) -> Decoration {
    let last = Memory::<BTreeMap<String, String>>::default();
    let decoration = setup(|setup| setup.log = LogPolicy::Every);
    decoration.with_exchange(move |request, correct| {
        let mut answer = correct.answer(request);
        let said = says(&answer);
        let before = last.lock().insert(key(request, correct), said.clone());
        let is_change = match before {
            Some(before) => before != said,
            None => answer.state() != "OK",
        };
        if !is_change {
            answer.records.clear();
        } else if answer.state() == "OK" {
            answer.log("INFO", "Health response: OK");
        }
        Ok(answer)
    })
}

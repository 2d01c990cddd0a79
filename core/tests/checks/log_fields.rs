//! What a record says besides its text.

use std::future::ready;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use health_core::{Check, CheckResult, Endpoint, LogEvent, LogPolicy, State};

use crate::in_virtual_time;
use crate::virtual_time::Ask as _;

const SECOND: Duration = Duration::from_secs(1);

/// A check that fails while the switch is on, with a reason.
fn refused_while(is_down: &Arc<AtomicBool>) -> Check {
    Check::with("database", is_down.clone(), |is_down| {
        ready(if is_down.load(Ordering::SeqCst) {
            CheckResult::error("no route").reason("refused")
        } else {
            CheckResult::ok()
        })
    })
}

#[test]
fn a_failure_says_since_when_and_a_recovery_after_how_long() {
    let is_down = Arc::new(AtomicBool::new(true));
    let (health, time) = in_virtual_time(|b| {
        b.register(refused_while(&is_down))
            .endpoint(Endpoint::readiness("/ready"))
            .log_policy(LogPolicy::on_change_or_every(60 * SECOND))
    });
    let record = || {
        let answer = time.ask_at(&health, "/ready").answer();
        let mut records = answer.records();
        records.next().map(|record| (record.state(), record.lasted(), record.before()))
    };
    let at_first = Some((Some(State::Failing), Some(Duration::ZERO), None));
    assert_eq!(record(), at_first);
    time.pass(30 * SECOND);
    assert_eq!(record(), None);
    time.pass(30 * SECOND);
    assert_eq!(record(), Some((Some(State::Failing), Some(60 * SECOND), None)), "a reminder");
    time.pass(30 * SECOND);
    is_down.store(false, Ordering::SeqCst);
    let recovery = Some((State::Failing, 90 * SECOND));
    assert_eq!(record(), Some((Some(State::Ok), Some(Duration::ZERO), recovery)));
}

#[test]
fn each_endpoint_has_a_history_of_its_own() {
    let is_down = Arc::new(AtomicBool::new(true));
    let (health, time) = in_virtual_time(|b| {
        b.register(refused_while(&is_down))
            .endpoint(Endpoint::readiness("/ready"))
            .endpoint(Endpoint::consul("/consul"))
    });
    let lasted = |path: &str| {
        let answer = time.ask_at(&health, path).answer();
        let record = answer.records().next().unwrap();
        assert_eq!(record.endpoint(), Some(path));
        record.lasted()
    };
    assert_eq!(lasted("/ready"), Some(Duration::ZERO));
    time.pass(9 * SECOND);
    assert_eq!(lasted("/consul"), Some(Duration::ZERO));
    assert_eq!(lasted("/ready"), Some(9 * SECOND));
}

#[test]
fn the_reason_is_that_of_each_result_that_is_not_ok_once() {
    let result =
        |name: &str, result: fn() -> CheckResult| Check::new(name, move || ready(result()));
    let (health, time) = in_virtual_time(|b| {
        b.register(result("a", || CheckResult::ok().reason("fine")))
            .register(result("b", || CheckResult::error("no").reason("refused")))
            .register(result("c", || CheckResult::degraded("so").reason("slow")))
            .register(result("d", || CheckResult::error("no").reason("refused")))
            .register(result("e", || CheckResult::error("no")))
            .register(Check::new("f", || -> std::future::Ready<Result<(), String>> { panic!("!") }))
    });
    let answer = time.ask(&health).answer();
    let record = answer.records().next().unwrap();
    assert_eq!(record.reason(), Some("refused,slow,panicked"));
    assert_eq!(record.event(), LogEvent::Response);
    assert_eq!(record.check(), None);
}

#[test]
fn a_record_without_checks_has_no_reason() {
    let (health, time) = in_virtual_time(|b| b);
    health.drain();
    let answer = time.ask(&health).answer();
    let record = answer.records().next().unwrap();
    assert_eq!((record.state(), record.reason()), (Some(State::Draining), None));
    assert_eq!(record.lasted(), None);
}

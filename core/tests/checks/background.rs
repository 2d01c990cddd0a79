//! Checks that run by themselves (H14).

use std::future::{pending, ready};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures::executor::block_on;
use health_core::{Check, Health};

use crate::virtual_time::VirtualTime;
use crate::{builder, in_virtual_time, result};

const SECOND: Duration = Duration::from_secs(1);

/// An endpoint whose only check runs every minute and passes, and the number of its executions.
fn minutely() -> (Health, VirtualTime, Arc<AtomicUsize>) {
    let executions = Arc::new(AtomicUsize::new(0));
    let counted = executions.clone();
    let check = Check::new("database", move || {
        counted.fetch_add(1, Ordering::SeqCst);
        ready(Ok::<(), String>(()))
    });
    let (health, time) = in_virtual_time(|b| b.register(check.every(60 * SECOND)));
    (health, time, executions)
}

#[test]
fn a_background_check_runs_once_a_period_and_not_when_asked() {
    let (health, time, executions) = minutely();
    health.start_on(time.clone());
    time.settle();
    assert_eq!(executions.load(Ordering::SeqCst), 1);
    for _ in 0..10 {
        assert_eq!(time.ask(&health).body(), "OK");
    }
    assert_eq!(executions.load(Ordering::SeqCst), 1);
    // A tenth more or less each time.
    time.pass(600 * SECOND);
    let expected = 1 + 600 / 66..=1 + 600 / 54;
    assert!(expected.contains(&executions.load(Ordering::SeqCst)));
}

#[test]
fn the_first_request_starts_background_checks() {
    let (health, time, executions) = minutely();
    let first = time.ask(&health);
    let not_run = result("database", "ERROR", Some("not run yet"));
    assert_eq!(first.results(), [not_run]);
    assert_eq!(executions.load(Ordering::SeqCst), 1);
    assert_eq!(time.ask(&health).body(), "OK");

    // A request without checks starts it too, and a second start has no effect.
    let (health, time, executions) = minutely();
    block_on(health.respond(""));
    health.start_on(time.clone());
    time.settle();
    assert_eq!(executions.load(Ordering::SeqCst), 1);
}

#[test]
fn a_check_that_was_never_run_to_its_end_is_an_error_without_a_wait() {
    let hangs = Check::new("hangs", pending::<Result<(), String>>).every(60 * SECOND);
    let (health, time) = in_virtual_time(|b| b.register(hangs));
    health.start_on(time.clone());
    let not_run = result("hangs", "ERROR", Some("not run yet"));
    assert_eq!(time.ask(&health).results(), [not_run]);
    time.pass(5 * SECOND);
    let timed_out = result("hangs", "ERROR", Some("timed out after 5s"));
    assert_eq!(time.ask(&health).results(), [timed_out]);
}

#[test]
fn a_result_older_than_three_periods_is_stale() {
    let (health, time, _) = minutely();
    health.start_on(time.clone());
    time.settle();
    // Requests come in time, but nothing wakes the check: its thread starves.
    for _ in 0..3 {
        assert_eq!(time.ask(&health).body(), "OK");
        time.pass_unnoticed(60 * SECOND);
    }
    assert_eq!(time.ask(&health).body(), "OK");
    time.pass_unnoticed(SECOND);
    let stale = result("database", "ERROR", Some("stale since 181s ago"));
    assert_eq!(time.ask(&health).results(), [stale]);
    // It recovers by itself.
    time.pass(SECOND);
    assert_eq!(time.ask(&health).body(), "OK");
}

#[test]
fn the_deadline_of_a_background_check_is_no_longer_than_its_period() {
    let hangs = Check::new("hangs", pending::<Result<(), String>>).every(SECOND);
    let (health, time) = in_virtual_time(|b| b.register(hangs));
    health.start_on(time.clone());
    time.pass(SECOND);
    let timed_out = result("hangs", "ERROR", Some("timed out after 1s"));
    assert_eq!(time.ask(&health).results(), [timed_out]);
}

#[test]
fn the_timeout_of_a_run_does_not_affect_background_checks() {
    let hangs = Check::new("hangs", pending::<Result<(), String>>);
    let hangs = hangs.timeout(30 * SECOND).every(60 * SECOND);
    let (health, time) = in_virtual_time(|b| b.run_timeout(SECOND).register(hangs));
    health.start_on(time.clone());
    time.pass(30 * SECOND);
    let timed_out = result("hangs", "ERROR", Some("timed out after 30s"));
    assert_eq!(time.ask(&health).results(), [timed_out]);
}

#[test]
fn the_default_timeout_of_a_background_check_is_not_cut_by_that_of_a_run() {
    let hangs = Check::new("hangs", pending::<Result<(), String>>).every(60 * SECOND);
    let (health, time) =
        in_virtual_time(|b| b.timeout(8 * SECOND).run_timeout(SECOND).register(hangs));
    health.start_on(time.clone());
    time.pass(8 * SECOND);
    let timed_out = result("hangs", "ERROR", Some("timed out after 8s"));
    assert_eq!(time.ask(&health).results(), [timed_out]);
}

#[test]
fn a_run_reports_the_last_result_of_a_background_check() {
    let executions = AtomicUsize::new(0);
    let check = Check::new("database", move || {
        let is_first = executions.fetch_add(1, Ordering::SeqCst) == 0;
        ready(if is_first { Ok(()) } else { Err("no route") })
    });
    let hangs = Check::new("hangs", pending::<Result<(), String>>).timeout(100 * SECOND);
    let (health, time) =
        in_virtual_time(|b| b.register(check.every(60 * SECOND)).register(hangs.optional()));
    health.start_on(time.clone());
    let asker = time.ask(&health);
    time.pass(100 * SECOND);
    let results = asker.results();
    assert_eq!(results[0], result("database", "ERROR", Some("no route")));
}

#[test]
fn background_checks_end_with_the_endpoint() {
    let (health, time, executions) = minutely();
    health.start_on(time.clone());
    time.settle();
    let clone = health.clone();
    drop(health);
    time.pass(70 * SECOND);
    assert_eq!(executions.load(Ordering::SeqCst), 2);
    drop(clone);
    time.pass(600 * SECOND);
    assert_eq!(executions.load(Ordering::SeqCst), 2);
}

#[test]
fn a_background_check_may_block() {
    let check = Check::blocking("file", || Ok::<(), String>(()));
    let time = VirtualTime::default();
    let builder = builder().runtime(time.clone());
    let health = builder.register(check.every(60 * SECOND)).build().unwrap();
    time.wait_until(|| time.ask(&health).body() == "OK");
}

//! Concurrent requests share one run (H7).

use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use health_core::{Health, HealthBuilder, Runtime as _};

use crate::virtual_time::{Ask as _, VirtualTime};
use crate::{builder, result};

const SECOND: Duration = Duration::from_secs(1);

/// An endpoint whose only check takes a second and fails, and the number of its executions.
fn slow(
    describe: impl FnOnce(HealthBuilder) -> HealthBuilder,
) -> (Health, VirtualTime, Arc<AtomicUsize>) {
    let time = VirtualTime::default();
    let executions = Arc::new(AtomicUsize::new(0));
    let clock = time.clone();
    let counted = executions.clone();
    let builder = describe(builder().runtime(time.clone()));
    let health = builder.check("slow", move || {
        let execution = counted.fetch_add(1, Ordering::SeqCst) + 1;
        let sleep = clock.sleep_until(clock.now() + SECOND);
        async move {
            sleep.await;
            Err::<(), _>(format!("execution {execution}"))
        }
    });
    (health.build().unwrap(), time, executions)
}

#[test]
fn requests_during_a_run_share_it() {
    let (health, time, executions) = slow(|b| b);
    let first = time.ask(&health);
    time.pass(SECOND / 2);
    let others: Vec<_> = (0..2000).map(|_| time.ask(&health)).collect();
    time.pass(SECOND / 2);
    for asker in others.iter().chain([&first]) {
        let shared = result("slow", "ERROR", Some("execution 1"));
        assert_eq!(asker.results(), [shared]);
    }
    assert_eq!(executions.load(Ordering::SeqCst), 1);

    // A request after the run does not get its result.
    let next = time.ask(&health);
    time.pass(SECOND);
    let own = result("slow", "ERROR", Some("execution 2"));
    assert_eq!(next.results(), [own]);
}

#[test]
fn clients_that_leave_neither_end_a_run_nor_start_another() {
    let (health, time, executions) = slow(|b| b);
    for _ in 0..500 {
        time.ask(&health).leave();
        time.pass(SECOND / 1000);
    }
    let honest = time.ask(&health);
    time.pass(SECOND / 2);
    let shared = result("slow", "ERROR", Some("execution 1"));
    assert_eq!(honest.results(), [shared]);
    assert_eq!(executions.load(Ordering::SeqCst), 1);
}

#[test]
fn a_run_that_everybody_left_ends_all_the_same() {
    let (health, time, executions) = slow(|b| b);
    time.ask(&health).leave();
    time.pass(SECOND);
    let next = time.ask(&health);
    time.pass(SECOND);
    let own = result("slow", "ERROR", Some("execution 2"));
    assert_eq!(next.results(), [own]);
    assert_eq!(executions.load(Ordering::SeqCst), 2);
}

#[test]
fn a_request_within_the_minimum_interval_gets_the_last_result_and_never_an_older_one() {
    let (health, time, executions) = slow(|b| b.min_interval(3 * SECOND));
    let first = time.ask(&health);
    time.pass(3 * SECOND - Duration::from_millis(1));
    let too_soon = time.ask(&health);
    assert_eq!(too_soon.results(), first.results());
    assert_eq!(executions.load(Ordering::SeqCst), 1);

    time.pass(Duration::from_millis(1));
    let next = time.ask(&health);
    assert!(!next.is_answered());
    time.pass(SECOND);
    assert_ne!(next.results(), first.results());
    assert_eq!(executions.load(Ordering::SeqCst), 2);
}

#[test]
fn plain_answers_wait_for_no_run() {
    let (health, time) =
        crate::in_virtual_time(|b| b.check("hangs", pending::<Result<(), String>>));
    let waiting = time.ask(&health);
    assert_eq!(futures::executor::block_on(health.respond("")).body(), "OK");
    assert!(!waiting.is_answered());
}

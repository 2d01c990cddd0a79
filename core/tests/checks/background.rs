//! Checks that run by themselves (H14).

use std::future::{pending, ready};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::executor::block_on;
use health_core::{Check, Endpoint, Health, Runtime as _, StartupLatch, State};

use crate::virtual_time::{Ask as _, VirtualTime};
use crate::{assert_even, builder, in_virtual_time, result};

const SECOND: Duration = Duration::from_secs(1);

/// An endpoint whose only check runs every minute and passes, and the number of its executions.
fn minutely() -> (Health, VirtualTime, Arc<AtomicUsize>) {
    minutely_behind(&[])
}

/// The same, with start-up latches.
fn minutely_behind(latches: &[&StartupLatch]) -> (Health, VirtualTime, Arc<AtomicUsize>) {
    let executions = Arc::new(AtomicUsize::new(0));
    let counted = executions.clone();
    let check = Check::new("database", move || {
        counted.fetch_add(1, Ordering::SeqCst);
        ready(Ok::<(), String>(()))
    });
    let (health, time) = in_virtual_time(|b| {
        let builder = b.register(check.every(60 * SECOND));
        latches.iter().fold(builder, |builder, latch| builder.latch(latch))
    });
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
    // After a part of the first period, a tenth more or less each time.
    time.pass(600 * SECOND);
    let expected = 1 + 600 / 66..=2 + 600 / 54;
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
    let before = executions.load(Ordering::SeqCst);
    assert!(before > 1);
    drop(clone);
    time.pass(600 * SECOND);
    assert_eq!(executions.load(Ordering::SeqCst), before);
}

#[test]
fn a_background_check_may_block() {
    let check = Check::blocking("file", || Ok::<(), String>(()));
    let time = VirtualTime::default();
    let builder = builder().runtime(time.clone());
    let health = builder.register(check.every(60 * SECOND)).build().unwrap();
    time.wait_until(|| time.ask(&health).body() == "OK");
}

#[test]
fn the_release_of_the_last_latch_runs_background_checks_again_at_once_and_then_once_a_period() {
    let [first, last] = ["first", "last"].map(StartupLatch::new);
    let (health, time, executions) = minutely_behind(&[&first, &last]);
    health.start_on(time.clone());
    time.pass(SECOND);
    assert_eq!(executions.load(Ordering::SeqCst), 1);
    last.release();
    time.pass(SECOND);
    assert_eq!(executions.load(Ordering::SeqCst), 1, "another latch is held");
    first.release();
    time.settle();
    assert_eq!(executions.load(Ordering::SeqCst), 2);
    // A part of the period begins anew: 6 to 60 seconds.
    time.pass(5 * SECOND);
    assert_eq!(executions.load(Ordering::SeqCst), 2);
    time.pass(55 * SECOND);
    assert!((3..=4).contains(&executions.load(Ordering::SeqCst)));
}

#[test]
fn an_application_is_ready_as_soon_as_its_start_is_over() {
    let table_exists = Arc::new(AtomicUsize::new(0));
    let exists = table_exists.clone();
    let check = Check::new("table", move || {
        ready(if exists.load(Ordering::SeqCst) == 1 { Ok(()) } else { Err("no such table") })
    });
    let latch = StartupLatch::new("migrations");
    let (health, time) = in_virtual_time(|b| {
        let ready = Endpoint::readiness("/ready");
        b.register(check.every(3600 * SECOND)).latch(&latch).endpoint(ready)
    });
    health.start_on(time.clone());
    time.pass(SECOND);
    assert_eq!(time.ask_at(&health, "/ready").response().state(), State::Starting);
    table_exists.store(1, Ordering::SeqCst);
    latch.release();
    time.settle();
    assert_eq!(time.ask_at(&health, "/ready").response().state(), State::Ok);
}

#[test]
fn a_latch_that_is_dropped_or_failed_runs_nothing_again() {
    let ends: [fn(StartupLatch); 2] = [drop, |latch| latch.fail("no route")];
    for end in ends {
        let [unreleased, released] = ["unreleased", "released"].map(StartupLatch::new);
        let (health, time, executions) = minutely_behind(&[&unreleased, &released]);
        health.start_on(time.clone());
        time.settle();
        end(unreleased);
        released.release();
        time.pass(SECOND);
        assert_eq!(executions.load(Ordering::SeqCst), 1);
    }
}

#[test]
fn a_release_before_the_background_checks_start_runs_them_once() {
    let latch = StartupLatch::new("migrations");
    let (health, time, executions) = minutely_behind(&[&latch]);
    latch.release();
    time.pass(SECOND);
    assert_eq!(executions.load(Ordering::SeqCst), 0);
    health.start_on(time.clone());
    time.pass(SECOND);
    assert_eq!(executions.load(Ordering::SeqCst), 1);
}

#[test]
fn a_release_from_another_thread_runs_background_checks_again() {
    let latch = StartupLatch::new("migrations");
    let (health, time, executions) = minutely_behind(&[&latch]);
    health.start_on(time.clone());
    time.settle();
    std::thread::spawn(|| latch.release()).join().unwrap();
    time.settle();
    assert_eq!(executions.load(Ordering::SeqCst), 2);
}

#[test]
fn a_release_during_an_execution_runs_the_check_once_more_after_it() {
    let starts = Arc::new(AtomicUsize::new(0));
    let running = Arc::new(AtomicUsize::new(0));
    let time = VirtualTime::default();
    let (clock, counted, now_running) = (time.clone(), starts.clone(), running.clone());
    let check = Check::new("slow", move || {
        counted.fetch_add(1, Ordering::SeqCst);
        assert_eq!(now_running.fetch_add(1, Ordering::SeqCst), 0, "one execution at a time");
        let sleep = clock.sleep_until(clock.now() + 2 * SECOND);
        let running = now_running.clone();
        async move {
            sleep.await;
            running.fetch_sub(1, Ordering::SeqCst);
            Ok::<(), String>(())
        }
    });
    let latch = StartupLatch::new("migrations");
    let builder = builder().runtime(time.clone()).register(check.every(60 * SECOND));
    let health = builder.latch(&latch).build().unwrap();
    health.start_on(time.clone());
    time.pass(SECOND);
    latch.release();
    time.settle();
    assert_eq!(starts.load(Ordering::SeqCst), 1);
    time.pass(SECOND);
    assert_eq!(starts.load(Ordering::SeqCst), 2);
    // Then a tenth of the 58 seconds that are left, or more.
    time.pass(7 * SECOND);
    assert_eq!(starts.load(Ordering::SeqCst), 2);
    assert_eq!(running.load(Ordering::SeqCst), 0);
}

#[test]
fn a_release_does_not_start_a_check_whose_code_still_runs() {
    let (release_check, wait) = std::sync::mpsc::channel::<()>();
    let wait = std::sync::Mutex::new(wait);
    let starts = Arc::new(AtomicUsize::new(0));
    let counted = starts.clone();
    let check = Check::blocking("stuck", move || {
        counted.fetch_add(1, Ordering::SeqCst);
        let _ = wait.lock().unwrap().recv();
        Ok::<(), String>(())
    });
    let latch = StartupLatch::new("migrations");
    let check = check.timeout(SECOND).every(60 * SECOND);
    let (health, time) = in_virtual_time(|b| b.register(check).latch(&latch));
    health.start_on(time.clone());
    time.wait_until(|| starts.load(Ordering::SeqCst) == 1);
    time.pass(2 * SECOND);
    latch.release();
    time.settle();
    let still_running = result("stuck", "ERROR", Some("still running since 2s ago"));
    assert_eq!(time.ask(&health).results(), [still_running]);
    assert_eq!(starts.load(Ordering::SeqCst), 1);
    drop(release_check);
}

#[test]
fn a_release_runs_only_background_checks_and_only_those_of_its_applications() {
    let latch = StartupLatch::new("shared");
    let (first, time, of_first) = minutely_behind(&[&latch]);
    let (second, other_time, of_second) = minutely_behind(&[&latch]);
    let (stranger, strange_time, of_stranger) = minutely();
    let on_request = Arc::new(AtomicUsize::new(0));
    let counted = on_request.clone();
    let check = Check::new("database", move || {
        counted.fetch_add(1, Ordering::SeqCst);
        ready(Ok::<(), String>(()))
    });
    let (asked, asked_time) = in_virtual_time(|b| b.register(check).latch(&latch));
    for (health, time) in
        [(&first, &time), (&second, &other_time), (&stranger, &strange_time), (&asked, &asked_time)]
    {
        health.start_on(time.clone());
        time.settle();
    }
    drop(first);
    latch.release();
    for time in [time, other_time, strange_time, asked_time] {
        time.settle();
    }
    let executions = [of_first, of_second, of_stranger, on_request];
    let executions = executions.map(|executions| executions.load(Ordering::SeqCst));
    assert_eq!(executions, [1, 2, 1, 0]);
}

#[test]
fn a_failing_check_has_another_period_until_it_counts_as_ok() {
    let time = VirtualTime::default();
    let starts = Arc::new(Mutex::new(Vec::new()));
    let (clock, log) = (time.clone(), starts.clone());
    // The second to fifth executions fail, and the first of them does not count yet.
    let check = Check::new("database", move || {
        let mut starts = log.lock().unwrap();
        starts.push(clock.now());
        ready(if (2..=5).contains(&starts.len()) { Err("no route") } else { Ok(()) })
    });
    let check = check.every(60 * SECOND).every_while_failing(6 * SECOND).failure_threshold(2);
    let health = builder().runtime(time.clone()).register(check).build().unwrap();
    health.start_on(time.clone());
    time.pass(300 * SECOND);
    let starts = starts.lock().unwrap();
    let pauses = starts.windows(2).map(|pair| (pair[1] - pair[0]).as_secs_f64());
    let periods = [60.0, 6.0, 6.0, 6.0, 60.0];
    for (pause, period) in pauses.skip(1).zip(periods) {
        assert!((0.9 * period..=1.1 * period).contains(&pause), "{starts:?}");
    }
    assert!(starts.len() > 1 + periods.len(), "{starts:?}");
}

#[test]
fn a_result_is_stale_after_three_of_the_periods_that_apply_to_a_failing_check() {
    let check = Check::new("database", || ready(Err::<(), _>("no route")));
    let check = check.every(60 * SECOND).every_while_failing(600 * SECOND);
    let (health, time) = in_virtual_time(|b| b.register(check));
    health.start_on(time.clone());
    time.settle();
    for _ in 0..29 {
        time.ask(&health);
        time.pass_unnoticed(60 * SECOND);
    }
    let failing = result("database", "ERROR", Some("no route"));
    assert_eq!(time.ask(&health).results(), [failing]);
    time.pass_unnoticed(61 * SECOND);
    let stale = result("database", "ERROR", Some("stale since 1801s ago"));
    assert_eq!(time.ask(&health).results(), [stale]);
}

/// When each of 1,000 hosts executed its check, in seconds since all of them were started together. An execution takes
/// `execution`. The start of all of them is over after `start`, and the last execution comes until `end`.
fn starts_of_a_thousand_hosts(
    execution: Duration,
    start: Option<Duration>,
    end: Duration,
) -> Vec<Vec<f64>> {
    let latch = StartupLatch::new("migrations");
    let time = VirtualTime::default();
    let began = time.now();
    let host = |_| {
        let starts = Arc::new(Mutex::new(Vec::new()));
        let (log, clock) = (starts.clone(), time.clone());
        let check = Check::new("database", move || {
            log.lock().unwrap().push((clock.now() - began).as_secs_f64());
            let end = clock.sleep_until(clock.now() + execution);
            async move {
                end.await;
                Ok::<(), String>(())
            }
        });
        let check = check.timeout(60 * SECOND).every(60 * SECOND);
        let builder = builder().runtime(time.clone()).register(check);
        let health = builder.latch(&latch).build().unwrap();
        health.start_on(time.clone());
        (health, starts)
    };
    let hosts: Vec<_> = (0..1000).map(host).collect();
    if let Some(start) = start {
        time.pass(start);
        latch.release();
    }
    time.pass(end - (time.now() - began));
    hosts.iter().map(|(_, starts)| starts.lock().unwrap().clone()).collect()
}

#[test]
fn hosts_that_start_together_are_out_of_step_from_the_second_execution_on() {
    let hosts = starts_of_a_thousand_hosts(Duration::ZERO, None, 126 * SECOND);
    assert!(hosts.iter().all(|starts| starts[0] == 0.0));
    let second: Vec<_> = hosts.iter().map(|starts| starts[1]).collect();
    assert_even(&second, 6.0, 60.0);
    let later: Vec<_> = hosts.iter().map(|starts| starts[2] - starts[1]).collect();
    assert_even(&later, 54.0, 66.0);
}

#[test]
fn hosts_whose_start_is_over_together_are_out_of_step_after_that() {
    let hosts = starts_of_a_thousand_hosts(Duration::ZERO, Some(5 * SECOND), 131 * SECOND);
    assert!(hosts.iter().all(|starts| starts[..2] == [0.0, 5.0]));
    let third: Vec<_> = hosts.iter().map(|starts| starts[2]).collect();
    assert_even(&third, 11.0, 65.0);
    let later: Vec<_> = hosts.iter().map(|starts| starts[3] - starts[2]).collect();
    assert_even(&later, 54.0, 66.0);
}

#[test]
fn hosts_that_wait_for_the_same_dependency_get_out_of_step_too() {
    let hosts = starts_of_a_thousand_hosts(30 * SECOND, None, 60 * SECOND);
    let second: Vec<_> = hosts.iter().map(|starts| starts[1]).collect();
    assert_even(&second, 33.0, 60.0);
}

#[test]
fn hosts_whose_first_executions_take_the_whole_period_get_out_of_step_too() {
    let hosts = starts_of_a_thousand_hosts(60 * SECOND, None, 120 * SECOND);
    let second: Vec<_> = hosts.iter().map(|starts| starts[1]).collect();
    assert_even(&second, 63.0, 90.0);
}

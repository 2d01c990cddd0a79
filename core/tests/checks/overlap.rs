//! One execution for endpoints whose choices of checks overlap (H16).

use std::future::pending;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Waker};
use std::time::{Duration, Instant};

use health_core::{Check, Endpoint, Health, Runtime, State, Task};

use crate::virtual_time::{Ask as _, VirtualTime};
use crate::{builder, passing, result};

const SECOND: Duration = Duration::from_secs(1);

/// A check that takes a second and fails, and the number of its executions.
fn slow(time: &VirtualTime, name: &str) -> (Check, Arc<AtomicUsize>) {
    slow_for(time, name, SECOND)
}

fn slow_for(time: &VirtualTime, name: &str, length: Duration) -> (Check, Arc<AtomicUsize>) {
    let executions = Arc::new(AtomicUsize::new(0));
    let clock = time.clone();
    let counted = executions.clone();
    let check = Check::new(name, move || {
        let execution = counted.fetch_add(1, Ordering::SeqCst) + 1;
        let sleep = clock.sleep_until(clock.now() + length);
        async move {
            sleep.await;
            Err::<(), _>(format!("execution {execution}"))
        }
    });
    (check, executions)
}

#[test]
fn endpoints_whose_checks_overlap_share_an_execution_and_do_not_wait_for_other_checks() {
    let time = VirtualTime::default();
    let (shared, executions) = slow(&time, "shared");
    let hangs = Check::new("hangs", pending::<Result<(), String>>);
    let health = builder()
        .runtime(time.clone())
        .register(shared)
        .register(hangs)
        .endpoint(Endpoint::readiness("/ready").only_checks(["shared"]))
        .build()
        .unwrap();
    let all = time.ask(&health);
    time.pass(SECOND / 2);
    let ready = time.ask_at(&health, "/ready");
    time.pass(SECOND / 2);
    let of_the_first = || result("shared", "ERROR", Some("execution 1"));
    assert_eq!(ready.results(), [of_the_first()]);
    assert!(!all.is_answered());
    assert_eq!(executions.load(Ordering::SeqCst), 1);

    time.pass(4 * SECOND);
    let timed_out = result("hangs", "ERROR", Some("timed out after 5s"));
    assert_eq!(all.results(), [of_the_first(), timed_out]);

    // No execution is left over: the next request starts a new one.
    let next = time.ask_at(&health, "/ready");
    time.pass(SECOND);
    let own = result("shared", "ERROR", Some("execution 2"));
    assert_eq!(next.results(), [own]);
}

#[test]
fn endpoints_that_choose_the_same_checks_share_the_last_result_too() {
    let time = VirtualTime::default();
    let (check, executions) = slow(&time, "shared");
    let health = builder()
        .runtime(time.clone())
        .min_interval(10 * SECOND)
        .register(check)
        .endpoint(Endpoint::readiness("/ready"))
        .build()
        .unwrap();
    time.ask(&health);
    time.pass(SECOND);
    let ready = time.ask_at(&health, "/ready");
    let first = result("shared", "ERROR", Some("execution 1"));
    assert_eq!(ready.results(), [first]);
    assert_eq!(executions.load(Ordering::SeqCst), 1);
}

#[test]
fn an_execution_that_two_endpoints_share_counts_once() {
    let time = VirtualTime::default();
    let (check, _) = slow(&time, "counted");
    let fails = Mutex::new([true, false, false].into_iter());
    let recovers = Check::new("recovers", {
        let clock = time.clone();
        move || {
            let passes = fails.lock().unwrap().next().unwrap_or_default();
            let sleep = clock.sleep_until(clock.now() + SECOND);
            async move {
                sleep.await;
                if passes { Ok(()) } else { Err("no route") }
            }
        }
    });
    let health = builder()
        .runtime(time.clone())
        .register(recovers.failure_threshold(3))
        .register(check)
        .endpoint(Endpoint::readiness("/ready").only_checks(["recovers"]))
        .build()
        .unwrap();
    for message in [None, Some("1 of 3 failures: no route"), Some("2 of 3 failures: no route")] {
        let both = [time.ask(&health), time.ask_at(&health, "/ready")];
        time.pass(SECOND);
        let [all, ready] = both;
        let counted = result("recovers", "OK", message);
        assert_eq!(all.results()[0], counted);
        assert_eq!(ready.response().state(), State::Ok);
    }
}

#[test]
fn a_run_that_everybody_left_still_gives_its_execution_to_another_endpoint() {
    let time = VirtualTime::default();
    let (shared, executions) = slow(&time, "shared");
    let builder = builder().runtime(time.clone()).register(shared).register(passing("quick"));
    let health =
        builder.endpoint(Endpoint::readiness("/ready").only_checks(["shared"])).build().unwrap();
    time.ask(&health).leave();
    let ready = time.ask_at(&health, "/ready");
    time.pass(SECOND);
    let first = result("shared", "ERROR", Some("execution 1"));
    assert_eq!(ready.results(), [first]);
    assert_eq!(executions.load(Ordering::SeqCst), 1);
}

/// Polls each task only once, as if its check blocked the thread.
#[derive(Clone)]
struct Stuck {
    time: VirtualTime,
    tasks: Arc<Mutex<Vec<Task>>>,
    is_over: Arc<AtomicBool>,
}

impl Runtime for Stuck {
    fn now(&self) -> Instant {
        self.time.now()
    }

    fn sleep_until(&self, deadline: Instant) -> Task {
        self.time.sleep_until(deadline)
    }

    fn spawn(&self, mut task: Task) {
        if self.is_over.load(Ordering::SeqCst) {
            return self.time.spawn(task);
        }
        let _ = task.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        self.tasks.lock().unwrap().push(task);
    }
}

#[test]
fn a_run_that_joins_a_stuck_execution_ends_it_at_its_timeout() {
    let time = VirtualTime::default();
    let runtime = Stuck { time: time.clone(), tasks: Arc::default(), is_over: Arc::default() };
    let health = builder()
        .runtime(runtime.clone())
        .run_timeout(60 * SECOND)
        .check("stuck", pending::<Result<(), String>>)
        .register(passing("quick"))
        .endpoint(Endpoint::readiness("/ready").only_checks(["stuck"]))
        .build()
        .unwrap();
    time.ask(&health).leave();
    runtime.is_over.store(true, Ordering::SeqCst);
    time.pass(SECOND);
    let ready = time.ask_at(&health, "/ready");
    time.pass(4 * SECOND);
    assert!(!ready.is_answered());
    time.pass(Duration::from_millis(20));
    let timed_out = result("stuck", "ERROR", Some("timed out after 5s"));
    assert_eq!(ready.results(), [timed_out]);
}

/// One endpoint runs its checks one after the other for at most six seconds, and starts `shared` after five. Another
/// endpoint runs only `shared`.
fn queueing(time: &VirtualTime, shared: Check) -> Health {
    let (first, _) = slow_for(time, "first", 5 * SECOND);
    builder()
        .runtime(time.clone())
        .timeout(6 * SECOND)
        .run_timeout(6 * SECOND)
        .concurrent_checks(1)
        .register(first)
        .register(shared)
        .endpoint(Endpoint::readiness("/ready").only_checks(["shared"]))
        .build()
        .unwrap()
}

#[test]
fn the_end_of_one_run_cuts_short_no_check_of_another() {
    let time = VirtualTime::default();
    let (shared, executions) = slow_for(&time, "shared", 2 * SECOND);
    let health = queueing(&time, shared);
    let all = time.ask(&health);
    time.pass(SECOND / 2 * 11);
    let ready = time.ask_at(&health, "/ready");
    time.pass(SECOND / 2);
    let cut = result("shared", "ERROR", Some("timed out after 1s"));
    assert_eq!(all.results()[1], cut);
    time.pass(2 * SECOND);
    let own = result("shared", "ERROR", Some("execution 2"));
    assert_eq!(ready.results(), [own]);
    assert_eq!(executions.load(Ordering::SeqCst), 2);
}

#[test]
fn a_result_that_another_run_gives_too_late_is_dropped() {
    let time = VirtualTime::default();
    let (shared, _) = slow_for(&time, "shared", 5 * SECOND);
    let health = queueing(&time, shared);
    let all = time.ask(&health);
    time.pass(3 * SECOND);
    let ready = time.ask_at(&health, "/ready");
    time.pass(3 * SECOND + Duration::from_millis(20));
    let not_run = result("shared", "ERROR", Some("timed out before it could run"));
    assert_eq!(all.results()[1], not_run);
    time.pass(2 * SECOND);
    let own = result("shared", "ERROR", Some("execution 1"));
    assert_eq!(ready.results(), [own]);
}

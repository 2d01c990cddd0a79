//! Timeouts of checks and of runs (H12).

use std::future::{pending, ready};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Waker};
use std::time::{Duration, Instant};

use futures::executor::block_on;
use health_core::{
    Check, HealthCheckEvent, HealthSubscriber, Runtime, Task, ThreadRuntime, async_trait,
};

use crate::virtual_time::{Ask as _, VirtualTime};
use crate::{builder, in_virtual_time, result, results};

const SECOND: Duration = Duration::from_secs(1);
const MILLISECOND: Duration = Duration::from_millis(1);

async fn hang() -> Result<(), String> {
    pending().await
}

#[test]
fn a_check_that_hangs_is_an_error_at_its_deadline_and_the_others_are_real() {
    let (health, time) = in_virtual_time(|b| {
        b.check("before", || ready(Ok::<(), String>(())))
            .check("hangs", hang)
            .check("fails", || ready(Err::<(), _>("no route")))
    });
    // Repeatedly: a check that hung must not affect later runs.
    for _ in 0..3 {
        let asker = time.ask(&health);
        time.pass(5 * SECOND - MILLISECOND);
        assert!(!asker.is_answered());
        time.pass(MILLISECOND);
        assert_eq!(
            asker.results(),
            [
                result("before", "OK", None),
                result("hangs", "ERROR", Some("timed out after 5s")),
                result("fails", "ERROR", Some("no route")),
            ]
        );
    }
}

#[test]
fn all_that_hang_cost_no_more_than_the_longest_deadline() {
    let (health, time) = in_virtual_time(|b| {
        b.timeout(2 * SECOND)
            .check("first", hang)
            .register(Check::new("second", hang).timeout(3 * SECOND))
            .check("third", hang)
    });
    let asker = time.ask(&health);
    time.pass(3 * SECOND);
    let timed_out = |name, after| result(name, "ERROR", Some(after));
    assert_eq!(
        asker.results(),
        [
            timed_out("first", "timed out after 2s"),
            timed_out("second", "timed out after 3s"),
            timed_out("third", "timed out after 2s"),
        ]
    );
}

#[test]
fn a_slow_check_that_returns_in_time_counts() {
    let slow = |time: &VirtualTime, took| {
        let time = time.clone();
        move || {
            let sleep = time.sleep_until(time.now() + took);
            async {
                sleep.await;
                Ok::<(), String>(())
            }
        }
    };
    let time = VirtualTime::default();
    let health = builder()
        .runtime(time.clone())
        .check("in-time", slow(&time, 5 * SECOND - MILLISECOND))
        .build()
        .unwrap();
    let asker = time.ask(&health);
    time.pass(5 * SECOND - MILLISECOND);
    assert_eq!(asker.body(), "OK");
}

#[test]
fn what_hangs_is_dropped_at_its_deadline() {
    struct Counted(Arc<AtomicUsize>);
    impl Drop for Counted {
        fn drop(&mut self) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }
    let dropped = Arc::new(AtomicUsize::new(0));
    let counter = dropped.clone();
    let (health, time) = in_virtual_time(|b| {
        b.check("hangs", move || {
            let held = Counted(counter.clone());
            async move {
                let _held = held;
                hang().await
            }
        })
    });
    let _asker = time.ask(&health);
    time.pass(5 * SECOND - MILLISECOND);
    assert_eq!(dropped.load(Ordering::SeqCst), 0);
    time.pass(MILLISECOND);
    assert_eq!(dropped.load(Ordering::SeqCst), 1);
}

#[test]
fn results_that_a_subscriber_reported_before_its_timeout_count() {
    struct Replicas;
    #[async_trait]
    impl HealthSubscriber for Replicas {
        async fn on_health_check(&self, event: &mut HealthCheckEvent) {
            event.report("replica-a", "OK", None);
            pending().await
        }
    }
    let (health, time) = in_virtual_time(|b| b.register(Check::subscriber("replicas", Replicas)));
    let asker = time.ask(&health);
    time.pass(5 * SECOND);
    assert_eq!(
        asker.results(),
        [result("replica-a", "OK", None), result("replicas", "ERROR", Some("timed out after 5s")),]
    );
}

#[test]
fn an_ok_that_comes_late_because_it_blocked_its_thread_is_an_error() {
    let after = |took| {
        let time = VirtualTime::default();
        let clock = time.clone();
        let builder = builder().runtime(time.clone());
        let health = builder.check("blocks", move || {
            clock.pass_unnoticed(took);
            ready(Ok::<(), String>(()))
        });
        time.ask(&health.build().unwrap()).results()
    };
    assert_eq!(after(5 * SECOND), []);
    let late = result("blocks", "ERROR", Some("timed out after 5s"));
    assert_eq!(after(5 * SECOND + MILLISECOND), [late]);
}

/// Polls each task only once, as if its check blocked the thread.
struct Blocked(VirtualTime, Mutex<Vec<Task>>);

impl Runtime for Blocked {
    fn now(&self) -> Instant {
        self.0.now()
    }

    fn sleep_until(&self, deadline: Instant) -> Task {
        self.0.sleep_until(deadline)
    }

    fn spawn(&self, mut task: Task) {
        let _ = task.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        self.1.lock().unwrap().push(task);
    }
}

#[test]
fn while_a_check_blocks_its_thread_waiting_requests_end_the_run_on_time() {
    let time = VirtualTime::default();
    let health = builder()
        .runtime(Blocked(time.clone(), Mutex::default()))
        .check("blocks", hang)
        .check("fine", || ready(Ok::<(), String>(())))
        .build()
        .unwrap();
    let asker = time.ask(&health);
    time.pass(5 * SECOND + 19 * MILLISECOND);
    assert!(!asker.is_answered());
    time.pass(MILLISECOND);
    let fine = result("fine", "OK", None);
    let timed_out = result("blocks", "ERROR", Some("timed out after 5s"));
    assert_eq!(asker.results(), [timed_out, fine.clone()]);

    // It still runs, so it is not started again.
    time.pass(SECOND);
    let asker = time.ask(&health);
    let message = Some("still running since 6.02s ago");
    assert_eq!(asker.results(), [result("blocks", "ERROR", message), fine]);
}

#[test]
fn a_task_that_is_stuck_with_its_check_leaves_the_others_to_another() {
    let time = VirtualTime::default();
    let health = builder()
        .runtime(Blocked(time.clone(), Mutex::default()))
        .concurrent_checks(1)
        .check("blocks", hang)
        .check("fine", || ready(Ok::<(), String>(())))
        .build()
        .unwrap();
    let asker = time.ask(&health);
    time.pass(5 * SECOND + 20 * MILLISECOND);
    let timed_out = result("blocks", "ERROR", Some("timed out after 5s"));
    assert_eq!(asker.results(), [timed_out, result("fine", "OK", None)]);
}

/// Panics when it is given a task.
struct Full(VirtualTime);

impl Runtime for Full {
    fn now(&self) -> Instant {
        self.0.now()
    }

    fn sleep_until(&self, deadline: Instant) -> Task {
        self.0.sleep_until(deadline)
    }

    fn spawn(&self, _: Task) {
        panic!("no thread for the task")
    }
}

#[test]
fn a_runtime_that_panics_fails_the_checks_and_nothing_else() {
    let time = VirtualTime::default();
    let health = builder()
        .runtime(Full(time.clone()))
        .check("on-request", hang)
        .register(Check::new("in-background", hang).every(60 * SECOND))
        .build()
        .unwrap();
    for _ in 0..2 {
        assert_eq!(block_on(health.respond("")).body(), "OK");
        let asker = time.ask(&health);
        time.pass(10 * SECOND + 20 * MILLISECOND);
        let message = Some("timed out before it could run");
        assert_eq!(
            asker.results(),
            [
                result("on-request", "ERROR", message),
                result("in-background", "ERROR", Some("not run yet")),
            ]
        );
    }
}

/// Drops every task, before or after its first poll.
struct Gone {
    time: VirtualTime,
    polls: bool,
}

impl Runtime for Gone {
    fn now(&self) -> Instant {
        self.time.now()
    }

    fn sleep_until(&self, deadline: Instant) -> Task {
        self.time.sleep_until(deadline)
    }

    fn spawn(&self, mut task: Task) {
        if self.polls {
            let _ = task.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        }
    }
}

#[test]
fn a_runtime_that_drops_its_tasks_fails_the_checks_and_ends_the_run() {
    let time = VirtualTime::default();
    let answer = |polls| {
        let time = time.clone();
        let runtime = Gone { time, polls };
        let check = builder().runtime(runtime).check("dropped", hang);
        check.build().unwrap()
    };
    let asker = time.ask(&answer(true));
    let message = "given up: the task that ran it was dropped before its end";
    let expected = result("dropped", "ERROR", Some(message));
    assert_eq!(asker.results(), [expected]);

    let asker = time.ask(&answer(false));
    time.pass(10 * SECOND + 20 * MILLISECOND);
    let message = "timed out before it could run";
    let expected = result("dropped", "ERROR", Some(message));
    assert_eq!(asker.results(), [expected]);
}

/// Drops tasks until it is repaired.
struct Mended(VirtualTime, Arc<AtomicBool>);

impl Runtime for Mended {
    fn now(&self) -> Instant {
        self.0.now()
    }

    fn sleep_until(&self, deadline: Instant) -> Task {
        self.0.sleep_until(deadline)
    }

    fn spawn(&self, task: Task) {
        if self.1.load(Ordering::SeqCst) {
            self.0.spawn(task);
        }
    }
}

#[test]
fn a_run_without_tasks_and_requests_is_not_joined_by_the_next_request() {
    let time = VirtualTime::default();
    let is_mended = Arc::new(AtomicBool::new(false));
    let health = builder()
        .runtime(Mended(time.clone(), is_mended.clone()))
        .check("fine", || ready(Ok::<(), String>(())))
        .build()
        .unwrap();
    time.ask(&health).leave();
    is_mended.store(true, Ordering::SeqCst);
    time.pass(60 * SECOND);
    assert_eq!(time.ask(&health).body(), "OK");
}

#[test]
fn a_run_ends_at_its_own_deadline_whatever_those_of_its_checks() {
    let (health, time) = in_virtual_time(|b| {
        b.run_timeout(SECOND)
            .concurrent_checks(1)
            .check("fine", || ready(Ok::<(), String>(())))
            .check("hangs", hang)
            .check("not-begun", || ready(Ok::<(), String>(())))
    });
    let asker = time.ask(&health);
    time.pass(SECOND);
    assert_eq!(
        asker.results(),
        [
            result("fine", "OK", None),
            result("hangs", "ERROR", Some("timed out after 1s")),
            result("not-begun", "ERROR", Some("timed out before it could run")),
        ]
    );
}

#[test]
fn a_run_waits_for_a_deadline_that_is_longer_than_its_own_default() {
    let hangs = Check::new("hangs", hang).timeout(60 * SECOND);
    let (health, time) = in_virtual_time(|b| b.register(hangs));
    let asker = time.ask(&health);
    time.pass(60 * SECOND - MILLISECOND);
    assert!(!asker.is_answered());
    time.pass(MILLISECOND);
    let message = Some("timed out after 60s");
    assert_eq!(asker.results(), [result("hangs", "ERROR", message)]);
}

#[test]
fn the_longest_duration_is_no_deadline() {
    let (end, ended) = futures::channel::oneshot::channel::<()>();
    let ended = futures::FutureExt::shared(ended);
    let check = Check::new("slow", move || ended.clone()).timeout(Duration::MAX);
    let (health, time) = in_virtual_time(|b| b.register(check));
    let asker = time.ask(&health);
    time.pass(1_000_000_000 * SECOND);
    assert!(!asker.is_answered());
    end.send(()).unwrap();
    time.settle();
    assert_eq!(asker.body(), "OK");
}

#[test]
fn ten_thousand_checks_run_a_bounded_number_at_a_time_and_keep_their_order() {
    const CHECKS: usize = 10_000;
    const LIMIT: usize = 64;
    let time = VirtualTime::default();
    let running = Arc::new(AtomicUsize::new(0));
    let most = Arc::new(AtomicUsize::new(0));
    let mut builder = builder().runtime(time.clone()).concurrent_checks(LIMIT);
    for number in 0..CHECKS {
        let (time, running, most) = (time.clone(), running.clone(), most.clone());
        builder = builder.check(format!("check-{number}"), move || {
            most.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            let sleep = time.sleep_until(time.now() + MILLISECOND);
            let running = running.clone();
            async move {
                sleep.await;
                running.fetch_sub(1, Ordering::SeqCst);
                Err::<(), _>(number.to_string())
            }
        });
    }
    let health = builder.build().unwrap();
    let asker = time.ask(&health);
    time.pass(SECOND);
    assert_eq!(most.load(Ordering::SeqCst), LIMIT);
    let results = asker.results();
    assert_eq!(results.len(), CHECKS);
    for (number, (name, _, message)) in results.iter().enumerate() {
        assert_eq!(*name, format!("check-{number}"));
        assert_eq!(*message, Some(number.to_string()));
    }
}

#[test]
fn a_check_that_requests_its_own_endpoint_is_an_error_and_no_deadlock() {
    let asked: Arc<Mutex<Option<health_core::Health>>> = Arc::default();
    let own = asked.clone();
    let (health, time) = in_virtual_time(|b| {
        b.check("itself", move || {
            let health = own.lock().unwrap().clone();
            async move {
                let health = health.ok_or("not there yet")?;
                match health.respond("checks=all").await.body() {
                    "OK" => Ok(()),
                    _ => Err("failing"),
                }
            }
        })
    });
    *asked.lock().unwrap() = Some(health.clone());
    let asker = time.ask(&health);
    time.pass(5 * SECOND);
    let message = Some("timed out after 5s");
    assert_eq!(asker.results(), [result("itself", "ERROR", message)]);
    *asked.lock().unwrap() = None;
}

/// On the default runtime, where the check really blocks a thread: another thread polls the other checks.
#[test]
fn on_the_default_runtime_checks_that_block_do_not_delay_others() {
    let (release, released) = std::sync::mpsc::channel::<()>();
    let released = Arc::new(Mutex::new(released));
    let (fine, is_fine) = std::sync::mpsc::channel();
    let mut builder = builder().runtime(ThreadRuntime);
    for number in 0..8 {
        let released = released.clone();
        builder = builder.check(format!("blocks-{number}"), move || {
            let _ = released.lock().unwrap().recv();
            ready(Ok::<(), String>(()))
        });
    }
    let health = builder.check("fine", move || ready(fine.send(()))).build().unwrap();
    let asked = health.clone();
    let asker = std::thread::spawn(move || results(&asked));
    is_fine.recv().unwrap();
    drop(release);
    assert_eq!(asker.join().unwrap(), []);
    assert_eq!(block_on(health.respond("")).body(), "OK");
}

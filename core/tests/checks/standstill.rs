//! A standstill of the whole process, which is stopped or whose machine is suspended: time passes, and nothing runs.

use std::future::{pending, ready};
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::time::Duration;

use futures::FutureExt as _;
use futures::channel::oneshot;
use health_core::{Check, Health, Runtime as _};

use crate::virtual_time::{Ask as _, VirtualTime};
use crate::{builder, in_virtual_time, result};

const SECOND: Duration = Duration::from_secs(1);
const MILLISECOND: Duration = Duration::from_millis(1);

/// An endpoint whose background check has a period of a second and takes 300 ms, and a flag that makes it hang.
fn in_background() -> (Health, VirtualTime, Arc<AtomicBool>) {
    let time = VirtualTime::default();
    let hangs = Arc::new(AtomicBool::new(false));
    let clock = time.clone();
    let is_hanging = hangs.clone();
    let check = Check::new("slow", move || {
        let sleep = clock.sleep_until(clock.now() + 300 * MILLISECOND);
        if is_hanging.load(Ordering::SeqCst) {
            pending().boxed()
        } else {
            sleep.map(Ok::<(), String>).boxed()
        }
    });
    let builder = builder().runtime(time.clone());
    let health = builder.register(check.every(SECOND)).build().unwrap();
    health.start_on(time.clone());
    time.pass(300 * MILLISECOND);
    assert_eq!(time.ask(&health).body(), "OK");
    (health, time, hangs)
}

#[test]
fn a_result_from_before_a_standstill_counts_until_the_next_run_decides() {
    let (health, time, _) = in_background();
    time.pass_unnoticed(4 * SECOND);
    // The request comes before the timer of the check.
    assert_eq!(time.ask(&health).body(), "OK");
    for _ in 0..40 {
        time.pass(100 * MILLISECOND);
        assert_eq!(time.ask(&health).body(), "OK");
    }
}

#[test]
fn a_result_from_before_a_standstill_counts_no_longer_than_the_timeout_of_the_next_run() {
    let (health, time, hangs) = in_background();
    hangs.store(true, Ordering::SeqCst);
    time.pass_unnoticed(4 * SECOND);
    assert_eq!(time.ask(&health).body(), "OK");
    time.pass(999 * MILLISECOND);
    assert_eq!(time.ask(&health).body(), "OK");
    time.pass(MILLISECOND);
    let timed_out = result("slow", "ERROR", Some("timed out after 1s"));
    assert_eq!(time.ask(&health).results(), [timed_out]);

    // If the check never runs again, its result is stale after that.
    let (health, time, _) = in_background();
    time.pass_unnoticed(4 * SECOND);
    assert_eq!(time.ask(&health).body(), "OK");
    time.pass_unnoticed(SECOND + 20 * MILLISECOND);
    assert_eq!(time.ask(&health).body(), "OK");
    time.pass_unnoticed(MILLISECOND);
    let stale = result("slow", "ERROR", Some("stale since 5.021s ago"));
    assert_eq!(time.ask(&health).results(), [stale]);
}

#[test]
fn a_check_on_request_has_its_timeout_again_after_a_standstill() {
    let (end, ended) = oneshot::channel::<()>();
    let ended = ended.shared();
    let (health, time) = in_virtual_time(|b| b.check("slow", move || ended.clone()));
    let first = time.ask(&health);
    time.pass(3 * SECOND);
    // Longer than the timeouts of the check and of the run.
    time.pass_unnoticed(60 * SECOND);
    // A request that comes now shares the run.
    let second = time.ask(&health);
    time.pass(5 * SECOND - MILLISECOND);
    assert!(!first.is_answered() && !second.is_answered());
    end.send(()).unwrap();
    time.settle();
    assert_eq!([first.body(), second.body()], ["OK"; 2]);
}

#[test]
fn a_check_that_hangs_times_out_after_the_first_standstill_and_the_second_changes_nothing() {
    let (health, time) = in_virtual_time(|b| b.check("hangs", pending::<Result<(), String>>));
    let timed_out = || [result("hangs", "ERROR", Some("timed out after 5s"))];
    let asker = time.ask(&health);
    time.pass_unnoticed(60 * SECOND);
    time.pass(5 * SECOND);
    assert_eq!(asker.results(), timed_out());

    let asker = time.ask(&health);
    time.pass_unnoticed(60 * SECOND);
    time.pass(4 * SECOND);
    assert!(!asker.is_answered());
    time.pass_unnoticed(60 * SECOND);
    time.pass(Duration::ZERO);
    assert_eq!(asker.results(), timed_out());
}

#[test]
fn a_blocking_check_has_its_timeout_again_after_a_standstill() {
    let (start, started) = mpsc::channel();
    let (release, released) = mpsc::channel::<()>();
    let start = Mutex::new(start);
    let released = Mutex::new(released);
    let (health, time) = in_virtual_time(|b| {
        b.register(Check::blocking("blocks", move || {
            let _ = start.lock().unwrap().send(());
            released.lock().unwrap().recv().map_err(|_| "never released")
        }))
    });
    let asker = time.ask(&health);
    started.recv().unwrap();
    time.settle();
    time.pass_unnoticed(60 * SECOND);
    time.pass(4 * SECOND);
    assert!(!asker.is_answered());
    release.send(()).unwrap();
    time.wait_until(|| asker.is_answered());
    assert_eq!(asker.body(), "OK");
}

#[test]
fn a_thread_that_is_late_on_a_busy_machine_is_no_standstill() {
    let (health, time) = in_virtual_time(|b| b.check("hangs", pending::<Result<(), String>>));
    let asker = time.ask(&health);
    time.pass(4 * SECOND);
    time.pass_unnoticed(SECOND + 250 * MILLISECOND);
    time.pass(Duration::ZERO);
    let timed_out = result("hangs", "ERROR", Some("timed out after 5s"));
    assert_eq!(asker.results(), [timed_out]);
}

#[test]
fn a_check_that_blocks_its_thread_gives_no_other_more_time() {
    let time = VirtualTime::default();
    let clock = time.clone();
    let builder = builder().runtime(time.clone());
    let health = builder
        .check("hangs", pending::<Result<(), String>>)
        .check("blocks", move || {
            clock.pass_unnoticed(6 * SECOND);
            ready(Ok::<(), String>(()))
        })
        .build()
        .unwrap();
    let asker = time.ask(&health);
    time.pass(Duration::ZERO);
    let timed_out = |name| result(name, "ERROR", Some("timed out after 5s"));
    assert_eq!(asker.results(), [timed_out("hangs"), timed_out("blocks")]);
}

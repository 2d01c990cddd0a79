//! Checks that block their thread (H12).

use std::cell::RefCell;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Barrier, Mutex};
use std::time::Duration;

use health_core::{Check, HealthObserver, Notification};

use crate::virtual_time::{Ask as _, VirtualTime};
use crate::{builder, in_virtual_time, result, results};

const SECOND: Duration = Duration::from_secs(1);
const MILLISECOND: Duration = Duration::from_millis(1);

/// A check that blocks until it is released, once for each execution.
struct Stuck {
    /// Receives a message at each start.
    started: Receiver<()>,
    release: Sender<()>,
}

fn stuck(name: &str) -> (Check, Stuck) {
    let (start, started) = channel();
    let (release, released) = channel();
    let released = Mutex::new(released);
    let check = Check::blocking(name, move || {
        start.send(()).map_err(|_| "the test is over")?;
        released.lock().unwrap().recv().map_err(|_| "the test is over")
    });
    (check, Stuck { started, release })
}

/// Receives a message when a check has finished.
struct ToldOf(&'static str, Arc<AtomicBool>);

impl HealthObserver for ToldOf {
    fn notify(&self, notification: Notification) {
        let Notification::CheckFinished(finished) = notification else {
            return;
        };
        if *finished.check.name == *self.0 {
            self.1.store(true, Ordering::SeqCst);
        }
    }
}

#[test]
fn blocking_checks_say_what_they_say() {
    let (health, _time) = in_virtual_time(|b| {
        b.runtime(health_core::ThreadRuntime)
            .register(Check::blocking("ok", || Ok::<(), String>(())))
            .register(Check::blocking("fails", || Err::<(), _>("connection refused")))
            .register(Check::blocking("panics", || -> Result<(), String> { panic!("no driver") }))
    });
    for _ in 0..2 {
        assert_eq!(
            results(&health),
            [
                result("ok", "OK", None),
                result("fails", "ERROR", Some("connection refused")),
                result("panics", "ERROR", Some("panicked: no driver")),
            ]
        );
    }
}

/// Each check waits for all others, so running them one after the other would never end.
#[test]
fn blocking_checks_run_side_by_side_up_to_the_number_of_threads() {
    const THREADS: usize = 5;
    let together = Arc::new(Barrier::new(THREADS));
    let (health, _time) = in_virtual_time(|mut builder| {
        for number in 0..THREADS {
            let together = together.clone();
            builder = builder.register(Check::blocking(format!("check-{number}"), move || {
                together.wait();
                Ok::<(), String>(())
            }));
        }
        builder.blocking_threads(THREADS).runtime(health_core::ThreadRuntime)
    });
    assert_eq!(results(&health), []);
}

#[test]
fn a_stuck_check_is_timed_out_then_still_running_and_never_run_twice() {
    let (check, stuck) = stuck("stuck");
    let is_fine = Arc::new(AtomicBool::new(false));
    let (health, time) = in_virtual_time(|b| {
        b.observer(ToldOf("fine", is_fine.clone()))
            .register(check)
            .register(Check::blocking("fine", || Ok::<(), String>(())))
    });
    let fine = result("fine", "OK", None);

    let asker = time.ask(&health);
    stuck.started.recv().unwrap();
    time.wait_until(|| is_fine.load(Ordering::SeqCst));
    time.pass(5 * SECOND);
    time.wait_until(|| asker.is_answered());
    let message = Some("timed out after 5s");
    assert_eq!(asker.results(), [result("stuck", "ERROR", message), fine.clone()]);

    // Immediately, and every time.
    for seconds in [65, 125] {
        time.pass(60 * SECOND);
        let asker = time.ask(&health);
        time.wait_until(|| asker.is_answered());
        let message = format!("still running since {seconds}s ago");
        assert_eq!(asker.results(), [result("stuck", "ERROR", Some(&message)), fine.clone()]);
    }
    assert!(stuck.started.try_recv().is_err(), "started twice");

    // Its late OK is dropped. After it has ended, it runs again.
    stuck.release.send(()).unwrap();
    stuck.release.send(()).unwrap();
    loop {
        let asker = time.ask(&health);
        time.wait_until(|| asker.is_answered());
        if asker.body() == "OK" {
            break;
        }
        // Its thread is about to end.
        std::thread::yield_now();
    }
    assert!(stuck.started.try_recv().is_ok());
}

#[test]
fn an_ok_counts_by_the_time_at_which_the_check_returned() {
    let after = |took| {
        let time = VirtualTime::default();
        let clock = time.clone();
        let (start, started) = channel();
        let start = Mutex::new(start);
        let health = builder()
            .runtime(time.clone())
            .blocking_threads(1)
            .timeout(100 * MILLISECOND)
            .register(Check::blocking("first", move || {
                clock.pass_unnoticed(took);
                Ok::<(), String>(())
            }))
            .register(Check::blocking("second", move || {
                start.lock().unwrap().send(()).map_err(|_| "the test is over")
            }))
            .build()
            .unwrap();
        let asker = time.ask(&health);
        // The only thread has finished the first, and no request has noticed yet.
        started.recv().unwrap();
        time.wait_until(|| asker.is_answered());
        asker.results()
    };
    assert_eq!(after(100 * MILLISECOND), []);
    let late = result("first", "ERROR", Some("timed out after 100ms"));
    assert_eq!(after(101 * MILLISECOND), [late, result("second", "OK", None)]);
}

#[test]
fn a_stuck_check_does_not_use_up_a_thread_of_the_others() {
    let (check, stuck) = stuck("stuck");
    let (health, time) = in_virtual_time(|b| {
        b.blocking_threads(1)
            .register(check)
            .register(Check::blocking("fine", || Ok::<(), String>(())))
    });
    let asker = time.ask(&health);
    stuck.started.recv().unwrap();
    // The first occupies the only thread until its timeout; then the second gets another thread.
    time.pass(5 * SECOND);
    time.wait_until(|| asker.is_answered());
    let fine = result("fine", "OK", None);
    let message = Some("timed out after 5s");
    assert_eq!(asker.results(), [result("stuck", "ERROR", message), fine.clone()]);

    let asker = time.ask(&health);
    time.wait_until(|| asker.is_answered());
    let message = Some("still running since 5s ago");
    assert_eq!(asker.results(), [result("stuck", "ERROR", message), fine]);
}

#[test]
fn a_check_that_has_not_begun_when_the_run_ends_never_begins() {
    let (check, stuck) = stuck("stuck");
    let runs = Arc::new(AtomicUsize::new(0));
    let counted = runs.clone();
    let (health, time) = in_virtual_time(|b| {
        b.blocking_threads(1).run_timeout(SECOND).register(check).register(Check::blocking(
            "waits",
            move || {
                counted.fetch_add(1, Ordering::SeqCst);
                Ok::<(), String>(())
            },
        ))
    });
    let asker = time.ask(&health);
    stuck.started.recv().unwrap();
    time.settle();
    time.pass(SECOND);
    assert_eq!(
        asker.results(),
        [
            result("stuck", "ERROR", Some("timed out after 1s")),
            result("waits", "ERROR", Some("timed out before it could run")),
        ]
    );
    assert_eq!(runs.load(Ordering::SeqCst), 0);

    // The stuck check no longer counts, so the next run gets a thread for the other.
    while runs.load(Ordering::SeqCst) == 0 {
        let asker = time.ask(&health);
        time.wait_until(|| asker.is_answered());
    }
}

#[test]
fn the_threads_end_with_the_endpoint() {
    /// Sends a message at the end of its thread.
    struct AtEnd(Sender<()>);
    impl Drop for AtEnd {
        fn drop(&mut self) {
            let _ = self.0.send(());
        }
    }
    thread_local! {
        static AT_END: RefCell<Option<AtEnd>> = const { RefCell::new(None) };
    }
    let (end, ended) = channel();
    let end = Mutex::new(end);
    let (health, _time) = in_virtual_time(|b| {
        b.runtime(health_core::ThreadRuntime).register(Check::blocking(
            "leaves-a-trace",
            move || {
                AT_END.set(Some(AtEnd(end.lock().unwrap().clone())));
                Ok::<(), String>(())
            },
        ))
    });
    assert_eq!(results(&health), []);
    assert!(ended.try_recv().is_err());
    drop(health);
    ended.recv().unwrap();
}

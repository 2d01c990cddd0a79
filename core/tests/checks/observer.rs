//! Observers get their notifications, and never delay checks.

use std::future::ready;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use health_core::{
    Check, CheckFinished, Criticality, Endpoint, HealthObserver, Notification, Runtime as _,
    Status, Verdict,
};

use crate::virtual_time::{Ask as _, VirtualTime};
use crate::{builder, in_virtual_time};

const SECOND: Duration = Duration::from_secs(1);

#[derive(Debug, PartialEq)]
enum Notice {
    Finished(String, Status, Duration),
    Changed(Option<Verdict>, Verdict),
}

impl Notice {
    fn of(notification: Notification) -> Self {
        match notification {
            Notification::CheckFinished(finished) => {
                let status = finished.reports[0].status();
                Self::Finished(finished.check.name.clone(), status, finished.duration)
            }
            Notification::VerdictChanged(changed) => Self::Changed(changed.before, changed.now),
            other => panic!("{other:?}"),
        }
    }
}

/// An observer that forwards its notifications.
fn listener() -> (impl HealthObserver, Receiver<Notice>) {
    let (tell, told) = channel();
    let tell = Mutex::new(tell);
    let listener = move |notification| {
        let _ = tell.lock().unwrap().send(Notice::of(notification));
    };
    (listener, told)
}

/// A check that fails while the flag is set.
fn failing_while(flag: &Arc<AtomicBool>, name: &str) -> Check {
    let flag = flag.clone();
    Check::new(name, move || {
        ready(if flag.load(Ordering::SeqCst) { Err("no route") } else { Ok(()) })
    })
}

#[test]
fn an_observer_gets_each_result_and_each_change_of_the_verdict() {
    let (listener, told) = listener();
    let search = Arc::default();
    let database = Arc::default();
    let (health, time) = in_virtual_time(|b| {
        b.observer(listener)
            .register(failing_while(&search, "search").optional())
            .register(failing_while(&database, "database"))
    });
    let finished = |name: &str, status| Notice::Finished(name.to_owned(), status, Duration::ZERO);
    let expect = |status: [Status; 2], change: Option<(Option<Verdict>, Verdict)>| {
        time.ask(&health);
        assert_eq!(told.recv().unwrap(), finished("search", status[0]));
        assert_eq!(told.recv().unwrap(), finished("database", status[1]));
        if let Some((before, now)) = change {
            assert_eq!(told.recv().unwrap(), Notice::Changed(before, now));
        }
    };
    let ok = Status::Ok;
    let error = Status::Error;
    expect([ok, ok], Some((None, Verdict::Ok)));
    expect([ok, ok], None);
    search.store(true, Ordering::SeqCst);
    expect([error, ok], Some((Some(Verdict::Ok), Verdict::Degraded)));
    database.store(true, Ordering::SeqCst);
    expect([error, error], Some((Some(Verdict::Degraded), Verdict::Failing)));
    expect([error, error], None);
    search.store(false, Ordering::SeqCst);
    database.store(false, Ordering::SeqCst);
    expect([ok, ok], Some((Some(Verdict::Failing), Verdict::Ok)));
}

#[test]
fn an_observer_gets_the_duration_of_a_check() {
    let (listener, told) = listener();
    let time = VirtualTime::default();
    let clock = time.clone();
    let health = builder()
        .runtime(time.clone())
        .observer(listener)
        .check("slow", move || {
            let sleep = clock.sleep_until(clock.now() + SECOND);
            async {
                sleep.await;
                Ok::<(), String>(())
            }
        })
        .check("hangs", std::future::pending::<Result<(), String>>)
        .build()
        .unwrap();
    let _asker = time.ask(&health);
    time.pass(5 * SECOND);
    let finished = |name: &str, status, took| Notice::Finished(name.to_owned(), status, took);
    assert_eq!(told.recv().unwrap(), finished("slow", Status::Ok, SECOND));
    let hung = finished("hangs", Status::Error, 5 * SECOND);
    assert_eq!(told.recv().unwrap(), hung);
}

#[test]
fn a_change_in_the_background_is_notified_without_a_request() {
    let (listener, told) = listener();
    let is_failing = Arc::default();
    let check = failing_while(&is_failing, "database").every(60 * SECOND);
    let (health, time) = in_virtual_time(|b| b.observer(listener).register(check));
    health.start_on(time.clone());
    time.settle();
    is_failing.store(true, Ordering::SeqCst);
    time.pass(70 * SECOND);
    let told: Vec<_> = told.iter().take(4).collect();
    assert_eq!(told[1], Notice::Changed(None, Verdict::Ok));
    assert_eq!(told[3], Notice::Changed(Some(Verdict::Ok), Verdict::Failing));
}

#[test]
fn an_observer_that_panics_harms_neither_the_answer_nor_the_others_nor_its_next_notice() {
    let (tell, panics) = channel();
    let tell = Mutex::new(tell);
    let panicking = move |notification| {
        if let Notification::CheckFinished(_) = notification {
            let _ = tell.lock().map(|told| told.send(()));
            panic!("an observer of the test")
        }
    };
    let (listener, told) = listener();
    let ok = Check::new("database", || ready(Ok::<(), String>(())));
    let (health, time) = in_virtual_time(|b| b.observer(panicking).observer(listener).register(ok));
    for _ in 0..2 {
        assert_eq!(time.ask(&health).body(), "OK");
        panics.recv().unwrap();
    }
    assert_eq!(told.iter().take(3).count(), 3);
}

#[test]
fn an_observer_that_hangs_delays_no_check_and_loses_results_when_its_queue_is_full() {
    let (release, released) = channel::<()>();
    let (call, called) = channel();
    let released = Mutex::new(released);
    let hanging = move |notification| {
        if let Notification::CheckFinished(_) = notification {
            let _ = call.send(());
            let _ = released.lock().unwrap().recv();
        }
    };
    let ok = Check::new("database", || ready(Ok::<(), String>(())));
    let (health, time) = in_virtual_time(|b| b.observer(hanging).register(ok));
    for _ in 0..3000 {
        assert_eq!(time.ask(&health).body(), "OK");
    }
    // The full queue of 1,000: one is a change of the verdict.
    drop(release);
    assert_eq!(called.iter().take(999).count(), 999);
    drop(health);
    assert_eq!(called.iter().count(), 0);
}

#[test]
fn an_observer_that_missed_a_change_gets_it_when_it_catches_up() {
    let (release, released) = channel::<()>();
    let (listener, told) = listener();
    let is_failing = Arc::default();
    let check = failing_while(&is_failing, "database");
    let released = Mutex::new(released);
    let slow = move |notification| match notification {
        Notification::CheckFinished(_) => drop(released.lock().unwrap().recv()),
        other => listener.notify(other),
    };
    let (health, time) = in_virtual_time(|b| b.observer(slow).register(check));
    for _ in 0..1000 {
        time.ask(&health);
    }
    is_failing.store(true, Ordering::SeqCst);
    time.ask(&health);
    drop(release);
    assert_eq!(told.recv().unwrap(), Notice::Changed(None, Verdict::Ok));
    time.wait_until(|| {
        time.ask(&health);
        told.try_recv() == Ok(Notice::Changed(Some(Verdict::Ok), Verdict::Failing))
    });
}

#[test]
fn a_run_that_ends_late_does_not_notify_an_outdated_result() {
    let (listener, notices) = listener();
    let time = VirtualTime::default();
    let fails = Arc::new(AtomicBool::new(false));
    let clock = time.clone();
    let slow = Check::new("slow", move || {
        let sleep = clock.sleep_until(clock.now() + SECOND);
        async move {
            sleep.await;
            Ok::<(), String>(())
        }
    });
    let health = builder()
        .runtime(time.clone())
        .observer(listener)
        .register(failing_while(&fails, "shared"))
        .register(slow)
        .endpoint(Endpoint::readiness("/ready").only_checks(["shared"]))
        .build()
        .unwrap();
    let all = time.ask(&health);
    fails.store(true, Ordering::SeqCst);
    time.ask_at(&health, "/ready");
    time.pass(SECOND);
    assert!(all.is_answered());
    let changes = notices.iter().filter(|notice| matches!(notice, Notice::Changed(..)));
    let changes: Vec<_> = changes.take(1).collect();
    assert_eq!(changes, [Notice::Changed(None, Verdict::Failing)]);
    drop(health);
    let more = notices.iter().find(|notice| matches!(notice, Notice::Changed(..)));
    assert_eq!(more, None);
}

#[test]
fn an_observer_learns_since_when_a_check_fails_and_how_much_that_matters() {
    let (tell, told) = channel();
    let tell = Mutex::new(tell);
    let is_failing = Arc::new(AtomicBool::new(false));
    let (health, time) = in_virtual_time(|b| {
        let check = failing_while(&is_failing, "database").failure_threshold(2).optional();
        b.register(check).observer(move |notification| {
            if let Notification::CheckFinished(finished) = notification {
                let told = (finished.check.criticality, finished.failing_since);
                let _ = tell.lock().map(|tell| tell.send(told));
            }
        })
    });
    let finished = || {
        time.ask(&health);
        time.pass(SECOND);
        let (criticality, since) = told.recv().unwrap();
        assert_eq!(criticality, Criticality::Optional);
        since.map(|since| time.now() - since)
    };
    assert_eq!(finished(), None);
    is_failing.store(true, Ordering::SeqCst);
    assert_eq!(finished(), None, "one failure does not count");
    assert_eq!(finished(), Some(SECOND));
    assert_eq!(finished(), Some(2 * SECOND));
    is_failing.store(false, Ordering::SeqCst);
    assert_eq!(finished(), None);
}

#[test]
fn the_last_result_of_each_check_can_be_read_as_it_counts() {
    let is_failing = Arc::new(AtomicBool::new(false));
    let (health, time) = in_virtual_time(|b| {
        b.register(failing_while(&is_failing, "database").failure_threshold(2))
            .register(failing_while(&Arc::default(), "cache").every(60 * SECOND))
    });
    let results = || {
        let results = health.last_results().into_iter();
        let result = |finished: CheckFinished| {
            let message = finished.reports[0].message().map(str::to_owned);
            let age = time.now() - finished.finished_at;
            (finished.check.name.clone(), finished.reports[0].status(), message, age)
        };
        results.map(result).collect::<Vec<_>>()
    };
    let ok = Status::Ok;
    let error = Status::Error;
    let result = |name: &str, status, message: Option<&str>, age| {
        (name.to_owned(), status, message.map(str::to_owned), age)
    };
    assert_eq!(results(), []);
    health.start_on(time.clone());
    time.settle();
    assert_eq!(results(), [result("cache", ok, None, Duration::ZERO)]);
    time.ask(&health);
    time.pass(SECOND);
    let cache = |age| result("cache", ok, None, age);
    let database = result("database", ok, None, SECOND);
    assert_eq!(results(), [database, cache(SECOND)]);

    is_failing.store(true, Ordering::SeqCst);
    time.ask(&health);
    let message = Some("1 of 2 failures: no route");
    let database = result("database", ok, message, Duration::ZERO);
    assert_eq!(results(), [database, cache(SECOND)]);
    time.ask(&health);
    let database = result("database", error, Some("no route"), Duration::ZERO);
    assert_eq!(results(), [database, cache(SECOND)]);
}

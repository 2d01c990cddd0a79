//! An application that uses `tracing` gets the records of the endpoints.

#![expect(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

mod callsites;
mod logged;

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Waker};
use std::thread;
use std::time::{Duration, Instant};

use futures::FutureExt as _;
use futures::executor::block_on;
use futures::stream::pending;
use health_core::{
    CheckResult, Drain, Endpoint, Health, HealthBuilder, HealthConfig, HealthRequest, Notification,
    Runtime, Task, ThreadRuntime,
};

use crate::logged::logged;

/// The records that are logged while `run` runs.
fn records(run: impl FnOnce()) -> Vec<String> {
    logged(run).lines().map(|line| line.trim_start().to_owned()).collect()
}

#[test]
fn a_part_of_a_result_that_is_not_accepted_is_a_warning() {
    let lines = records(|| {
        let health = Health::builder()
            .config(HealthConfig::default().with_disablefile(""))
            .check("disk", || async { CheckResult::ok().reason("Full") })
            .build()
            .unwrap();
        assert_eq!(block_on(health.respond("checks=all")).body(), "OK");
        block_on(health.respond("checks=all"));
    });
    let [line] = &lines[..] else { panic!("{lines:?}") };
    assert!(line.starts_with("WARN "), "{line}");
    assert!(
        line.contains("in a result of the check \"disk\", the reason \"Full\" is left out"),
        "{line}"
    );
    assert!(line.ends_with("event=\"check\" check=\"disk\""), "{line}");
}

#[test]
fn records_reach_a_tracing_subscriber() {
    let lines = records(|| {
        let config = HealthConfig::from_variables([
            (
                "HEALTHCHECK_DISABLEFILE".into(),
                concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml").into(),
            ),
            ("HEALTHCHECK_INTERVAL".into(), "30s".into()),
        ]);
        let maintained = Health::builder().config(config.unwrap()).build().unwrap();
        block_on(maintained.respond(""));

        let failing = Health::builder()
            .config(HealthConfig::default().with_disablefile(""))
            .check("queue", || async { CheckResult::error("87 jobs").reason("behind") })
            .build()
            .unwrap();
        block_on(failing.respond("checks=all"));
        block_on(failing.respond(""));
    });
    let [warning, records @ ..] = &lines[..] else {
        panic!("{lines:?}");
    };
    let unknown = "WARN health: the environment variable \"HEALTHCHECK_INTERVAL\" is not a setting of the health \
                   endpoint and is ignored; its settings are HEALTHCHECK_URL, ";
    assert!(warning.starts_with(unknown), "{warning}");
    assert_eq!(
        records,
        [
            r#"INFO health: Health response: MAINTENANCE event="response" endpoint="/health" state="maintenance""#,
            r#"ERROR health: Health response: ERROR ([{"name":"queue","status":"ERROR","message":"87 jobs","reason":"behind"}]) event="response" endpoint="/health" state="failing" reason="behind" lasted=0.0"#,
        ]
    );
}

#[test]
fn endpoints_that_are_dropped_without_being_mounted_are_logged() {
    let built = || {
        let config = HealthConfig::default().with_disablefile("");
        Health::builder().config(config).build().unwrap()
    };
    let [line] = &records(|| drop(built()))[..] else { panic!("one line was expected") };
    let expected = "WARN health: the health endpoints were dropped, but never mounted on a server";
    assert!(line.starts_with(expected), "{line}");
    let used: [fn(Health); 4] = [
        |health| {
            let _ = block_on(health.respond(""));
        },
        |health| drop(health.endpoints().next()),
        |health| drop(health.at("/health")),
        |health| health.start_on(Inline),
    ];
    for use_health in used {
        assert_eq!(records(|| use_health(built())), [""; 0]);
    }
    let health = built();
    assert_eq!(records(|| drop(health.clone())), [""; 0]);
    block_on(health.respond(""));
}

#[test]
fn a_drain_that_would_be_cut_short_is_warned_of_with_both_numbers() {
    let seconds = Duration::from_secs;
    let drain = |builder: HealthBuilder, delay| {
        let config = HealthConfig::default().with_disablefile("");
        let health = builder.config(config).build().unwrap();
        records(|| {
            let _ = health.drain_when(pending::<()>(), seconds(delay)).now_or_never();
        })
    };
    let default = Health::builder;
    assert_eq!(drain(default(), 29), [""; 0]);
    assert_eq!(drain(default().termination_grace_period(seconds(90)), 60), [""; 0]);
    for (lines, delay, grace) in [
        (drain(default(), 30), "30s", "30s"),
        (drain(default().termination_grace_period(seconds(10)), 15), "15s", "10s"),
    ] {
        let warning = format!(
            "WARN health: the drain takes {delay}, but the process is killed {grace} after the signal"
        );
        assert!(lines.len() == 1 && lines[0].starts_with(&warning), "{lines:?}");
    }
}

#[test]
fn a_drain_is_logged_when_it_begins_and_when_it_is_over() {
    let config = HealthConfig::default().with_disablefile("");
    let health = Health::builder().config(config.clone()).build().unwrap();
    let lines = records(|| block_on(health.drain_when(async {}, Duration::ZERO)));
    let begins = "INFO health: draining: the endpoints report it from now on, and requests are served for another 0ns";
    let event = r#" event="drain""#;
    let expected = [begins, "INFO health: drained: the server may stop after 0ns"];
    assert_eq!(lines, expected.map(|line| format!("{line}{event}")));

    let health = Health::builder().config(config).build().unwrap();
    let signals = futures::stream::iter([(), ()]);
    let lines = records(|| block_on(health.drain_when(signals, Duration::ZERO)));
    assert_eq!(lines[0], format!("{begins}; a second signal skips the rest{event}"));
}

#[test]
fn the_shutdown_phases_count_in_the_time_that_a_drain_has() {
    let seconds = Duration::from_secs;
    let drain = |at_most| {
        let config = HealthConfig::default().with_disablefile("");
        let health = Health::builder()
            .config(config)
            .shutdown_phase("pool", seconds(5), || async { Ok::<(), String>(()) })
            .build()
            .unwrap();
        let drain = Drain::at_least(seconds(1)).at_most(seconds(at_most)).unwrap();
        records(|| {
            let _ = health.drain_when(pending::<()>(), drain).now_or_never();
        })
    };
    assert_eq!(drain(24), [""; 0]);
    let warning = "WARN health: the drain takes 25.5s, and the shutdown phases 5s, but the process is killed 30s after the \
                   signal";
    let [line] = &drain(25)[..] else { panic!("one line was expected") };
    assert!(line.starts_with(warning), "{line}");
}

/// What a drain of 1 to 3 seconds logs at its end, on a clock whose timers are ready at once.
fn end_of_a_drain(prepare: impl FnOnce(&Health, &Clock)) -> String {
    let clock = Clock(Arc::new(Mutex::new(Instant::now())));
    let config = HealthConfig::default().with_disablefile("");
    let builder = Health::builder().config(config).runtime(clock.clone());
    let health = builder.endpoint(Endpoint::readiness("/ready")).build().unwrap();
    let seconds = Duration::from_secs;
    let drain = Drain::at_least(seconds(1)).at_most(seconds(3)).unwrap();
    let drained = health.drain_when(pending::<()>(), drain);
    health.drain();
    prepare(&health, &clock);
    let mut lines = records(|| block_on(drained));
    lines.pop().unwrap()
}

#[test]
fn the_end_of_a_drain_says_what_it_depended_on() {
    let poll = |health: &Health| {
        let request = HealthRequest::new("")
            .client(Some([10, 0, 0, 1].into()))
            .header("user-agent", b"kube-probe\x1b/1.34");
        block_on(health.at("/ready").unwrap().respond(request));
    };
    let pass = |clock: &Clock, seconds| *clock.0.lock().unwrap() += Duration::from_secs(seconds);
    let begins = "INFO health: drained: the server may stop after";
    for (expected, line) in [
        ("1s: no request is active, and no poller asks", end_of_a_drain(|_, clock| pass(clock, 1))),
        (
            "2s: no request is active, and each poller has been told (1)",
            end_of_a_drain(|health, clock| {
                (0..3).for_each(|_| poll(health));
                pass(clock, 2);
            }),
        ),
        (
            "4s, the maximum; active requests: 1; pollers that may not have noticed: kube-probe\\x1b/1.34 at 10.0.0.1 on /ready, told 1 of 3 times",
            end_of_a_drain(|health, clock| {
                health.track().detach();
                poll(health);
                pass(clock, 4);
            }),
        ),
    ] {
        assert_eq!(line, format!("{begins} {expected} event=\"drain\""));
    }
}

#[test]
fn each_shutdown_phase_leaves_a_record() {
    let lines = records(|| {
        let config = HealthConfig::default().with_disablefile("");
        let clock = Clock(Arc::new(Mutex::new(Instant::now())));
        let health = Health::builder()
            .config(config)
            .runtime(Timeless(clock))
            .shutdown_phase("consumers", Duration::from_secs(1), || async { Ok::<(), String>(()) })
            .shutdown_phase("queue", Duration::from_secs(1), || async { Err::<(), _>("no broker") })
            .shutdown_phase("pool", Duration::from_secs(1), || async {
                if true {
                    panic!("closed");
                }
                Ok::<(), String>(())
            })
            .build()
            .unwrap();
        drop(health.at("/health")); // as if it were mounted
        let ended = block_on(health.shut_down_after(async {}));
        assert!(!ended.is_clean());
    });
    let event = r#" event="shutdown""#;
    let expected = [
        "INFO health: shutdown: consumers took 0ns",
        "ERROR health: shutdown: queue failed: no broker",
        "ERROR health: shutdown: pool failed: panicked: closed",
    ];
    assert_eq!(lines, expected.map(|line| format!("{line}{event}")));
}

/// The clock, no timers, and tasks on the threads of the default runtime.
struct Timeless(Clock);

impl Runtime for Timeless {
    fn now(&self) -> Instant {
        self.0.now()
    }

    fn sleep_until(&self, _: Instant) -> Task {
        Box::pin(std::future::pending())
    }

    fn spawn(&self, task: Task) {
        ThreadRuntime.spawn(task);
    }
}

/// A clock that the test sets; its timers are ready at once.
#[derive(Clone)]
struct Clock(Arc<Mutex<Instant>>);

impl Runtime for Clock {
    fn now(&self) -> Instant {
        *self.0.lock().unwrap()
    }

    fn sleep_until(&self, _: Instant) -> Task {
        Box::pin(async {})
    }

    fn spawn(&self, _: Task) {}
}

#[test]
fn the_record_of_a_drain_that_began_earlier_says_when_and_what_is_left() {
    let began = "INFO health: draining: it began";
    let event = r#" event="drain""#;
    for (seconds, expected) in [
        (0, "0ns ago, so requests are served for another 10s of 10s"),
        (4, "4s ago, so requests are served for another 6s of 10s"),
        (10, "10s ago, so nothing is left of 10s"),
        (12, "12s ago, so nothing is left of 10s"),
    ] {
        let clock = Clock(Arc::new(Mutex::new(Instant::now())));
        let config = HealthConfig::default().with_disablefile("");
        let builder = Health::builder().config(config).runtime(clock.clone());
        let health = builder.build().unwrap();
        health.drain();
        *clock.0.lock().unwrap() += Duration::from_secs(seconds);
        let delay = Duration::from_secs(10);
        let lines = records(|| block_on(health.drain_when(async {}, delay)));
        assert_eq!(lines[0], format!("{began} {expected}{event}"));
        assert_eq!(lines.len(), 2, "{lines:?}");
        for (signals, can_skip) in [(1, false), (2, seconds < 10)] {
            let signals = futures::stream::iter(vec![(); signals]);
            let lines = records(|| block_on(health.drain_when(signals, delay)));
            let skip = if can_skip { "; a second signal skips the rest" } else { "" };
            assert_eq!(lines[0], format!("{began} {expected}{skip}{event}"));
        }
    }
}

#[test]
fn a_client_that_leaves_while_checks_run_does_not_take_the_warning_with_it() {
    let lines = records(|| {
        let config = HealthConfig::default()
            .with_disablefile(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml/maintenance"));
        let health = Health::builder()
            .config(config)
            .check("stuck", std::future::pending::<Result<(), String>>)
            .build()
            .unwrap();
        assert!(health.respond("checks=all").now_or_never().is_none());
    });
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(lines[0].starts_with("WARN health: cannot tell"), "{lines:?}");
}

/// Polls each task once, on the thread of the request, whose log the test reads. Checks that are ready at once need no
/// more.
struct Inline;

impl Runtime for Inline {
    fn now(&self) -> Instant {
        Instant::now()
    }

    fn sleep_until(&self, _: Instant) -> Task {
        Box::pin(std::future::pending())
    }

    fn spawn(&self, mut task: Task) {
        let _ = task.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    }
}

#[test]
fn an_observer_that_does_not_keep_up_is_logged_once_until_it_has_caught_up() {
    let hangs = Arc::<AtomicBool>::default();
    let calls = Arc::<AtomicUsize>::default();
    let is_hanging = hangs.clone();
    let counted = calls.clone();
    let observer = move |notification| {
        if let Notification::CheckFinished(_) = notification {
            while is_hanging.load(Ordering::SeqCst) {
                thread::yield_now();
            }
            counted.fetch_add(1, Ordering::SeqCst);
        }
    };
    let health = Health::builder()
        .config(HealthConfig::default().with_disablefile(""))
        .runtime(Inline)
        .observer(observer)
        .check("database", || async { Ok::<(), String>(()) })
        .build()
        .unwrap();
    let ask = || assert_eq!(block_on(health.respond("checks=all")).body(), "OK");
    let (mut told, mut waiting) = (0, 999);
    for _ in 0..2 {
        hangs.store(true, Ordering::SeqCst);
        let lines = records(|| (0..3000).for_each(|_| ask()));
        let [line] = &*lines else { panic!("{lines:?}") };
        let expected = "WARN health: an observer is 1000 notifications behind";
        assert!(line.starts_with(expected), "{line}");

        // It catches up with its queue of 1,000, of which the first was a change of the verdict, and then keeps up.
        hangs.store(false, Ordering::SeqCst);
        told += waiting;
        waiting = 1000;
        while calls.load(Ordering::SeqCst) < told {
            thread::yield_now();
        }
        for _ in 0..10 {
            ask();
            told += 1;
            while calls.load(Ordering::SeqCst) < told {
                thread::yield_now();
            }
        }
    }
}

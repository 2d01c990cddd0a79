//! One connection that is kept.

use std::io::{self, ErrorKind};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};
use std::task::{Context, Waker};
use std::time::Duration;

use health_conformance::testee::VirtualTime;
use health_core::{CheckResult, Health, HealthConfig, Report, Runtime as _, Status};
use health_indicators::{Indicator as _, kept, reason};

use crate::server::{
    Connection, Fails, IsSilent, Panics, RETRY_DELAY, Responds, RespondsAfter, Server, TIMEOUT,
    Test, report_of,
};

const MOMENT: Duration = Duration::from_millis(1);

fn is_ok(report: &Report) -> bool {
    report.status() == Status::Ok
}

fn value(report: &Report, name: &str) -> Option<f64> {
    report.values().iter().find(|value| value.name() == name).map(|value| value.number())
}

#[test]
fn the_first_test_opens_a_connection_and_10_000_keep_it() {
    let time = VirtualTime::default();
    let server = Server::new(&time);
    let indicator = Arc::new(server.indicator());
    assert_eq!(server.opened(), 0);
    for _ in 0..10_000 {
        let report = report_of(&time, &indicator);
        assert!(is_ok(&report), "{report:?}");
        assert_eq!(value(&report, "connects"), Some(1.0));
    }
    assert_eq!((server.opened(), server.open()), (1, 1));
    drop(indicator);
    assert_eq!(server.open(), 0);
}

#[test]
fn a_connection_that_the_server_closed_is_replaced_by_the_same_test() {
    let time = VirtualTime::default();
    let server = Server::new(&time);
    let indicator = Arc::new(server.indicator());
    for tests in 1..=100 {
        assert!(is_ok(&report_of(&time, &indicator)));
        assert_eq!((server.opened(), server.open()), (tests, 1));
        server.restart(Fails(ErrorKind::ConnectionReset));
    }
}

#[test]
fn a_silent_connection_is_replaced_after_a_third_of_the_timeout() {
    let time = VirtualTime::default();
    let server = Server::new(&time);
    let indicator = Arc::new(server.indicator());
    report_of(&time, &indicator);
    server.restart(IsSilent);
    let test = Test::begin(&time, &indicator);
    time.pass(TIMEOUT / 3 - MOMENT);
    assert_eq!((server.opened(), test.has_ended()), (1, false));
    time.pass(MOMENT);
    assert!(is_ok(&test.report()));
    assert_eq!((server.opened(), server.open()), (2, 1));
    assert!(is_ok(&report_of(&time, &indicator)));
    assert_eq!(server.opened(), 2);
}

#[test]
fn a_connection_that_is_blocked_is_kept_and_another_failed_one_is_not() {
    for (reason, connects) in [("blocked", 1.0), ("read_only", 3.0)] {
        let time = VirtualTime::default();
        let result = move || Ok::<_, io::Error>(CheckResult::error("no writes").reason(reason));
        let indicator = kept(
            || async { Ok::<_, io::Error>(()) },
            move |(): &mut ()| Box::pin(async move { result() }),
        );
        let indicator = indicator.runtime(time.clone()).retry_delay(RETRY_DELAY);
        let indicator = Arc::new(indicator);
        for _ in 0..2 {
            report_of(&time, &indicator);
            time.pass(RETRY_DELAY);
        }
        let report = report_of(&time, &indicator);
        assert_eq!((report.status(), report.reason()), (Status::Error, Some(reason)));
        assert_eq!(value(&report, "connects"), Some(connects));
    }
}

#[test]
fn a_connection_whose_error_means_blocked_is_kept_too() {
    let time = VirtualTime::default();
    let busy = || io::Error::other("BUSY");
    let indicator = kept(
        || async { Ok::<_, io::Error>(()) },
        move |(): &mut ()| Box::pin(async move { Err::<(), _>(busy()) }),
    );
    let indicator = indicator.classify(|_| Some(reason::BLOCKED)).runtime(time.clone());
    let indicator = Arc::new(indicator);
    for _ in 0..3 {
        let report = report_of(&time, &indicator);
        assert_eq!((report.status(), report.reason()), (Status::Error, Some("blocked")));
        assert_eq!(value(&report, "connects"), Some(1.0));
        time.pass(RETRY_DELAY);
    }
}

#[test]
fn a_slow_server_passes_on_a_new_connection_and_on_a_kept_one() {
    let time = VirtualTime::default();
    let server = Server::new(&time);
    let indicator = Arc::new(server.indicator());
    let slow = TIMEOUT * 9 / 10;
    server.ping(RespondsAfter(slow));
    for tests in 1..=20 {
        let test = Test::begin(&time, &indicator);
        time.pass(slow - MOMENT);
        assert!(!test.has_ended());
        time.pass(MOMENT);
        assert!(is_ok(&test.report()), "test {tests}: {:?}", test.report());
        // The first that responds is the kept one.
        assert_eq!((server.opened(), server.open()), (tests, 1));
    }
}

#[test]
fn a_slow_server_that_accepts_no_other_connection_passes() {
    let time = VirtualTime::default();
    let server = Server::new(&time);
    let indicator = Arc::new(server.indicator());
    report_of(&time, &indicator);
    server.ping(RespondsAfter(TIMEOUT * 9 / 10));
    server.connect(Fails(ErrorKind::ConnectionRefused));
    let test = Test::begin(&time, &indicator);
    time.pass(TIMEOUT);
    assert!(is_ok(&test.report()), "{:?}", test.report());
    assert_eq!(server.open(), 1);
}

#[test]
fn a_server_that_is_silent_is_an_error_at_the_timeout_and_nothing_stays_open() {
    let time = VirtualTime::default();
    let server = Server::new(&time);
    let indicator = Arc::new(server.indicator());
    for connect in [IsSilent, Responds] {
        report_of(&time, &indicator);
        server.restart(IsSilent);
        server.ping(IsSilent);
        server.connect(connect);
        let test = Test::begin(&time, &indicator);
        time.pass(TIMEOUT - MOMENT);
        assert!(!test.has_ended());
        time.pass(MOMENT);
        assert_eq!(test.report().reason(), Some("timed_out"));
        assert_eq!(test.report().message(), Some("no response within 3s"));
        assert_eq!(server.open(), 0);
        server.ping(Responds);
        server.connect(Responds);
        time.pass(RETRY_DELAY);
    }
}

#[test]
fn of_a_silent_connection_and_a_refused_one_the_refusal_is_reported() {
    let time = VirtualTime::default();
    let server = Server::new(&time);
    let indicator = Arc::new(server.indicator());
    report_of(&time, &indicator);
    server.restart(IsSilent);
    server.connect(Fails(ErrorKind::ConnectionRefused));
    let test = Test::begin(&time, &indicator);
    time.pass(TIMEOUT);
    assert_eq!(test.report().reason(), Some("refused"));
    assert_eq!(server.open(), 0);
}

#[test]
fn the_next_connection_is_opened_a_retry_delay_after_a_failure() {
    let time = VirtualTime::default();
    let server = Server::new(&time);
    let indicator = Arc::new(server.indicator());
    server.connect(Fails(ErrorKind::ConnectionRefused));
    let report = report_of(&time, &indicator);
    assert_eq!(report.reason(), Some("refused"));
    server.connect(Responds);
    time.pass(RETRY_DELAY - MOMENT);
    for _ in 0..100 {
        let again = report_of(&time, &indicator);
        assert_eq!((again.reason(), again.message()), (report.reason(), report.message()));
        assert_eq!(value(&again, "connects"), Some(1.0));
    }
    assert_eq!(server.opened(), 1);
    time.pass(MOMENT);
    assert!(is_ok(&report_of(&time, &indicator)));
    assert_eq!(server.opened(), 2);
}

#[test]
fn a_result_that_is_an_error_drops_the_connection_and_a_degraded_one_keeps_it() {
    let time = VirtualTime::default();
    let server = Server::new(&time);
    let result = Arc::new(Mutex::new(CheckResult::degraded("slow disk")));
    let (pinged, connected) = (result.clone(), server.clone());
    let indicator = Arc::new(
        kept(
            move || Connection::open(connected.clone()),
            move |_: &mut Connection| {
                let result = pinged.lock().unwrap().clone();
                Box::pin(async { Ok::<_, io::Error>(result) })
            },
        )
        .runtime(time.clone()),
    );
    for _ in 0..3 {
        assert_eq!(report_of(&time, &indicator).status(), Status::Degraded);
        assert_eq!((server.opened(), server.open()), (1, 1));
    }
    *result.lock().unwrap() = CheckResult::error("read-only").reason("read_only");
    let report = report_of(&time, &indicator);
    assert_eq!((report.status(), report.reason()), (Status::Error, Some("read_only")));
    assert_eq!(server.open(), 0);
}

#[test]
fn no_error_shows_a_password() {
    let time = VirtualTime::default();
    let server = Server::new(&time);
    let indicator = Arc::new(server.indicator());
    server.connect(Fails(ErrorKind::ConnectionReset));
    let report = report_of(&time, &indicator);
    assert_eq!(report.message(), Some("redis://…@cache is broken"));
    assert!(!format!("{report:?} {indicator:?}").contains("secret"));
}

#[test]
fn tests_at_the_same_time_end_with_one_connection() {
    let time = VirtualTime::default();
    let server = Server::new(&time);
    let indicator = Arc::new(server.indicator());
    server.ping(RespondsAfter(MOMENT));
    let tests: Vec<_> = (0..10).map(|_| Test::begin(&time, &indicator)).collect();
    assert_eq!(server.open(), 10);
    time.pass(MOMENT);
    assert!(tests.iter().all(|test| is_ok(&test.report())));
    assert_eq!(server.open(), 1);
}

#[test]
fn a_test_that_panics_or_is_dropped_leaves_no_connection_and_the_next_one_passes() {
    let time = VirtualTime::default();
    let server = Server::new(&time);
    let indicator = Arc::new(server.indicator());
    report_of(&time, &indicator);
    server.ping(IsSilent);
    let context = &mut Context::from_waker(Waker::noop());
    let mut dropped = indicator.test();
    assert!(dropped.as_mut().poll(context).is_pending());
    drop(dropped);
    assert_eq!(server.open(), 0);

    server.ping(Panics);
    let panics = AssertUnwindSafe(|| report_of(&time, &indicator));
    assert!(catch_unwind(panics).is_err());
    assert_eq!(server.open(), 0);

    server.ping(Responds);
    assert!(is_ok(&report_of(&time, &indicator)));
}

#[test]
fn a_check_has_a_longer_timeout_than_the_indicator_which_says_what_took_so_long() {
    let time = VirtualTime::default();
    let server = Server::new(&time);
    server.connect(IsSilent);
    let config = HealthConfig::default().with_disablefile("");
    let health = Health::builder()
        .config(config)
        .runtime(time.clone())
        .register(server.indicator().check("server"))
        .build()
        .unwrap();
    let answer = Arc::new(Mutex::new(None));
    let (given, asked) = (answer.clone(), health.clone());
    time.spawn(Box::pin(async move {
        *given.lock().unwrap() = Some(asked.answer("checks=all").await);
    }));
    time.pass(TIMEOUT);
    let answer = answer.lock().unwrap().take().unwrap();
    let records: String = answer.records().map(ToString::to_string).collect();
    assert!(records.contains("no response within 3s"), "{records}");
    assert!(records.contains("timed_out"), "{records}");
}

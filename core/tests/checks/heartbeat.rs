//! Heartbeats of loops and workers.

use std::thread;
use std::time::Duration;

use health_core::{BuildError, Check, Endpoint, Health, HealthConfig, Heartbeat};
use proptest::prelude::*;

use crate::virtual_time::{Ask as _, VirtualTime};
use crate::{Results, builder, in_virtual_time, result};

const SECOND: Duration = Duration::from_secs(1);
const EXPIRY: Duration = Duration::from_secs(20);
/// How often the check looks, with a tenth of tolerance.
const PERIOD: Duration = Duration::from_millis(5500);

/// A liveness endpoint with the heartbeat of a worker, whose background check has started.
fn watched() -> (Health, VirtualTime, Heartbeat) {
    watched_for(EXPIRY)
}

fn watched_for(expiry: Duration) -> (Health, VirtualTime, Heartbeat) {
    let heartbeat = Heartbeat::new("worker", expiry);
    let (health, time) = in_virtual_time(|b| {
        b.register(Check::heartbeat(&heartbeat))
            .endpoint(Endpoint::liveness("/live").only_checks(["worker"]))
    });
    health.start_on(time.clone());
    time.settle();
    (health, time, heartbeat)
}

fn failing(message: &str) -> Results {
    vec![result("worker", "ERROR", Some(message))]
}

/// The only message of the endpoint's record.
fn message(health: &Health, time: &VirtualTime) -> String {
    let results = time.ask_at(health, "/live").results();
    let [(_, _, Some(message))] = &results[..] else { panic!("{results:?}") };
    message.clone()
}

#[test]
fn a_worker_is_alive_from_its_first_beat_until_its_beats_expire() {
    let (health, time, heartbeat) = watched();
    let not_started = "not started yet: the worker has not called Heartbeat::beat";
    assert_eq!(time.ask_at(&health, "/live").results(), failing(not_started));
    heartbeat.beat();
    time.pass(PERIOD);
    for _ in 0..100 {
        heartbeat.beat();
        time.pass(EXPIRY / 2);
        assert_eq!(time.ask_at(&health, "/live").body(), "OK");
    }
    time.pass(EXPIRY / 2);
    assert_eq!(time.ask_at(&health, "/live").body(), "OK");
    time.pass(2 * PERIOD);
    let expired = message(&health, &time);
    assert!(expired.starts_with("expired: no beat for "), "{expired}");
    assert!(expired.ends_with("and the expiry is 20s"), "{expired}");
    heartbeat.beat();
    time.pass(PERIOD);
    assert_eq!(time.ask_at(&health, "/live").body(), "OK");
}

#[test]
fn a_worker_that_fell_silent_between_two_rare_polls_is_found() {
    let (health, time, heartbeat) = watched();
    heartbeat.beat();
    time.pass(PERIOD);
    assert_eq!(time.ask_at(&health, "/live").body(), "OK");
    heartbeat.beat();
    time.pass(3600 * SECOND);
    let expired = message(&health, &time);
    assert!(expired.starts_with("expired: no beat for 359"), "{expired}");
}

#[test]
fn a_worker_that_panics_fails_at_the_next_look() {
    let (health, time, heartbeat) = watched();
    heartbeat.beat();
    time.pass(PERIOD);
    assert_eq!(time.ask_at(&health, "/live").body(), "OK");
    let worker = thread::spawn(move || {
        let _busy = heartbeat.busy(Duration::MAX);
        panic!("a worker of the test")
    });
    assert!(worker.join().is_err());
    time.pass(PERIOD);
    let dropped = "dropped: no handle is left, because the worker ended or panicked";
    assert_eq!(time.ask_at(&health, "/live").results(), failing(dropped));
}

#[test]
fn long_work_has_its_own_limit() {
    let (health, time, heartbeat) = watched();
    let busy = heartbeat.busy(600 * SECOND);
    time.pass(600 * SECOND);
    assert_eq!(time.ask_at(&health, "/live").body(), "OK");
    time.pass(2 * PERIOD);
    let overrun = message(&health, &time);
    assert!(overrun.starts_with("expired: busy for 6"), "{overrun}");
    assert!(overrun.ends_with("and the limit is 600s"), "{overrun}");
    drop(busy);
    time.pass(PERIOD);
    assert_eq!(time.ask_at(&health, "/live").body(), "OK");
}

#[test]
fn a_worker_has_its_expiry_again_after_a_standstill() {
    let (health, time, heartbeat) = watched();
    heartbeat.beat();
    time.pass(PERIOD);
    time.pass_unnoticed(3600 * SECOND);
    for _ in 0..20 {
        assert_eq!(time.ask_at(&health, "/live").body(), "OK");
        time.pass(SECOND);
    }
    time.pass(2 * PERIOD);
    assert!(message(&health, &time).starts_with("expired: no beat for "));
}

#[test]
fn an_expiry_that_the_check_cannot_keep_is_refused() {
    let check = |expiry| Check::heartbeat(&Heartbeat::new("worker", expiry));
    let refused = |check| builder().register(check).build().unwrap_err();
    assert!(matches!(refused(check(Duration::ZERO)), BuildError::ZeroExpiry { .. }));
    assert_eq!(
        refused(check(Duration::ZERO)).to_string(),
        r#"the expiry of the check "worker" is zero: it must be longer"#
    );
    let late = r#"the check "worker" expires after 1s, but runs only every 2s: make the period at most as long as the expiry"#;
    assert_eq!(refused(check(SECOND).every(2 * SECOND)).to_string(), late);
    let often_when_failing = check(SECOND).every(2 * SECOND).every_while_failing(SECOND / 10);
    assert_eq!(refused(often_when_failing).to_string(), late);
    let setting = ("healthcheck.check.worker.every", "2s");
    let config = HealthConfig::from_pairs([setting]).unwrap();
    let by_setting = builder().config(config).register(check(SECOND)).build().unwrap_err();
    assert_eq!(by_setting.to_string(), late);
    for expiry in [Duration::from_nanos(1), Duration::from_micros(999)] {
        assert!(matches!(refused(check(expiry)), BuildError::LongPeriod { .. }));
    }
    for expiry in [Duration::from_millis(1), SECOND, Duration::MAX] {
        assert!(builder().register(check(expiry)).build().is_ok());
        assert!(builder().register(check(expiry).every(expiry)).build().is_ok());
    }
}

#[test]
fn a_heartbeat_has_the_name_of_a_check_once() {
    let heartbeat = |name: &str| Check::heartbeat(&Heartbeat::new(name, SECOND));
    let twice = builder().register(heartbeat("worker")).register(heartbeat("worker"));
    assert!(matches!(twice.build().unwrap_err(), BuildError::DuplicateCheck { .. }));
    for name in ["", "a\nb"] {
        let refused = builder().register(heartbeat(name)).build().unwrap_err();
        assert!(matches!(refused, BuildError::CheckName { .. }));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whenever the worker beats and whenever the endpoint is polled.
    #[test]
    fn no_silence_is_reported_early_and_none_later_than_two_periods(
        expiry in 1..=60_u32,
        steps in prop::collection::vec((any::<bool>(), 0.0..2.0_f64), 1..60),
    ) {
        let expiry = expiry * SECOND;
        let period = PERIOD.min(expiry.mul_f64(1.1 / 4.0));
        let (health, time, heartbeat) = watched_for(expiry);
        heartbeat.beat();
        time.pass(period);
        let mut silence = period;
        for (beats, expiries) in steps {
            if beats {
                heartbeat.beat();
                silence = Duration::ZERO;
            }
            let passed = expiry.mul_f64(expiries);
            time.pass(passed);
            silence += passed;
            // A result from before the last beat counts until the next look.
            if silence > period {
                let is_ok = time.ask_at(&health, "/live").body() == "OK";
                prop_assert!(is_ok || silence > expiry, "early: {silence:?}");
                prop_assert!(!is_ok || silence <= expiry + 2 * period, "late: {silence:?}");
            }
        }
    }
}

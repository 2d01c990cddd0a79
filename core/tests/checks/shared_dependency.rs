//! Checks of dependencies that many hosts share, and criticality per endpoint (H13, H22).

use std::future::ready;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use health_core::{
    Check, CheckResult, Endpoint, Health, HealthBuilder, Purpose, StartupLatch, Status,
};
use proptest::prelude::*;

use crate::virtual_time::{Ask as _, VirtualTime};
use crate::{builder, in_virtual_time, passing, result};

const SECOND: Duration = Duration::from_secs(1);

/// What the database check returns.
#[derive(Clone, Default)]
pub(crate) struct Database(Arc<AtomicBool>);

impl Database {
    pub(crate) fn set(&self, is_up: bool) {
        self.0.store(is_up, Ordering::SeqCst);
    }

    pub(crate) fn check(&self) -> Check {
        Check::with("database", self.clone(), |Self(is_up)| {
            ready(if is_up.load(Ordering::SeqCst) { Ok(()) } else { Err("no route") })
        })
    }
}

/// `/ready` steers traffic, and `/pager` alerts people. The database is down.
fn fleet(describe: impl FnOnce(Check) -> Check) -> (Health, VirtualTime, Database) {
    let database = Database::default();
    let (health, time) = in_virtual_time(|b| {
        b.register(describe(database.check()))
            .endpoint(Endpoint::readiness("/ready"))
            .endpoint(Endpoint::nagios("/pager"))
    });
    (health, time, database)
}

/// The status code and the message of the database check at `/ready`.
fn ready_says(health: &Health, time: &VirtualTime) -> (u16, Option<String>) {
    let asker = time.ask_at(health, "/ready");
    let message = asker.results().into_iter().find_map(|(.., message)| message);
    (asker.response().status().as_u16(), message)
}

fn says(status: u16, message: &str) -> (u16, Option<String>) {
    (status, Some(message.to_owned()))
}

#[test]
fn a_host_that_has_never_reached_a_shared_dependency_is_not_ready() {
    let (health, time, database) = fleet(Check::shared);
    for _ in 0..3 {
        assert_eq!(ready_says(&health, &time), says(503, "shared, never OK: no route"));
        time.pass(600 * SECOND);
    }
    database.set(true);
    assert_eq!(ready_says(&health, &time), (200, None));
}

#[test]
fn a_shared_dependency_that_fails_later_leaves_the_host_in_service_and_alerts_people() {
    let (health, time, database) = fleet(Check::shared);
    database.set(true);
    assert_eq!(ready_says(&health, &time), (200, None));
    database.set(false);
    assert_eq!(ready_says(&health, &time), says(200, "shared, failing for 0ns: no route"));
    time.pass(90 * SECOND);
    assert_eq!(ready_says(&health, &time), says(200, "shared, failing for 90s: no route"));
    assert_eq!(time.ask(&health).response().status(), 200);
    let pager = time.ask_at(&health, "/pager");
    assert_eq!(pager.response().status(), 503);
    assert_eq!(pager.results(), [result("database", "ERROR", Some("no route"))]);

    // Each outage begins anew.
    database.set(true);
    assert_eq!(ready_says(&health, &time), (200, None));
    time.pass(60 * SECOND);
    database.set(false);
    assert_eq!(ready_says(&health, &time), says(200, "shared, failing for 0ns: no route"));
}

#[test]
fn a_failure_that_lasts_for_the_limit_takes_the_host_out() {
    let (health, time, database) = fleet(|check| check.shared().fail_after(60 * SECOND));
    database.set(true);
    assert_eq!(ready_says(&health, &time), (200, None));
    database.set(false);
    assert_eq!(ready_says(&health, &time).0, 200);
    time.pass(59 * SECOND);
    assert_eq!(ready_says(&health, &time), says(200, "shared, failing for 59s: no route"));
    time.pass(SECOND);
    assert_eq!(ready_says(&health, &time), says(503, "shared, failing for 60s: no route"));
    database.set(true);
    assert_eq!(ready_says(&health, &time).0, 200);
    database.set(false);
    assert_eq!(ready_says(&health, &time).0, 200);
}

#[test]
fn failures_below_the_threshold_do_not_count_towards_the_limit() {
    let (health, time, database) =
        fleet(|check| check.shared().fail_after(60 * SECOND).failure_threshold(2));
    database.set(true);
    assert_eq!(ready_says(&health, &time).0, 200);
    database.set(false);
    time.ask_at(&health, "/ready");
    time.pass(100 * SECOND);
    assert_eq!(ready_says(&health, &time), says(200, "shared, failing for 0ns: no route"));
}

#[test]
fn the_time_for_which_the_process_stood_still_does_not_count_towards_the_limit() {
    let period = 10 * SECOND;
    let (health, time, database) =
        fleet(|check| check.shared().fail_after(60 * SECOND).every(period));
    database.set(true);
    health.start_on(time.clone());
    time.pass(SECOND);
    assert_eq!(ready_says(&health, &time).0, 200);
    database.set(false);
    time.pass(2 * period);
    assert_eq!(ready_says(&health, &time).0, 200);
    time.pass_unnoticed(600 * SECOND);
    time.pass(2 * period);
    assert_eq!(ready_says(&health, &time).0, 200);
    time.pass(5 * period);
    assert_eq!(ready_says(&health, &time).0, 503);
}

#[test]
fn what_this_host_has_not_found_out_is_no_failure_of_the_dependency() {
    let (health, time, database) = fleet(|check| check.shared().every(60 * SECOND));
    database.set(true);
    assert_eq!(ready_says(&health, &time), says(503, "not run yet"));
    assert_eq!(ready_says(&health, &time).0, 200);
    // Requests come in time, but nothing wakes the check: its thread starves.
    for _ in 0..4 {
        assert_eq!(ready_says(&health, &time).0, 200);
        time.pass_unnoticed(60 * SECOND);
    }
    let (status, message) = ready_says(&health, &time);
    assert_eq!(status, 503);
    assert!(message.unwrap().starts_with("stale since"));
}

#[test]
fn an_endpoint_can_have_another_purpose_than_its_preset() {
    let database = Database::default();
    let (health, time) = in_virtual_time(|b| {
        b.register(database.check().shared())
            .endpoint(Endpoint::readiness("/strict").purpose(Purpose::AlertsPeople))
            .endpoint(Endpoint::nagios("/lenient").purpose(Purpose::SteersTraffic))
    });
    database.set(true);
    assert_eq!(time.ask_at(&health, "/strict").response().status(), 200);
    database.set(false);
    assert_eq!(time.ask_at(&health, "/strict").response().status(), 503);
    assert_eq!(time.ask_at(&health, "/lenient").response().status(), 429);
}

#[test]
fn an_endpoint_regards_a_check_as_required_or_optional_whatever_the_check_is_itself() {
    let mail = Database::default();
    let (health, time) = in_virtual_time(|b| {
        b.register(mail.check().optional())
            .register(passing("queue"))
            .endpoint(Endpoint::readiness("/ready"))
            .endpoint(Endpoint::readiness("/pager").required_check("database"))
    });
    assert_eq!(time.ask_at(&health, "/ready").response().status(), 200);
    assert_eq!(time.ask_at(&health, "/pager").response().status(), 503);

    let (health, time) = in_virtual_time(|b| {
        b.register(mail.check())
            .endpoint(Endpoint::readiness("/ready").optional_check("database"))
            .endpoint(Endpoint::readiness("/pager"))
    });
    assert_eq!(time.ask_at(&health, "/ready").response().status(), 200);
    assert_eq!(time.ask_at(&health, "/pager").response().status(), 503);
}

#[test]
fn a_description_that_contradicts_itself_or_has_no_effect_is_refused() {
    let refusal = |describe: fn(HealthBuilder, Check) -> HealthBuilder| {
        let check = Database::default().check();
        describe(builder().register(passing("queue")), check).build().unwrap_err().to_string()
    };
    for (describe, error) in [
        (
            (|b, check| b.register(check.shared().process_only()))
                as fn(HealthBuilder, Check) -> HealthBuilder,
            "the check \"database\" cannot look at the process only and at a shared dependency: call only \
             Check::process_only or only Check::shared",
        ),
        (
            |b, check| b.register(check.fail_after(SECOND)),
            "Check::fail_after has no effect on the check \"database\", which is not shared: remove the call, or \
             call Check::shared",
        ),
        (
            |b, check| b.register(check.shared().fail_after(Duration::ZERO)),
            "the shared check \"database\" makes the state failing after 0ns: the limit must be longer than zero and \
             not shorter than the period of a background check",
        ),
        (
            |b, check| b.register(check.shared().every(60 * SECOND).fail_after(59 * SECOND)),
            "the shared check \"database\" makes the state failing after 59s: the limit must be longer than zero and \
             not shorter than the period of a background check",
        ),
        (
            |b, check| {
                let endpoint = Endpoint::readiness("/ready");
                b.register(check)
                    .endpoint(endpoint.required_check("database").optional_check("database"))
            },
            "the endpoint at \"/ready\" makes the check \"database\" both required and optional: call only \
             Endpoint::required_check or only Endpoint::optional_check for it",
        ),
        (
            |b, check| {
                b.register(check).endpoint(Endpoint::readiness("/ready").required_check("mail"))
            },
            "the endpoint at \"/ready\" names the check \"mail\", which is not registered: the checks are \"queue\", \
             \"database\"",
        ),
        (
            |b, check| {
                let endpoint = Endpoint::readiness("/ready").only_checks(["queue"]);
                b.register(check).endpoint(endpoint.optional_check("database"))
            },
            "Endpoint::optional_check has no effect on the endpoint at \"/ready\", which does not run the check: \
             remove the call",
        ),
    ] {
        assert_eq!(refusal(describe), error);
    }
}

/// What happens in one second of the property below.
#[derive(Debug, Clone, Copy)]
struct Second {
    status: Status,
    in_maintenance: bool,
}

fn seconds() -> impl Strategy<Value = Vec<Second>> {
    let status = prop::sample::select(&Status::ALL[..]);
    let maintenance = prop::bool::weighted(0.2);
    let second = (status, maintenance)
        .prop_map(|(status, in_maintenance)| Second { status, in_maintenance });
    prop::collection::vec(second, 1..12)
}

proptest! {
    /// The model looks at the whole past anew at each step.
    #[test]
    fn a_result_counts_by_state_criticality_purpose_and_past(
        is_shared in any::<bool>(),
        limit in prop::option::of(1..6_u64),
        is_optional in any::<bool>(),
        regarded_as in prop::option::of(any::<bool>()),
        alerts in any::<bool>(),
        starting_for in prop::sample::select(&[0, 0, 0, 3][..]),
        draining_from in prop::sample::select(&[usize::MAX, usize::MAX, 6][..]),
        seconds in seconds(),
    ) {
        let result = Arc::new(Mutex::new(Status::Ok));
        let mut check = Check::with("database", result.clone(), |result| {
            ready(match *result.lock().unwrap() {
                Status::Ok => CheckResult::ok(),
                Status::Degraded => CheckResult::degraded("slow"),
                _ => CheckResult::error("no route"),
            })
        });
        check = if is_optional { check.optional() } else { check };
        check = if is_shared { check.shared() } else { check };
        check = match limit {
            Some(seconds) if is_shared => check.fail_after(Duration::from_secs(seconds)),
            _ => check,
        };
        let mut endpoint = Endpoint::consul("/other");
        endpoint = match regarded_as {
            Some(true) => endpoint.required_check("database"),
            Some(false) => endpoint.optional_check("database"),
            None => endpoint,
        };
        endpoint = if alerts { endpoint.purpose(Purpose::AlertsPeople) } else { endpoint };
        let mut latch = Some(StartupLatch::new("start"));
        let (health, time) =
            in_virtual_time(|b| b.register(check).endpoint(endpoint).latch(latch.as_ref().unwrap()));
        let switch = health.maintenance_switch();

        // The seconds in which the check ran, each with its result.
        let mut past: Vec<(usize, Status)> = Vec::new();
        for (second, Second { status, in_maintenance }) in seconds.into_iter().enumerate() {
            *result.lock().unwrap() = status;
            if in_maintenance { switch.turn_on() } else { switch.turn_off() }
            if let Some(latch) = latch.take_if(|_| second >= starting_for) {
                latch.release();
            }
            if second == draining_from {
                health.drain();
            }
            let body = time.ask_at(&health, "/other").body();

            let expected = if second >= draining_from {
                "DRAINING"
            } else if in_maintenance {
                "MAINTENANCE"
            } else if second < starting_for {
                "STARTING"
            } else {
                past.push((second, status));
                let failing = past.iter().rev().take_while(|(_, status)| *status == Status::Error);
                let since = failing.last().map_or(second, |(since, _)| *since);
                let was_reached = past.iter().any(|(_, status)| *status != Status::Error);
                let has_lasted = limit.is_some_and(|limit| second - since >= limit as usize);
                let is_tolerated = is_shared && !alerts && was_reached && !has_lasted;
                let is_required = regarded_as.unwrap_or(!is_optional);
                match status {
                    Status::Ok => "OK",
                    Status::Error if is_required && !is_tolerated => "ERROR",
                    _ => "DEGRADED",
                }
            };
            prop_assert_eq!(body, expected, "second {} after {:?}", second, past);
            time.pass(SECOND);
        }
    }
}

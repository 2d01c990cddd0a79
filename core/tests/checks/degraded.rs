//! Results that are more than OK or an error (H23).

use std::future::ready;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use health_core::{
    Body, Check, CheckResult, Endpoint, Health, HealthCheckEvent, Purpose, State, StatusCode, Unit,
};

use crate::virtual_time::{Ask as _, VirtualTime};
use crate::{in_virtual_time, passing, result};

const SECOND: Duration = Duration::from_secs(1);

fn degraded() -> CheckResult {
    CheckResult::degraded("almost full")
}

/// A check with these results, one after the other; the last one repeats.
fn reporting<const N: usize>(name: &str, results: [fn() -> CheckResult; N]) -> Check {
    let executions = AtomicUsize::new(0);
    Check::new(name, move || {
        let execution = executions.fetch_add(1, Ordering::SeqCst);
        ready(results[execution.min(N - 1)]())
    })
}

fn error() -> CheckResult {
    CheckResult::error("no route")
}

/// The body of the response at `path`, and the status and message of the first result.
fn says(
    health: &Health,
    time: &VirtualTime,
    path: &str,
) -> (u16, Option<(String, Option<String>)>) {
    let asker = time.ask_at(health, path);
    let first = asker.results().into_iter().next();
    (asker.response().status().as_u16(), first.map(|(_, status, message)| (status, message)))
}

#[test]
fn a_degraded_required_check_leaves_the_response_ok_and_is_a_warning() {
    let (health, time) = in_virtual_time(|b| {
        b.register(reporting("disk", [degraded])).register(passing("database"))
    });
    let asker = time.ask(&health);
    assert_eq!(asker.body(), "OK");
    assert_eq!(
        asker.results(),
        [result("disk", "DEGRADED", Some("almost full")), result("database", "OK", None)]
    );
}

#[test]
fn an_endpoint_may_respond_to_degraded_as_it_likes() {
    let (health, time) = in_virtual_time(|b| {
        b.register(reporting("disk", [degraded])).endpoint(Endpoint::nagios("/pager")).endpoint(
            Endpoint::readiness("/ready").respond_with(
                State::Degraded,
                StatusCode::SERVICE_UNAVAILABLE,
                Body::Degraded,
            ),
        )
    });
    assert_eq!(says(&health, &time, "/pager").0, 429);
    assert_eq!(says(&health, &time, "/ready").0, 503);
}

#[test]
fn a_degraded_check_excuses_no_other_and_required_or_optional_changes_nothing_for_it() {
    let (health, time) = in_virtual_time(|b| {
        b.register(reporting("disk", [degraded]))
            .register(reporting("database", [error]))
            .endpoint(Endpoint::nagios("/disk").only_checks(["disk"]).required_check("disk"))
            .endpoint(Endpoint::nagios("/spare").only_checks(["disk"]).optional_check("disk"))
    });
    assert_eq!(says(&health, &time, "/health").0, 503);
    assert_eq!(says(&health, &time, "/disk").0, 429);
    assert_eq!(says(&health, &time, "/spare").0, 429);
}

#[test]
fn thresholds_count_a_degraded_result_as_a_success() {
    let results = [CheckResult::ok, error, degraded, error, error, degraded, degraded];
    let check = reporting("replica", results).failure_threshold(2).success_threshold(2);
    let (health, time) = in_virtual_time(|b| b.register(check));
    let said = || says(&health, &time, "/health");
    let at = |status, word: &str, message: &str| {
        (status, Some((word.to_owned(), Some(message.to_owned()))))
    };
    assert_eq!(said(), (200, None));
    assert_eq!(said(), (200, None), "one failure does not count");
    assert_eq!(said(), at(200, "DEGRADED", "almost full"));
    assert_eq!(said(), (200, None), "the degraded result has ended the series of failures");
    assert_eq!(said().0, 503);
    assert_eq!(said(), at(503, "ERROR", "1 of 2 successes: almost full"));
    assert_eq!(said(), at(200, "DEGRADED", "almost full"));
}

#[test]
fn a_degraded_result_of_a_shared_dependency_proves_that_it_was_reached() {
    let check = reporting("database", [degraded, error]).shared();
    let (health, time) = in_virtual_time(|b| {
        b.register(check)
            .endpoint(Endpoint::readiness("/ready"))
            .endpoint(Endpoint::readiness("/people").purpose(Purpose::AlertsPeople))
    });
    assert_eq!(says(&health, &time, "/ready").0, 200);
    assert_eq!(says(&health, &time, "/ready").0, 200, "it has been OK");
    assert_eq!(says(&health, &time, "/people").0, 503);
}

#[test]
fn a_background_check_keeps_its_period_while_degraded() {
    let executions = Arc::new(AtomicUsize::new(0));
    let counted = executions.clone();
    let check = Check::new("disk", move || {
        counted.fetch_add(1, Ordering::SeqCst);
        ready(degraded())
    });
    let (_health, time) =
        in_virtual_time(|b| b.register(check.every(60 * SECOND).every_while_failing(5 * SECOND)));
    _health.start_on(time.clone());
    time.pass(54 * SECOND);
    assert!(executions.load(Ordering::SeqCst) <= 2);
}

#[test]
fn a_subscriber_reports_the_same_as_a_check() {
    let disks = |event: &mut HealthCheckEvent| {
        event.result("a", CheckResult::ok().value("free", 1.0, Unit::Bytes));
        event.degraded("b", "almost full");
        event.result("c", Err::<(), _>("full"));
        event.result("d", degraded().reason("space"));
    };
    let (health, time) = in_virtual_time(|b| b.register(Check::event("disks", disks).optional()));
    let asker = time.ask(&health);
    assert_eq!(
        asker.results(),
        [
            result("a", "OK", None),
            result("b", "DEGRADED", Some("almost full")),
            result("c", "ERROR", Some("full")),
            result("d", "DEGRADED", Some("almost full")),
        ]
    );
    let [disks] = &health.last_results()[..] else { panic!() };
    assert_eq!(disks.reports[0].values()[0].number(), 1.0);
    assert_eq!(disks.reports[3].reason(), Some("space"));
}

#[test]
fn a_failure_that_the_library_finds_has_a_reason_which_the_log_does_not_repeat() {
    let panics = || -> std::future::Ready<Result<(), String>> { panic!("gone") };
    let (health, time) = in_virtual_time(|b| {
        b.check("hangs", std::future::pending::<Result<(), String>>).check("panics", panics)
    });
    let asker = time.ask(&health);
    time.pass(5 * SECOND);
    assert_eq!(
        asker.results(),
        [
            result("hangs", "ERROR", Some("timed out after 5s")),
            result("panics", "ERROR", Some("panicked: gone")),
        ]
    );
    assert!(!asker.answer().records().any(|record| record.text().contains("reason")));
    let reasons: Vec<_> = health
        .last_results()
        .iter()
        .map(|finished| finished.reports[0].reason().map(str::to_owned))
        .collect();
    assert_eq!(reasons, [Some("timed_out".to_owned()), Some("panicked".to_owned())]);
}

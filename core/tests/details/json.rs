//! Our own JSON.

use health_core::{Check, CheckResult, DetailLevel, Endpoint, StartupLatch, Unit};
use serde_json::json;

use crate::service::Service;

#[test]
fn the_full_level_shows_everything() {
    let service = Service::new(|builder, results, time| {
        let database = results
            .check(time, "database")
            .description("orders and stock")
            .owner("the shop team")
            .runbook("https://example.com/database");
        builder
            .register(database)
            .register(results.check(time, "mail").optional())
            .service("shop", "1.4.2")
            .endpoint(Endpoint::readiness("/ready").details(DetailLevel::Full))
    });
    service.pass(1.0);
    service.get("/ready", &[]);
    let failure = CheckResult::error("no route to 10.0.0.7").reason("refused");
    service.set("database", 3, failure.value("connections", 0.0, Unit::Count));
    service.pass(2.0);
    let mut document = service.json("/ready");
    let reference = document["checks"]["database"]["results"][0]["reference"].take();
    assert_eq!(reference.as_str().map(str::len), Some(7));
    assert_eq!(
        document,
        json!({
            "status": "failing",
            "code": 503,
            "body": "ERROR",
            "endpoint": "/ready",
            "time": "2026-01-01T00:00:03.005Z",
            "since": "2026-01-01T00:00:03.005Z",
            "cause": null,
            "last_poll": { "time": "2026-01-01T00:00:01.002Z", "code": 200, "body": "OK" },
            "ran_checks": true,
            "checks": {
                "database": {
                    "status": "error",
                    "criticality": "required",
                    "shared": false,
                    "period_seconds": null,
                    "since": "2026-01-01T00:00:03.005Z",
                    "last_ok": "2026-01-01T00:00:01.002Z",
                    "last_run": "2026-01-01T00:00:03.005Z",
                    "duration_seconds": 0.003,
                    "results": [{
                        "name": "database",
                        "status": "error",
                        "reason": "refused",
                        "reference": null,
                        "message": "no route to 10.0.0.7",
                        "values": [{ "name": "connections", "value": 0, "unit": "count" }],
                    }],
                    "history": { "statuses": "oe", "durations_microseconds": [2000, 3000] },
                    "description": "orders and stock",
                    "owner": "the shop team",
                    "runbook": "https://example.com/database",
                },
                "mail": {
                    "status": "ok",
                    "criticality": "optional",
                    "shared": false,
                    "period_seconds": null,
                    "since": "2026-01-01T00:00:01.002Z",
                    "last_ok": "2026-01-01T00:00:03.004Z",
                    "last_run": "2026-01-01T00:00:03.004Z",
                    "duration_seconds": 0.002,
                    "results": [
                        { "name": "mail", "status": "ok", "reason": null, "reference": null },
                    ],
                    "history": { "statuses": "oo", "durations_microseconds": [2000, 2000] },
                },
            },
            "changes": [
                { "time": "2026-01-01T00:00:00.000Z", "status": "ok" },
                { "time": "2026-01-01T00:00:03.005Z", "status": "failing" },
            ],
            "process": { "name": "shop", "version": "1.4.2", "uptime_seconds": 3.005, "active_requests": 0 },
        })
    );
}

#[test]
fn each_state_says_its_cause() {
    let latch = StartupLatch::new("migrations");
    let service = Service::new(|builder, _, _| {
        builder.latch(&latch).endpoint(Endpoint::readiness("/ready").details(DetailLevel::States))
    });
    let cause = || service.json("/ready")["cause"].clone();
    assert_eq!(
        cause(),
        json!({ "kind": "start", "latches": [{ "name": "migrations", "failed": false }] })
    );
    service.health.maintenance_switch().turn_on();
    assert_eq!(cause(), json!({ "kind": "maintenance", "by_switch": true }));
    service.health.maintenance_switch().turn_off();
    latch.release();
    assert_eq!(cause(), json!(null));
    service.health.drain();
    assert_eq!(cause(), json!({ "kind": "drain", "rest_seconds": null, "active_requests": 0 }));
}

#[test]
fn a_check_that_has_not_run_has_no_status() {
    let service = Service::new(|builder, results, time| {
        let every_minute = results.check(time, "queue").every(std::time::Duration::from_secs(60));
        builder
            .register(results.check(time, "database"))
            .register(every_minute)
            .details(DetailLevel::States)
    });
    let document = service.json("/health");
    assert_eq!(document["status"], "ok");
    assert_eq!(document["ran_checks"], false);
    assert_eq!(document["checks"]["database"]["status"], "not_run");
    assert_eq!(document["checks"]["queue"]["status"], "error");
    let document = service.json("/health?checks=all");
    assert_eq!(document["ran_checks"], true);
}

#[test]
fn a_subscriber_shows_each_of_its_results() {
    let service = Service::new(|builder, _, _| {
        let disks = Check::new("disks", || async { Ok::<(), String>(()) });
        builder.register(disks).endpoint(Endpoint::readiness("/ready").details(DetailLevel::States))
    });
    let document = service.json("/ready");
    assert_eq!(document["checks"]["disks"]["results"][0]["name"], "disks");
}

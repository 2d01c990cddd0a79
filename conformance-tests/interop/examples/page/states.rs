//! A service for each state.

use std::future::ready;
use std::time::Duration;

use anyhow::Context as _;
use health_axum::{
    Check, CheckResult, DetailLevel, Endpoint, Health, HealthBuilder, HealthCheckEvent,
    HealthConfig, Runtime as _, StartupLatch, Unit,
};
use health_conformance::testee::VirtualTime;

use crate::hostile;
use crate::service::{PERIOD, noise, scripted, shop};

const GIB: f64 = 1_073_741_824.0;

fn full(path: &str) -> Endpoint {
    Endpoint::readiness(path).details(DetailLevel::Full)
}

/// The services and their paths.
pub(crate) fn services(time: &VirtualTime) -> anyhow::Result<Vec<(&'static str, Health)>> {
    let latches = ["migrations", "cache"].map(StartupLatch::new);
    let failed = StartupLatch::new("migrations");
    let starting = latches.iter().fold(healthy(time), |builder, latch| builder.latch(latch));
    let start_failed = healthy(time).latch(&failed);
    let recovering = shop(time).register(scripted(time, "database", |run| match run {
        20..63 => (4999, CheckResult::error("no route to 10.0.0.7").reason("refused")),
        _ => (3, CheckResult::ok()),
    }));
    let services = [
        ("/ok", healthy(time), full("/ok")),
        ("/degraded", failing(time, false), full("/degraded")),
        ("/failing", failing(time, true), full("/failing")),
        (
            "/states",
            failing(time, true),
            Endpoint::readiness("/states").details(DetailLevel::States),
        ),
        (
            "/recovering",
            recovering,
            full("/recovering").recovery_delay(Duration::from_secs(30 * 86_400)),
        ),
        ("/starting", starting, full("/starting")),
        ("/start-failed", start_failed, full("/start-failed")),
        ("/maintenance", healthy(time), full("/maintenance")),
        ("/draining", healthy(time), full("/draining")),
        ("/no-checks", shop(time), full("/no-checks")),
        ("/hostile", hostile::service(time), full("/hostile")),
    ];
    // The latches are held as long as the program runs.
    std::mem::forget(latches);
    failed.fail("table orders is locked");
    let build = |(path, builder, endpoint): (_, HealthBuilder, _)| {
        // `/tmp/maintenance` may exist, and one server has all of these.
        let config =
            HealthConfig::default().with_disablefile("").with_url(&format!("{path}/word"))?;
        let health = builder.config(config).endpoint(endpoint).build();
        Ok((path, health.with_context(|| format!("the service of {path}"))?))
    };
    services.into_iter().map(build).collect()
}

/// What happens to a service in the course of the time before the server listens.
pub(crate) fn at_turn(turn: u64, path: &str, health: &Health, time: &VirtualTime) {
    match (path, turn) {
        ("/maintenance", 50) => health.maintenance_switch().turn_on(),
        ("/draining", 64) => {
            let drain = health.drain_when(ready(()), Duration::from_secs(600));
            time.spawn(Box::pin(drain));
        }
        _ => {}
    }
}

fn healthy(time: &VirtualTime) -> HealthBuilder {
    let database = scripted(time, "database", |run| (2 + noise(run, 6), CheckResult::ok()));
    let queue = scripted(time, "queue", |run| {
        let length = noise(run, 40) as f64;
        (1 + noise(run, 2), CheckResult::ok().value("length", length, Unit::Count))
    });
    shop(time)
        .register(described(database))
        .register(queue.description("the queue of mails"))
        .register(
            scripted(time, "mail", |run| (80 + noise(run, 300), CheckResult::ok())).optional(),
        )
        .register(scripted(time, "stock", |run| (8 + noise(run, 9), CheckResult::ok())).shared())
        .register(disk(time))
}

fn described(database: Check) -> Check {
    database
        .description("orders and stock")
        .owner("the shop team")
        .runbook("https://example.com/database")
}

fn disk(time: &VirtualTime) -> Check {
    scripted(time, "disk", |run| {
        let used = 0.61 + noise(run, 9) as f64 / 1000.0;
        let result = CheckResult::ok().value("used", used, Unit::Ratio).value(
            "free",
            39.0 * GIB,
            Unit::Bytes,
        );
        (1, result)
    })
}

/// The database fails if it is required to; mail and the certificate are degraded in any case.
fn failing(time: &VirtualTime, is_required: bool) -> HealthBuilder {
    let database = scripted(time, "database", |run| match run {
        0..42 | 45..60 => (2 + noise(run, 6), CheckResult::ok()),
        _ => {
            let message = "connect to 10.0.0.7:5432: connection refused\nafter 3 attempts";
            (
                40 + noise(run, 20),
                CheckResult::error(message).reason("refused").value("attempts", 3.0, Unit::Count),
            )
        }
    });
    let certificate = scripted(time, "certificate", |run| {
        let rest = 1_209_600.0 - run as f64 * 180.0;
        (
            1,
            CheckResult::degraded("shop.example.com expires soon").value(
                "valid",
                rest,
                Unit::Seconds,
            ),
        )
    });
    let mail = scripted(time, "mail", |run| match run % 7 {
        0..3 => (80 + noise(run, 300), CheckResult::ok()),
        3 => (900, CheckResult::error("421 too many connections").reason("refused")),
        _ => (800 + noise(run, 90), CheckResult::degraded("slow").reason("slow")),
    });
    let replicas = |event: &mut HealthCheckEvent| {
        event.ok("replica-a");
        event.result(
            "replica-b",
            CheckResult::degraded("12 s behind").value("lag", 12.0, Unit::Seconds),
        );
    };
    let database = described(database);
    shop(time)
        .register(scripted(time, "queue", |run| (1 + noise(run, 2), CheckResult::ok())))
        .register(disk(time))
        .register(certificate)
        .register(if is_required { database } else { database.optional() })
        .register(mail.optional())
        .register(Check::event("replicas", replicas).every(PERIOD).shared())
}

//! The examples of `docs/testing.md`; the last test compares the page with this file.

#![expect(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, StatusCode};
use health_axum::{
    Check, CheckResult, Health, HealthBuilder, HealthCheckEvent, HealthConfig, HealthSubscriber,
    StartupLatch, State, async_trait,
};
use health_conformance::testee::VirtualTime;
use tokio::time;
use tower::ServiceExt as _; // for `oneshot`

/// The check of the application.
async fn spool_is_writable(directory: PathBuf) -> io::Result<()> {
    let file = directory.join("health-check");
    tokio::fs::write(&file, "").await?;
    tokio::fs::remove_file(&file).await
}

/// Settings for tests: a file in `/tmp` must not change their results.
fn builder() -> HealthBuilder {
    let config = HealthConfig::from_pairs([("healthcheck.disablefile", "")]);
    Health::builder().config(config.unwrap())
}

#[tokio::test]
async fn a_missing_spool_is_an_error() {
    let error = spool_is_writable("/no/such/directory".into()).await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::NotFound);
}

#[tokio::test]
async fn a_missing_spool_makes_the_endpoint_fail() {
    let directory = PathBuf::from("/no/such/directory");
    let health =
        builder().register(Check::with("spool", directory, spool_is_writable)).build().unwrap();

    assert_eq!(health.respond("").await.status(), 200);
    let response = health.respond("checks=all").await;
    assert_eq!((response.status().as_u16(), response.body()), (503, "ERROR"));

    let results = health.last_results();
    let message = results[0].reports[0].message().unwrap();
    assert!(message.contains("os error"), "{message}");
}

struct Disks(Vec<(&'static str, u8)>);

#[async_trait]
impl HealthSubscriber for Disks {
    async fn on_health_check(&self, event: &mut HealthCheckEvent) {
        for (disk, percent) in &self.0 {
            match percent {
                0..95 => event.ok(disk),
                _ => event.error(disk, format!("{percent} % full")),
            }
        }
    }
}

#[tokio::test]
async fn a_full_disk_is_reported() {
    let mut event = HealthCheckEvent::default();
    Disks(vec![("data", 40), ("logs", 97)]).on_health_check(&mut event).await;
    let messages: Vec<_> = event.reports().iter().map(|report| report.message()).collect();
    assert_eq!(messages, [None, Some("97 % full")]);
}

#[tokio::test]
async fn the_log_names_the_check() {
    let health = builder()
        .check("queue", || async { CheckResult::error("87 jobs behind") })
        .build()
        .unwrap();
    let answer = health.answer("checks=all").await; // like `respond`, but logs nothing
    let record = answer.records().next().unwrap();
    assert_eq!(
        record.to_string(),
        r#"Health response: ERROR ([{"name":"queue","status":"ERROR","message":"87 jobs behind"}])"#
    );
}

#[tokio::test]
async fn the_application_has_the_endpoint() {
    let health = builder()
        .check("queue", || async { CheckResult::error("87 jobs behind") })
        .build()
        .unwrap();
    let app = axum::Router::new().merge(health_axum::router(health));
    for (path, status) in [
        ("/health", StatusCode::OK),
        ("/health?checks=all", StatusCode::SERVICE_UNAVAILABLE),
        ("/healthz", StatusCode::NOT_FOUND),
    ] {
        let request = Request::get(path).body(Body::empty()).unwrap();
        assert_eq!(app.clone().oneshot(request).await.unwrap().status(), status, "{path}");
    }
}

#[tokio::test]
async fn each_state_can_be_forced() {
    let fails = Arc::new(AtomicBool::new(false));
    let latch = StartupLatch::new("migrations");
    let health = builder()
        .latch(&latch)
        .register(Check::with("queue", fails.clone(), |fails| async move {
            if fails.load(Ordering::Relaxed) { Err("jammed") } else { Ok(()) }
        }))
        .build()
        .unwrap();
    let state = || async { health.respond("checks=all").await.state() };

    assert_eq!(state().await, State::Starting);
    latch.release();
    assert_eq!(state().await, State::Ok);

    fails.store(true, Ordering::Relaxed);
    assert_eq!(state().await, State::Failing);

    health.maintenance_switch().turn_on();
    assert_eq!(state().await, State::Maintenance);
    health.maintenance_switch().turn_off();
    assert_eq!(state().await, State::Failing);

    health.drain();
    assert_eq!(state().await, State::Draining);
}

#[tokio::test]
async fn a_start_that_panics_fails() {
    let latch = StartupLatch::new("migrations");
    let health = builder().latch(&latch).build().unwrap();
    drop(latch);
    assert_eq!(health.respond("").await.state(), State::Failing);
}

#[tokio::test]
async fn a_background_check_has_a_result_soon_after_the_start() {
    let check = Check::new("replica", || async { Ok::<(), io::Error>(()) });
    let health = builder().register(check.every(Duration::from_secs(30))).build().unwrap();
    let mut watch = health.watch(); // starts the background checks when it is first polled
    let wait = watch.wait_for(State::Ok);
    assert!(time::timeout(Duration::from_secs(10), wait).await.unwrap());
}

#[test]
fn a_client_does_not_outlive_its_runtime() {
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (first, second) = (runtime(), runtime());
    let (client, mut requests) = tokio::sync::mpsc::channel::<()>(8);
    first.spawn(async move { while requests.recv().await.is_some() {} });

    let health = builder()
        .register(Check::with("database", client, |client| async move { client.send(()).await }))
        .build()
        .unwrap();
    let state = async || health.respond("checks=all").await.state();
    assert_eq!(first.block_on(state()), State::Ok);
    drop(first);
    assert_eq!(second.block_on(state()), State::Failing);
}

#[tokio::test]
async fn a_blocked_runtime_cannot_run_the_timers_of_a_check() {
    let check = Check::new("sleep", || async {
        time::sleep(Duration::from_millis(1)).await;
        Ok::<(), io::Error>(())
    });
    let check = check.timeout(Duration::from_millis(100));
    let health = builder().register(check).build().unwrap();
    futures::executor::block_on(health.respond("checks=all")); // instead of `.await`
    let results = health.last_results();
    assert_eq!(results[0].reports[0].message(), Some("timed out after 100ms"));
}

#[tokio::test(start_paused = true)]
async fn a_paused_clock_skips_the_sleeps_of_a_check() {
    let check = Check::new("slow", || async {
        time::sleep(Duration::from_secs(3_600)).await;
        Ok::<(), io::Error>(())
    });
    let health = builder().register(check.timeout(Duration::from_secs(5))).build().unwrap();
    assert_eq!(health.respond("checks=all").await.state(), State::Ok);
}

#[tokio::test(start_paused = true)]
async fn a_paused_clock_does_not_stop_the_timeout_of_a_check() {
    let check = Check::new("hanging", std::future::pending::<Result<(), io::Error>>);
    let health = builder().register(check.timeout(Duration::from_millis(200))).build().unwrap();
    let start = time::Instant::now();
    assert_eq!(health.respond("checks=all").await.state(), State::Failing);
    assert_eq!(start.elapsed(), Duration::ZERO); // on the paused clock
}

#[tokio::test(start_paused = true)]
async fn a_paused_clock_ends_a_timeout_around_a_response_too_early() {
    let check = Check::new("hanging", std::future::pending::<Result<(), io::Error>>);
    let health = builder().register(check.timeout(Duration::from_millis(200))).build().unwrap();
    let hour = Duration::from_secs(3_600);
    assert!(time::timeout(hour, health.respond("checks=all")).await.is_err());

    time::resume();
    assert!(time::timeout(hour, health.respond("checks=all")).await.is_ok());
}

#[test]
fn a_background_check_notices_a_failure_within_its_period() {
    let fails = Arc::new(AtomicBool::new(false));
    let check = Check::with("database", fails.clone(), |fails| async move {
        if fails.load(Ordering::Relaxed) { Err("no route") } else { Ok(()) }
    });
    let clock = VirtualTime::default();
    let minute = Duration::from_secs(60);
    let health = builder().runtime(clock.clone()).register(check.every(minute)).build().unwrap();
    health.start_on(clock.clone());
    clock.settle(); // the first execution
    let state = || clock.block_on(health.respond("checks=all")).state();

    fails.store(true, Ordering::Relaxed);
    assert_eq!(state(), State::Ok);
    clock.pass(minute);
    assert_eq!(state(), State::Failing);
}

#[test]
fn every_example_of_the_page_is_in_this_file() {
    let page = include_str!("../testing.md");
    let examples: Vec<_> = page
        .split("```rust\n")
        .skip(1)
        .filter_map(|rest| rest.split_once("```").map(|(example, _)| example))
        .collect();
    assert!(examples.len() > 5, "{} examples", examples.len());
    for example in examples {
        assert!(include_str!("testing.rs").contains(example), "not in this file:\n{example}");
    }
}

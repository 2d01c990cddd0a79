//! The spans of runs and of executions of checks (H34), in virtual time.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a helper that fails is a test that fails")]

#[path = "../callsites/mod.rs"]
mod callsites;
mod collector;

use std::future::{Future, pending, ready};
use std::sync::mpsc;
use std::time::Duration;

use futures::FutureExt as _;
use health_conformance::testee::VirtualTime;
use health_core::{
    Check, CheckResult, Endpoint, Health, HealthBuilder, HealthConfig, Runtime as _,
};
use tracing::subscriber::with_default;
use tracing::{Instrument as _, Level, info_span};
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::SubscriberExt as _;

use crate::collector::Spans;

const SECOND: Duration = Duration::from_secs(1);

/// What a message of a check may contain.
const SECRET: &str = "password=hunter2";

/// Calls `test` with a subscriber that collects its spans, and time.
fn traced(test: impl FnOnce(&Spans, &VirtualTime)) {
    let spans = Spans::default();
    with_default(spans.subscriber(), || test(&spans, &VirtualTime::default()));
}

fn built(time: &VirtualTime, checks: impl IntoIterator<Item = Check>) -> Health {
    let builder = Health::builder()
        .config(HealthConfig::default().with_disablefile(""))
        .runtime(time.clone())
        .endpoint(Endpoint::readiness("/ready"));
    checks.into_iter().fold(builder, HealthBuilder::register).build().unwrap()
}

/// A request for the checks, in a span as servers have it. The span closes when the future is dropped.
fn request(health: &Health) -> impl Future<Output = &'static str> + use<> {
    let health = health.clone();
    async move { health.respond("checks=all").await.word().as_str() }
        .instrument(info_span!("request"))
}

/// The body of the response to a request for the checks.
fn ask(health: &Health, time: &VirtualTime) -> &'static str {
    time.block_on(request(health))
}

/// A check that opens a span, as a client of a database does.
fn query() -> Result<(), String> {
    info_span!("query").in_scope(|| Ok(()))
}

#[test]
fn a_request_has_a_run_and_the_run_has_each_execution() {
    traced(|spans, time| {
        let names = ["database", "cache"];
        let checks = names.map(|name| Check::new(name, || ready(Ok::<(), String>(()))));
        assert_eq!(ask(&built(time, checks), time), "OK");

        let run = spans.only("health.run");
        assert_eq!(run.fields["health.checks"], "2");
        assert_eq!(run.fields["health.run.trigger"], "request");
        assert_eq!(run.fields.len(), 2);
        assert_eq!(spans.named("health.check").len(), 2);
        for name in names {
            let check = spans.check(name);
            assert_eq!(check.fields["health.check.status"], "OK");
            assert_eq!(check.fields.len(), 2, "{:?}", check.fields);
            assert_eq!(spans.path(&check), ["health.check", "health.run", "request"]);
            assert_eq!((check.target, check.level), ("health", Level::DEBUG));
        }
        assert_eq!((run.target, run.level), ("health", Level::DEBUG));
        time.settle();
        assert_eq!(spans.open(), [""; 0]);
    });
}

#[test]
fn the_code_of_a_check_runs_in_its_span() {
    traced(|spans, time| {
        let later = async { ready(query()).await };
        let later = later.boxed().shared();
        let checks = [
            Check::new("call", || ready(query())),
            Check::new("poll", move || later.clone()),
            Check::blocking("blocking", query),
        ];
        let health = built(time, checks);
        assert_eq!(ask(&health, time), "OK");
        let queries = spans.named("query");
        let mut checks: Vec<_> = queries
            .iter()
            .map(|query| spans.at(query.parent.unwrap()).fields["health.check.name"].clone())
            .collect();
        checks.sort();
        assert_eq!(checks, ["blocking", "call", "poll"]);
        time.settle();
        assert_eq!(spans.open(), [""; 0]);
    });
}

#[test]
fn a_check_that_hangs_is_dropped_in_its_span_which_ends_at_the_timeout() {
    struct Drops;
    impl Drop for Drops {
        fn drop(&mut self) {
            drop(info_span!("dropped"));
        }
    }
    traced(|spans, time| {
        let hangs = || async {
            let _drops = Drops;
            pending::<Result<(), String>>().await
        };
        let health = built(time, [Check::new("hangs", hangs)]);
        let asked = request(&health);
        time.spawn(Box::pin(asked.map(drop)));
        time.pass(5 * SECOND - Duration::from_millis(1));
        assert_eq!(spans.check("hangs").field("health.check.status"), None);
        assert_eq!(spans.open(), ["request", "health.run", "health.check"]);
        time.pass(Duration::from_millis(1));
        let check = spans.check("hangs");
        assert_eq!(check.fields["health.check.status"], "ERROR");
        assert_eq!(check.fields["health.check.reason"], "timed_out");
        assert_eq!(check.fields["error.type"], "timed_out");
        assert_eq!(check.fields["otel.status_code"], "ERROR");
        let dropped = spans.only("dropped");
        assert_eq!(spans.path(&dropped), ["dropped", "health.check", "health.run", "request"]);
        assert_eq!(spans.open(), [""; 0]);
    });
}

#[test]
fn the_span_of_a_blocking_check_has_its_result_at_the_timeout_and_ends_with_its_code() {
    traced(|spans, time| {
        let (release, released) = mpsc::channel::<()>();
        let released = std::sync::Mutex::new(released);
        let check = Check::blocking("blocks", move || {
            let _ = info_span!("query").in_scope(|| released.lock().unwrap().recv());
            Ok::<(), String>(())
        });
        let health = built(time, [check]);
        let asked = request(&health);
        time.spawn(Box::pin(asked.map(drop)));
        time.settle();
        time.wait_until(|| !spans.named("query").is_empty());
        time.pass(5 * SECOND);
        assert_eq!(spans.check("blocks").fields["health.check.reason"], "timed_out");
        assert!(!spans.check("blocks").is_closed);
        // Nothing is executed, so there is no other span.
        assert_eq!(ask(&health, time), "ERROR");
        assert_eq!(spans.named("health.check").len(), 1);
        drop(release);
        time.wait_until(|| spans.open().is_empty());
        assert_eq!(spans.check("blocks").fields["health.check.status"], "ERROR");
    });
}

#[test]
fn a_span_has_the_status_and_the_reason_but_no_message_or_panic() {
    fn panics() -> Result<(), String> {
        panic!("{SECRET}")
    }
    traced(|spans, time| {
        let degraded = CheckResult::degraded(SECRET).reason("slow");
        let checks = [
            Check::new("panics", || async { panics() }),
            Check::blocking("blocking-panics", panics),
            Check::new("fails", || ready(Err::<(), _>(SECRET))),
            Check::new("refused", || ready(CheckResult::error(SECRET).reason("refused"))),
            Check::new("slow", move || ready(degraded.clone())),
        ];
        assert_eq!(ask(&built(time, checks), time), "ERROR");
        for (name, status, reason, error, code) in [
            ("panics", "ERROR", Some("panicked"), Some("panicked"), Some("ERROR")),
            ("blocking-panics", "ERROR", Some("panicked"), Some("panicked"), Some("ERROR")),
            ("fails", "ERROR", None, Some("_OTHER"), Some("ERROR")),
            ("refused", "ERROR", Some("refused"), Some("refused"), Some("ERROR")),
            ("slow", "DEGRADED", Some("slow"), None, None),
        ] {
            let check = spans.check(name);
            assert_eq!(check.fields["health.check.status"], status, "{name}");
            assert_eq!(check.field("health.check.reason"), reason, "{name}");
            assert_eq!(check.field("error.type"), error, "{name}");
            assert_eq!(check.field("otel.status_code"), code, "{name}");
        }
        assert!(!spans.text().contains(SECRET), "{}", spans.text());
        time.settle();
        assert_eq!(spans.open(), [""; 0]);
    });
}

#[test]
fn a_span_has_the_result_as_it_counts() {
    traced(|spans, time| {
        let mut results = [Ok(()), Err("down")].into_iter();
        let results = std::sync::Mutex::new(move || results.next().unwrap());
        let check = Check::new("database", move || ready((results.lock().unwrap())()));
        let health = built(time, [check.failure_threshold(2)]);
        for _ in 0..2 {
            assert_eq!(ask(&health, time), "OK");
        }
        // The spans end after the responses.
        time.settle();
        let checks = spans.named("health.check");
        assert!(checks.iter().all(|check| check.fields["health.check.status"] == "OK"));
        assert_eq!(checks.len(), 2);
    });
}

#[test]
fn a_background_run_is_a_root_that_follows_from_the_build() {
    traced(|spans, time| {
        let check = Check::new("database", || ready(query())).every(60 * SECOND);
        let health = info_span!("build").in_scope(|| built(time, [check]));
        // In a span to which the executions do not belong.
        info_span!("other").in_scope(|| health.start_on(time.clone()));
        time.settle();
        let run = spans.only("health.run");
        assert_eq!(run.parent, None);
        assert_eq!(run.follows_from.len(), 1);
        assert_eq!(spans.at(run.follows_from[0]).name, "build");
        assert_eq!(run.fields["health.run.trigger"], "background");
        assert_eq!(run.fields["health.checks"], "1");
        let query = spans.only("query");
        assert_eq!(spans.path(&query), ["query", "health.check", "health.run"]);
        // The next one is another trace.
        time.pass(120 * SECOND);
        assert!(spans.named("health.run").len() > 1);
        assert!(spans.named("health.run").iter().all(|run| run.is_closed && run.parent.is_none()));
        drop(health);
    });
}

#[test]
fn requests_that_join_a_run_are_not_its_parents_and_close_on_their_own() {
    traced(|spans, time| {
        let clock = time.clone();
        let check = Check::new("slow", move || {
            let sleep = clock.sleep_until(clock.now() + SECOND);
            async {
                sleep.await;
                Ok::<(), String>(())
            }
        });
        let health = built(time, [check]);
        let mut first = Box::pin(request(&health));
        assert!(first.as_mut().now_or_never().is_none());
        let second = info_span!("second").in_scope(|| {
            let health = health.clone();
            let mut second =
                Box::pin(async move { health.respond("checks=all").await }.in_current_span());
            assert!(second.as_mut().now_or_never().is_none());
            second
        });
        // Another endpoint, with a run of its own that shares the execution.
        let ready = health.at("/ready").unwrap();
        let third =
            async move { ready.respond("").await.word().as_str() }.instrument(info_span!("third"));
        let mut third = Box::pin(third);
        assert!(third.as_mut().now_or_never().is_none());
        time.settle();
        assert_eq!(spans.path(&spans.check("slow")), ["health.check", "health.run", "request"]);

        drop(second);
        assert!(spans.only("second").is_closed);
        // Its client leaves too, but the run goes on.
        drop(first);
        assert!(!spans.check("slow").is_closed);
        time.pass(SECOND);
        assert_eq!(third.as_mut().now_or_never(), Some("OK"));
        drop(third);
        assert_eq!(spans.check("slow").fields["health.check.status"], "OK");
        assert_eq!(spans.open(), [""; 0]);
    });
}

#[test]
fn a_request_without_checks_opens_no_span() {
    traced(|spans, time| {
        let health = built(time, [Check::new("database", || ready(Ok::<(), String>(())))]);
        assert_eq!(time.block_on(health.respond("")).body(), "OK");
        health.drain();
        assert_eq!(time.block_on(health.respond("checks=all")).body(), "MAINTENANCE");
        assert!(spans.text().is_empty(), "{}", spans.text());
    });
}

#[test]
fn without_spans_at_debug_a_check_runs_in_the_span_of_the_request() {
    let spans = Spans::default();
    let subscriber = spans.subscriber().with(LevelFilter::INFO);
    with_default(subscriber, || {
        let time = VirtualTime::default();
        let checks = [Check::new("call", || ready(query())), Check::blocking("blocks", query)];
        let background = Check::new("background", || ready(query())).every(60 * SECOND);
        let health =
            info_span!("build").in_scope(|| built(&time, checks.into_iter().chain([background])));
        // Before the request, which would otherwise find that the background check has not run yet.
        health.start_on(time.clone());
        time.settle();
        assert_eq!(ask(&health, &time), "OK");
        let parents = |name| {
            let queries = spans.named("query");
            queries.iter().filter(|query| spans.path(query) == ["query", name]).count()
        };
        assert_eq!(parents("request"), 2);
        time.settle();
        assert_eq!(parents("build"), 1);
        assert!(spans.named("health.run").is_empty() && spans.named("health.check").is_empty());
    });
}

//! A check logs in the span and to the subscriber of the request that started the run; a background check in those of the
//! build.

#![expect(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

mod callsites;

use std::future::ready;
use std::io::{self, Write};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use futures::executor::block_on;
use health_core::{
    Check, Health, HealthBuilder, HealthCheckEvent, HealthConfig, HealthSubscriber, async_trait,
};
use tracing::subscriber::with_default;
use tracing::{Subscriber, info, info_span};
use tracing_subscriber::fmt::format::FmtSpan;

/// The output of a subscriber.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Log {
    fn subscriber(&self) -> impl Subscriber + Send + Sync + use<> {
        callsites::keep();
        let log = self.clone();
        tracing_subscriber::fmt()
            .with_ansi(false)
            .with_span_events(FmtSpan::CLOSE)
            .with_writer(move || log.clone())
            .finish()
    }

    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }

    /// The number of lines that contain all of these words.
    fn count<const N: usize>(&self, words: [&str; N]) -> usize {
        let text = self.text();
        let lines = text.lines();
        lines.filter(|line| words.iter().all(|word| line.contains(word))).count()
    }
}

struct Subscribed;

#[async_trait]
impl HealthSubscriber for Subscribed {
    async fn on_health_check(&self, event: &mut HealthCheckEvent) {
        info!("checked");
        event.ok("subscriber");
    }
}

/// Three checks that log, one of each kind.
fn logging() -> [Check; 3] {
    let check = || {
        info!("checked");
        Ok::<(), String>(())
    };
    [
        Check::new("async", move || ready(check())),
        Check::blocking("blocking", check),
        Check::subscriber("subscriber", Subscribed),
    ]
}

fn built(checks: [Check; 3]) -> Health {
    let config = HealthConfig::default().with_disablefile("");
    let builder = Health::builder().config(config);
    let builder = checks.into_iter().fold(builder, HealthBuilder::register);
    builder.build().unwrap()
}

/// Requests the checks in a span of this name.
fn ask(health: &Health, log: &Log, id: u32) {
    with_default(log.subscriber(), || {
        let span = info_span!("request", id);
        let asked = span.in_scope(|| block_on(health.respond("checks=all")));
        assert_eq!(asked.body(), "OK");
    });
}

#[test]
fn checks_log_in_the_span_and_to_the_subscriber_of_the_request_that_started_them() {
    let health = built(logging());
    let logs = [Log::default(), Log::default()];
    for (id, log) in (1..).zip(&logs) {
        ask(&health, log, id);
        let id = format!("request{{id={id}}}");
        assert_eq!(log.count(["checked", &id]), 3, "{}", log.text());
    }
    assert_eq!(logs[0].count(["checked"]), 3);
}

#[test]
fn the_span_of_a_request_closes_when_its_run_is_over() {
    let health = built(logging());
    let log = Log::default();
    ask(&health, &log, 1);
    // The last task ends on its own thread.
    while log.count(["close", "request{id=1}"]) == 0 {
        thread::yield_now();
    }
    drop(health);
}

#[test]
fn background_checks_log_in_the_span_and_to_the_subscriber_of_the_build() {
    let log = Log::default();
    let health = with_default(log.subscriber(), || {
        let checks = logging().map(|check| check.every(Duration::from_secs(3600)));
        info_span!("start").in_scope(|| built(checks))
    });
    block_on(health.respond("checks=all"));
    while log.count(["checked", "start"]) < 3 {
        thread::yield_now();
    }
    assert_eq!(log.count(["checked"]), 3);
    assert_eq!(log.count(["close", "start"]), 0);
    drop(health);
    while log.count(["close", "start"]) == 0 {
        thread::yield_now();
    }
}

#[test]
fn a_build_without_background_checks_does_not_keep_its_span_open() {
    let log = Log::default();
    with_default(log.subscriber(), || {
        let health = info_span!("start").in_scope(|| built(logging()));
        assert_eq!(log.count(["close", "start"]), 1);
        drop(health);
    });
}

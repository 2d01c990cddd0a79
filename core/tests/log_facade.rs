//! An application that uses `log` without a `tracing` subscriber gets the records too.

#![expect(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

use std::sync::Mutex;

use futures::executor::block_on;
use health_core::{Health, HealthConfig, LOG_TARGET};

static LINES: Mutex<Vec<String>> = Mutex::new(Vec::new());

struct Logger;

impl log::Log for Logger {
    fn enabled(&self, metadata: &log::Metadata<'_>) -> bool {
        metadata.target() == LOG_TARGET
    }

    fn log(&self, record: &log::Record<'_>) {
        if self.enabled(record.metadata()) {
            let line = format!("{} {}", record.level(), record.args());
            LINES.lock().unwrap().push(line);
        }
    }

    fn flush(&self) {}
}

#[test]
fn records_reach_a_logger() {
    log::set_logger(&Logger).unwrap();
    log::set_max_level(log::LevelFilter::Info);
    let health = Health::builder()
        .config(
            HealthConfig::default()
                .with_disablefile(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml")),
        )
        .build()
        .unwrap();
    block_on(health.respond(""));
    let lines = LINES.lock().unwrap();
    assert_eq!(
        *lines,
        [
            r#"INFO Health response: MAINTENANCE event="response" endpoint="/health" state="maintenance""#
        ]
    );
}

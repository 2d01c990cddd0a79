//! How checks run and endpoints respond, in virtual time: no test waits for the clock of the machine.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a helper that fails is a test that fails")]

mod alive_file;
mod background;
mod blocking;
mod building;
#[path = "../callsites/mod.rs"]
mod callsites;
mod check_paths;
mod degraded;
mod drain;
mod drain_end;
mod draining;
mod endpoint;
mod endpoint_building;
mod heartbeat;
mod log_fields;
#[path = "../logged/mod.rs"]
mod logged;
mod observer;
mod overlap;
mod peer_fleet;
mod peers;
mod recovery;
mod reports;
mod server_may_stop;
mod settings;
mod shared_dependency;
mod sharing;
mod shutdown;
mod standstill;
mod state;
mod timeout;
mod verdict;
mod virtual_time;
mod watch;

use std::future::ready;

use futures::executor::block_on;
use health_core::{Answer, Check, Health, HealthBuilder, HealthConfig, LogLevel};
use serde_json::Value;

use crate::virtual_time::VirtualTime;

/// Name, status and message of one result.
type Reported = (String, String, Option<String>);
type Results = Vec<Reported>;

/// An endpoint in virtual time.
fn in_virtual_time(describe: impl FnOnce(HealthBuilder) -> HealthBuilder) -> (Health, VirtualTime) {
    let time = VirtualTime::default();
    let health = describe(builder().runtime(time.clone())).build().unwrap();
    (health, time)
}

/// A check that passes.
fn passing(name: &str) -> Check {
    Check::new(name, || ready(Ok::<(), String>(())))
}

/// An endpoint without a disablefile, which logs only results of checks.
fn builder() -> HealthBuilder {
    Health::builder().config(HealthConfig::default().with_disablefile(""))
}

/// Name, status and message of each logged result; none if the response is OK.
fn results(health: &Health) -> Results {
    results_of(&block_on(health.answer("checks=all")))
}

/// The same, for an answer.
fn results_of(answer: &Answer) -> Results {
    let records: Vec<_> = answer.records().collect();
    let Some(record) = records.first() else {
        assert_eq!(answer.response().word().as_str(), "OK");
        return Vec::new();
    };
    assert_eq!(records.len(), 1);
    let (word, level) = match answer.response().word().as_str() {
        "OK" | "DEGRADED" => ("DEGRADED", LogLevel::Warn),
        body => (body, LogLevel::Error),
    };
    assert_eq!(record.level(), level);
    let text = record.text().strip_prefix(&*format!("Health response: {word} ("));
    let json = text.and_then(|text| text.strip_suffix(')')).unwrap();
    let results: Vec<Value> = serde_json::from_str(json).unwrap();
    let text = |result: &Value, key: &str| result[key].as_str().map(str::to_owned);
    results
        .iter()
        .map(|result| {
            let name = text(result, "name").unwrap();
            (name, text(result, "status").unwrap(), text(result, "message"))
        })
        .collect()
}

/// An expected result.
fn result(name: &str, status: &str, message: Option<&str>) -> Reported {
    (name.to_owned(), status.to_owned(), message.map(str::to_owned))
}

/// Requires that each tenth of the range contains about a tenth of the numbers, and that none is outside.
fn assert_even(numbers: &[f64], from: f64, to: f64) {
    let mut tenths = [0; 10];
    for number in numbers {
        assert!((from - 1e-6..=to + 1e-6).contains(number), "{number} is not in {from} to {to}");
        let part = (number - from) / (to - from);
        tenths[((10.0 * part) as usize).min(9)] += 1;
    }
    let expected = numbers.len() as f64 / 10.0;
    // A random deviation is larger once in 100 million tests.
    let allowed = 6.0 * (0.9 * expected).sqrt();
    let is_even = |count: &i32| (f64::from(*count) - expected).abs() <= allowed;
    assert!(tenths.iter().all(is_even), "{tenths:?}");
}

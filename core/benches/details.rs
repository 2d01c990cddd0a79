//! The cost of a document that shows all checks with their history: `cargo bench -p health-core --features details --bench details`.

use std::future::{pending, ready};
use std::task::{Context, Waker};
use std::time::Instant;

use divan::counter::ItemsCount;
use divan::{AllocProfiler, Bencher};
use futures::executor::block_on;
use health_core::{
    Check, CheckResult, DetailLevel, Endpoint, Health, HealthConfig, HealthResponse, Runtime, Task,
};

#[global_allocator]
static ALLOC: AllocProfiler = AllocProfiler::system();

/// A history has this many executions.
const FULL_HISTORY: usize = 60;

const FORMATS: [&str; 5] = ["json", "health", "spring", "healthchecks-ui", "verbose"];

fn main() {
    divan::main();
}

/// An endpoint with this many checks, a tenth of which fail, each with a full history.
#[expect(clippy::expect_used, reason = "a benchmark cannot return an error")]
fn health(checks: usize) -> Health {
    let config = HealthConfig::default().with_disablefile("");
    let mut builder = Health::builder().config(config).runtime(Here);
    for index in 0..checks {
        let check = Check::new(format!("check-{index}"), move || {
            ready(match index % 10 {
                0 => CheckResult::error("connection refused").reason("refused"),
                _ => CheckResult::ok(),
            })
        });
        builder = builder.register(check.owner("the shop team"));
    }
    let endpoint = Endpoint::strict("/ready").details(DetailLevel::Full);
    let health = builder.endpoint(endpoint).build().expect("distinct names");
    for _ in 0..FULL_HISTORY {
        respond(&health, "checks=all");
    }
    health
}

#[expect(clippy::expect_used, reason = "a benchmark cannot return an error")]
fn respond(health: &Health, query: &str) -> HealthResponse {
    let endpoint = health.at("/ready").expect("the endpoint");
    block_on(endpoint.respond(query))
}

/// The last results, without a run.
#[divan::bench(args = [1, 10, 100, 1000])]
fn json(bencher: Bencher<'_, '_>, checks: usize) {
    let health = health(checks);
    let body = respond(&health, "format=json");
    assert!(body.body().starts_with('{'));
    let bencher = bencher.counter(ItemsCount::new(checks));
    bencher.bench_local(|| respond(&health, divan::black_box("format=json")));
}

/// Each format, with 100 checks.
#[divan::bench(args = FORMATS)]
fn format(bencher: Bencher<'_, '_>, format: &str) {
    let health = health(100);
    let query = format!("format={format}");
    bencher.bench_local(|| respond(&health, divan::black_box(&query)));
}

/// Polls each task once, where it is spawned: checks that are ready immediately need no more, and no timers.
struct Here;

impl Runtime for Here {
    fn now(&self) -> Instant {
        Instant::now()
    }

    fn sleep_until(&self, _deadline: Instant) -> Task {
        Box::pin(pending())
    }

    fn spawn(&self, mut task: Task) {
        let _ = task.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    }
}

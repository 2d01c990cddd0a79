//! The cost of the page, with the latest 60 executions of each check: `cargo bench -p health-core --features page --bench page`.

use std::future::ready;
use std::sync::atomic::{AtomicUsize, Ordering};

use divan::Bencher;
use divan::counter::BytesCount;
use futures::executor::block_on;
use health_core::{Check, CheckResult, DetailLevel, Health, HealthConfig, HealthRequest, Unit};

fn main() {
    divan::main();
}

/// An application whose checks were executed 60 times. Every tenth check fails at times.
#[expect(clippy::expect_used, reason = "a benchmark cannot return an error")]
fn health(checks: usize) -> Health {
    let config = HealthConfig::default().with_disablefile("");
    let mut builder = Health::builder().config(config).details(DetailLevel::Full);
    for index in 0..checks {
        let runs = AtomicUsize::new(index % 10);
        let check = Check::new(format!("upstream-{index:03}"), move || {
            ready(match runs.fetch_add(10, Ordering::Relaxed) % 90 {
                0..30 => CheckResult::error("connect: no route to host").reason("refused"),
                _ => CheckResult::ok().value("length", 17.0, Unit::Count),
            })
        });
        builder = builder.register(check);
    }
    let health = builder.build().expect("distinct names");
    for _ in 0..60 {
        block_on(health.respond("checks=all"));
    }
    health
}

/// From the request to the document, without a run of the checks.
#[divan::bench(args = [1, 10, 100, 1000])]
fn page(bencher: Bencher<'_, '_>, checks: usize) {
    let health = health(checks);
    let show = || block_on(health.respond(HealthRequest::new(divan::black_box("format=html"))));
    let length = show().body().len();
    println!("{checks} checks: {length} bytes");
    bencher.counter(BytesCount::new(length)).bench_local(show);
}

//! The cost of a scrape: `cargo bench -p health-core --features metrics --bench scrape`.

use std::future::ready;

use divan::Bencher;
use divan::counter::ItemsCount;
use futures::executor::block_on;
use health_core::{Endpoint, EndpointHandle, Health, HealthConfig};

fn main() {
    divan::main();
}

/// An endpoint of metrics, and another with this many checks, each of which has run.
#[expect(clippy::expect_used, reason = "a benchmark cannot return an error")]
fn metrics(checks: usize) -> EndpointHandle {
    let config = HealthConfig::default().with_disablefile("");
    let mut builder = Health::builder().config(config);
    for index in 0..checks {
        builder = builder.check(format!("check-{index}"), || ready(Ok::<(), String>(())));
    }
    let builder = builder.endpoint(Endpoint::metrics("/metrics"));
    let health = builder.build().expect("distinct names and paths");
    for _ in 0..20 {
        block_on(health.respond("checks=all"));
    }
    health.at("/metrics").expect("it was added")
}

#[divan::bench(args = [1, 10, 100, 1000])]
fn prometheus(bencher: Bencher<'_, '_>, checks: usize) {
    let metrics = metrics(checks);
    let bencher = bencher.counter(ItemsCount::new(checks));
    bencher.bench_local(|| block_on(metrics.respond(divan::black_box(""))).into_body());
}

#[divan::bench(args = [1, 10, 100, 1000])]
fn openmetrics(bencher: Bencher<'_, '_>, checks: usize) {
    let metrics = metrics(checks);
    let bencher = bencher.counter(ItemsCount::new(checks));
    bencher.bench_local(|| {
        block_on(metrics.respond(divan::black_box("format=openmetrics"))).into_body()
    });
}

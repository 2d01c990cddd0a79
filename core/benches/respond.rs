//! The cost of one answer, allocations included: `cargo bench -p health-core`.

use std::future::ready;
use std::path::Path;

use divan::{AllocProfiler, Bencher};
use futures::executor::block_on;
use health_core::{Health, HealthConfig, HealthResponse};

#[global_allocator]
static ALLOC: AllocProfiler = AllocProfiler::system();

fn main() {
    divan::main();
}

/// An endpoint that stats `disablefile`, with this many checks that are done at once.
fn health(disablefile: &str, checks: usize) -> Health {
    let config = HealthConfig::default().with_disablefile(Path::new(disablefile));
    let mut builder = Health::builder().config(config);
    for index in 0..checks {
        builder = builder.check(format!("check-{index}"), || ready(Ok::<(), String>(())));
    }
    #[expect(clippy::expect_used, reason = "a benchmark has nobody to report to")]
    builder.build().expect("distinct names")
}

/// From the query to the bytes that a server would send.
fn respond(health: &Health, query: &str) -> HealthResponse {
    let answer = block_on(health.respond(query));
    divan::black_box(answer.headers());
    answer
}

#[divan::bench]
fn plain(bencher: Bencher<'_, '_>) {
    let health = health("no-such-file", 1);
    bencher.bench_local(|| respond(&health, divan::black_box("")));
}

#[divan::bench]
fn plain_with_other_parameters(bencher: Bencher<'_, '_>) {
    let health = health("no-such-file", 1);
    bencher.bench_local(|| respond(&health, divan::black_box("from=haproxy&node=web%2D7")));
}

#[divan::bench]
fn maintenance(bencher: Bencher<'_, '_>) {
    let health = health("Cargo.toml", 1);
    bencher.bench_local(|| respond(&health, divan::black_box("checks=all")));
}

/// What the plain answer would cost if it looked at no file.
#[divan::bench]
fn plain_without_a_disablefile(bencher: Bencher<'_, '_>) {
    let health = health("", 1);
    bencher.bench_local(|| respond(&health, divan::black_box("")));
}

#[divan::bench(args = [1, 10, 100])]
fn instant_checks(bencher: Bencher<'_, '_>, checks: usize) {
    let health = health("no-such-file", checks);
    bencher.bench_local(|| respond(&health, divan::black_box("checks=all")));
}

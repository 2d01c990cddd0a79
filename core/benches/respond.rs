//! The cost of one response, including allocations: `cargo bench -p health-core`.

use std::future::{pending, ready};
use std::path::Path;
use std::task::{Context, Waker};
use std::time::{Duration, Instant};

use divan::counter::ItemsCount;
use divan::{AllocProfiler, Bencher};
use futures::executor::block_on;
use health_core::{
    Check, Health, HealthBuilder, HealthConfig, HealthResponse, Heartbeat, Runtime, Task,
};

#[global_allocator]
static ALLOC: AllocProfiler = AllocProfiler::system();

fn main() {
    divan::main();
}

/// An endpoint with this disablefile, and with this many checks that are ready immediately.
fn described(disablefile: &str, checks: usize) -> HealthBuilder {
    let config = HealthConfig::default().with_disablefile(Path::new(disablefile));
    let mut builder = Health::builder().config(config);
    for index in 0..checks {
        builder = builder.check(format!("check-{index}"), || ready(Ok::<(), String>(())));
    }
    builder
}

/// The endpoint after its first response, so that no later stat probes the file system.
#[expect(clippy::expect_used, reason = "a benchmark cannot return an error")]
fn built(builder: HealthBuilder) -> Health {
    let health = builder.build().expect("distinct names");
    respond(&health, "");
    health
}

fn health(disablefile: &str, checks: usize) -> Health {
    built(described(disablefile, checks))
}

/// From the query to the bytes that a server would send.
fn respond(health: &Health, query: &str) -> HealthResponse {
    let answer = block_on(health.respond(query));
    answer.headers().for_each(|header| drop(divan::black_box(header)));
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

/// The cost of a response without checks and without a disablefile.
#[divan::bench]
fn plain_without_a_disablefile(bencher: Bencher<'_, '_>) {
    let health = health("", 1);
    bencher.bench_local(|| respond(&health, divan::black_box("")));
}

/// A run on the thread of the default runtime. Allocations on that thread are not counted.
#[divan::bench(args = [1, 10, 100])]
fn instant_checks(bencher: Bencher<'_, '_>, checks: usize) {
    let health = health("no-such-file", checks);
    bencher.bench_local(|| respond(&health, divan::black_box("checks=all")));
}

/// A run on the calling thread. Every allocation is counted.
#[divan::bench(args = [1, 10, 100, 1000])]
fn instant_checks_here(bencher: Bencher<'_, '_>, checks: usize) {
    let health = built(described("", checks).runtime(Here));
    let bencher = bencher.counter(ItemsCount::new(checks));
    bencher.bench_local(|| respond(&health, divan::black_box("checks=all")));
}

/// The same, and as many heartbeats, whose checks have run in the background.
#[divan::bench(args = [100, 1000])]
fn instant_checks_here_and_heartbeats(bencher: Bencher<'_, '_>, checks: usize) {
    const EXPIRY: Duration = Duration::from_secs(3600);
    let heartbeats: Vec<_> =
        (0..checks).map(|index| Heartbeat::new(format!("worker-{index}"), EXPIRY)).collect();
    let mut builder = described("", checks).runtime(Here);
    for heartbeat in &heartbeats {
        heartbeat.beat();
        builder = builder.register(Check::heartbeat(heartbeat).every(EXPIRY));
    }
    let health = built(builder);
    assert_eq!(respond(&health, "checks=all").body(), "OK");
    let bencher = bencher.counter(ItemsCount::new(checks));
    bencher.bench_local(|| respond(&health, divan::black_box("checks=all")));
}

/// Polls each task once, where it is spawned. Checks that are ready immediately need no more, and no timers. A
/// background check is executed once.
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

//! The cost of a heartbeat for the worker, including allocations: `cargo bench -p health-core --bench heartbeat`.

use std::time::Duration;

use divan::{AllocProfiler, Bencher};
use health_core::Heartbeat;

#[global_allocator]
static ALLOC: AllocProfiler = AllocProfiler::system();

fn main() {
    divan::main();
}

#[divan::bench]
fn beat(bencher: Bencher<'_, '_>) {
    let heartbeat = Heartbeat::new("worker", Duration::from_secs(30));
    bencher.bench_local(|| divan::black_box(&heartbeat).beat());
}

#[divan::bench]
fn busy_and_drop(bencher: Bencher<'_, '_>) {
    let heartbeat = Heartbeat::new("worker", Duration::from_secs(30));
    bencher.bench_local(|| drop(divan::black_box(&heartbeat).busy(Duration::MAX)));
}

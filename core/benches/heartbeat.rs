//! The cost of a heartbeat for the worker: `cargo bench -p health-core --bench heartbeat`.

use std::time::Duration;

use divan::Bencher;
use health_core::Heartbeat;

fn main() {
    divan::main();
}

#[divan::bench]
fn beat(bencher: Bencher<'_, '_>) {
    let heartbeat = Heartbeat::new("worker", Duration::from_secs(30));
    bencher.bench_local(|| divan::black_box(&heartbeat).beat());
}

#[divan::bench]
fn busy(bencher: Bencher<'_, '_>) {
    let heartbeat = Heartbeat::new("worker", Duration::from_secs(30));
    bencher.bench_local(|| divan::black_box(&heartbeat).busy(Duration::MAX));
}

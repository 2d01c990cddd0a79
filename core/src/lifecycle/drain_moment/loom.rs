//! Models of a drain that begins while others start or stop to wait for it.

use std::sync::Arc;

use loom::future::block_on;
use loom::thread;

use super::{DrainMoment, Told};

/// Tries all orders with at most this many preemptions.
fn model(body: impl Fn() + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(3);
    builder.check(body);
}

/// loom reports one that never stops waiting as a deadlock.
#[test]
fn whoever_waits_when_a_drain_begins_is_told() {
    model(|| {
        let told = Arc::new(Told::default());
        let waits = DrainMoment::new(told.clone());
        let waiting = thread::spawn(move || block_on(waits));
        let begins = told.clone();
        let beginning = thread::spawn(move || begins.tell());
        block_on(DrainMoment::new(told));
        waiting.join().unwrap();
        beginning.join().unwrap();
    });
}

#[test]
fn one_that_stops_to_wait_keeps_no_other_from_being_told() {
    model(|| {
        let told = Arc::new(Told::default());
        let waits = DrainMoment::new(told.clone());
        let mut stops = waits.clone();
        let begins = told.clone();
        let stopping = thread::spawn(move || {
            let _ = futures::FutureExt::now_or_never(&mut stops);
            drop(stops);
        });
        let beginning = thread::spawn(move || begins.tell());
        block_on(waits);
        stopping.join().unwrap();
        beginning.join().unwrap();
    });
}

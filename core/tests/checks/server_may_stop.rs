//! Streams are told that a drain has ended (H27, H28).

use std::future::{Future, pending};
use std::task::{Context, Waker};
use std::time::Duration;

use futures::FutureExt as _;
use futures::executor::block_on;
use futures::future::join_all;
use health_core::Health;

use crate::builder;

const HOUR: Duration = Duration::from_secs(3600);

fn health() -> Health {
    builder().build().unwrap()
}

fn has_ended(health: &Health) -> bool {
    health.drain_end().now_or_never().is_some()
}

/// A call that waits for a drain of an hour.
fn waiting(health: &Health) -> impl Future<Output = ()> + use<> {
    health.drain_when(pending::<()>(), HOUR)
}

#[test]
fn it_has_ended_when_the_call_that_waits_for_it_has_returned() {
    let health = health();
    let drained = health.drain_when(pending::<()>(), Duration::ZERO);
    assert!(!has_ended(&health));
    health.drain();
    assert!(!has_ended(&health));
    block_on(drained);
    assert!(has_ended(&health));
}

#[test]
fn of_several_calls_the_last_counts_and_one_that_is_dropped_does_not() {
    let health = health();
    let waits = [waiting(&health), waiting(&health)];
    let brief = health.drain_when(pending::<()>(), Duration::ZERO);
    health.drain();
    block_on(brief);
    let [first, mut second] = waits.map(Box::pin);
    drop(first);
    let context = &mut Context::from_waker(Waker::noop());
    assert!(second.as_mut().poll(context).is_pending());
    assert!(!has_ended(&health));
    drop(second);
    assert!(has_ended(&health));
}

#[test]
fn a_call_that_is_dropped_without_a_drain_ends_none() {
    let health = health();
    drop(waiting(&health));
    assert!(!has_ended(&health));
}

#[test]
fn without_a_call_that_waits_it_ends_at_its_beginning_and_stays_so() {
    let health = health();
    drop(waiting(&health));
    health.drain();
    assert!(has_ended(&health));
    let _late = waiting(&health);
    assert!(has_ended(&health));
}

#[test]
fn what_waits_is_woken_by_the_end_and_by_the_drop_of_the_last_handle() {
    let health = health();
    let ends = [(); 2].map(|()| {
        std::thread::spawn({
            let end = health.drain_end();
            || block_on(end)
        })
    });
    health.drain();
    ends.into_iter().for_each(|end| end.join().unwrap());

    let health = self::health();
    let end = join_all([health.drain_end(), health.drain_end()]);
    drop(health);
    block_on(end);
}

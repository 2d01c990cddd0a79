//! Handlers are told that a drain has begun (H20).

use std::future::{Future, ready};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Wake, Waker};
use std::thread;

use futures::executor::block_on;
use futures::{FutureExt as _, StreamExt as _, stream};
use health_core::{DrainMoment, Health};

use crate::builder;

/// A task that counts how often it is woken.
#[derive(Default)]
struct Task(AtomicUsize);

impl Wake for Task {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

impl Task {
    fn polls(self: &Arc<Self>, draining: &mut DrainMoment) -> bool {
        let waker = Waker::from(self.clone());
        draining.poll_unpin(&mut Context::from_waker(&waker)).is_ready()
    }

    fn wakes(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

fn health() -> Health {
    builder().build().unwrap()
}

#[test]
fn whoever_waits_is_told_when_the_drain_begins_and_later_ones_at_once() {
    let health = health();
    let waits = [(); 2].map(|()| {
        let draining = health.draining();
        thread::spawn(|| block_on(draining))
    });
    let mut waits_here = health.draining();
    let task = Arc::<Task>::default();
    assert!(!task.polls(&mut waits_here));
    assert_eq!(task.wakes(), 0);
    health.drain();
    assert_eq!(task.wakes(), 1);
    for wait in waits {
        wait.join().unwrap();
    }
    for _ in 0..2 {
        assert!(task.polls(&mut waits_here), "it may be polled again");
        block_on(health.draining());
        block_on(waits_here.clone());
    }
}

#[test]
fn the_endpoints_already_show_the_drain_to_whoever_is_told() {
    let health = health();
    let (draining, asked) = (health.draining(), health.clone());
    let wait = thread::spawn(move || {
        block_on(draining);
        block_on(asked.respond("")).word().as_str()
    });
    health.drain();
    assert_eq!(wait.join().unwrap(), "MAINTENANCE");
}

#[test]
fn it_does_not_keep_the_health_alive_and_completes_with_its_last_clone() {
    let health = health();
    let clone = health.clone();
    let mut draining = clone.draining();
    let later = draining.clone();
    let task = Arc::<Task>::default();
    assert!(!task.polls(&mut draining));
    drop(health);
    assert!(!task.polls(&mut draining), "a clone is left");
    drop(clone);
    assert_eq!(task.wakes(), 1);
    block_on(draining);
    block_on(later);
}

#[test]
fn the_task_that_polled_it_last_is_woken_and_dropping_it_affects_no_other() {
    let health = health();
    let [former, latest, gone] = [(); 3].map(|()| Arc::<Task>::default());
    let mut moves = health.draining();
    let mut goes = moves.clone();
    assert!(!former.polls(&mut moves));
    assert!(!gone.polls(&mut goes));
    assert!(!latest.polls(&mut moves));
    drop(goes);
    assert_eq!(Arc::strong_count(&gone), 1, "its waker is dropped with it");
    assert_eq!(Arc::strong_count(&former), 1);
    health.drain();
    assert_eq!([&former, &latest, &gone].map(|task| task.wakes()), [0, 1, 0]);
}

#[test]
fn a_stream_ends_when_the_drain_begins() {
    let health = health();
    let drains = health.clone();
    let events = stream::iter(1..10).then(move |event| {
        if event == 3 {
            drains.drain();
        }
        ready(event)
    });
    let events = events.take_until(health.draining());
    assert_eq!(block_on(events.collect::<Vec<_>>()), [1, 2, 3]);
}

#[test]
fn a_task_of_any_runtime_can_wait_for_it() {
    fn takes(_: impl Future<Output = ()> + Clone + Send + Sync + Unpin + 'static) {}
    takes(health().draining());
}

//! When a start is over, and what a latch tells its applications.

use std::sync::Arc;
use std::thread;

use super::{Gate, LastRelease, Start, StartupLatch};
use crate::state::StateChanges;

fn start(gate: &Gate) -> Option<(Start, Vec<String>)> {
    let unreleased = gate.unreleased()?;
    Some((unreleased.start, unreleased.names().map(str::to_owned).collect()))
}

#[test]
fn a_start_is_over_when_every_latch_is_released() {
    let [first, second] = ["first", "second"].map(StartupLatch::new);
    let gate = Gate::new(vec![first.shared(), second.shared()]);
    let both = vec!["first".to_owned(), "second".to_owned()];
    assert_eq!(start(&gate), Some((Start::UnderWay, both)));
    second.release();
    let one = vec!["first".to_owned()];
    assert_eq!(start(&gate), Some((Start::UnderWay, one)));
    first.release();
    assert_eq!(start(&gate), None);
}

#[test]
fn a_latch_that_is_dropped_fails_the_start_for_good() {
    let [dropped, pending, released] = ["dropped", "pending", "released"].map(StartupLatch::new);
    let gate = Gate::new([&dropped, &pending, &released].map(StartupLatch::shared).into());
    released.release();
    drop(dropped);
    let failed = || Some((Start::Failed, vec!["dropped".to_owned()]));
    assert_eq!(start(&gate), failed());
    pending.release();
    assert_eq!(start(&gate), failed());
}

#[test]
fn a_latch_is_not_missed_while_it_is_dropped() {
    for _ in 0..1000 {
        let latch = StartupLatch::new("dropped");
        // Others before it, so that a look takes its time.
        let others: Vec<_> = (0..50).map(|_| StartupLatch::new("other")).collect();
        let latches = others.iter().chain([&latch]).map(StartupLatch::shared);
        let gate = Gate::new(latches.collect());
        others.into_iter().for_each(StartupLatch::release);
        thread::scope(|scope| {
            let dropper = scope.spawn(|| drop(latch));
            while !dropper.is_finished() {
                assert!(gate.unreleased().is_some());
            }
        });
    }
}

#[test]
fn a_latch_that_is_forgotten_is_never_ready() {
    let latch = StartupLatch::new("forgotten");
    let gate = Gate::new(vec![latch.shared()]);
    std::mem::forget(latch);
    let names = vec!["forgotten".to_owned()];
    assert_eq!(start(&gate), Some((Start::UnderWay, names)));
}

#[test]
fn without_latches_a_start_is_over_at_once() {
    assert_eq!(start(&Gate::new(Vec::new())), None);
}

fn last_release(latches: &[&StartupLatch]) -> Arc<LastRelease> {
    let latches = latches.iter().map(|latch| latch.shared());
    LastRelease::of(latches.collect(), StateChanges::default())
}

#[test]
fn the_last_release_is_that_of_all_latches_in_any_order_and_a_dropped_latch_prevents_it() {
    let [first, second] = ["first", "second"].map(StartupLatch::new);
    let release = last_release(&[&first, &second]);
    let promise = release.awaited().unwrap();
    second.release();
    assert_eq!(promise.get(), None);
    first.release();
    assert_eq!(promise.get(), Some(()));
    assert!(release.awaited().is_none());

    let [dropped, released] = ["dropped", "released"].map(StartupLatch::new);
    let release = last_release(&[&dropped, &released]);
    drop(dropped);
    released.release();
    assert_eq!(release.awaited().unwrap().get(), None);
}

#[test]
fn a_latch_tells_every_application_that_it_belongs_to() {
    let latch = StartupLatch::new("shared");
    let [first, gone, last] = [(); 3].map(|()| last_release(&[&latch]));
    let promises = [&first, &last].map(|release| release.awaited().unwrap());
    drop(gone);
    latch.release();
    assert_eq!(promises.map(|promise| promise.get()), [Some(()); 2]);
    assert!(last_release(&[]).awaited().is_none());
}

#[test]
fn of_latches_that_are_released_at_the_same_time_one_is_the_last() {
    for _ in 0..1000 {
        let [first, second] = ["first", "second"].map(StartupLatch::new);
        let release = last_release(&[&first, &second]);
        let promise = release.awaited().unwrap();
        thread::scope(|scope| {
            scope.spawn(|| first.release());
            second.release();
        });
        assert_eq!(promise.get(), Some(()));
    }
}

#[test]
fn a_failed_latch_keeps_its_error_with_its_causes_on_one_line() {
    let error = |latch: StartupLatch, error: Box<dyn std::error::Error + Send + Sync>| {
        let shared = latch.shared();
        latch.fail(error);
        shared.error().map(str::to_owned)
    };
    let cause = std::io::Error::other("no route to host");
    #[derive(Debug)]
    struct Query(std::io::Error);
    impl std::fmt::Display for Query {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("cannot migrate")
        }
    }
    impl std::error::Error for Query {
        fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
            Some(&self.0)
        }
    }
    let latch = || StartupLatch::new("migrations");
    let text = error(latch(), Query(cause).into());
    assert_eq!(text.as_deref(), Some("cannot migrate: no route to host"));
    assert_eq!(error(latch(), "".into()).as_deref(), Some(""));
    let long = error(latch(), "x".repeat(5000).into()).unwrap();
    assert_eq!(long, format!("{}…", "x".repeat(crate::text::MAX_MESSAGE_LEN)));

    #[derive(Debug)]
    struct Panics;
    impl std::fmt::Display for Panics {
        fn fmt(&self, _: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            panic!("in the error of the test")
        }
    }
    impl std::error::Error for Panics {}
    let text = error(latch(), Panics.into());
    assert_eq!(text.as_deref(), Some("panicked: in the error of the test"));
}

//! Checks that run in the background, once each period (H14).

use std::collections::hash_map::RandomState;
use std::future::pending;
use std::hash::BuildHasher as _;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use futures::future::select;

use super::Run;
use super::engine::Engine;
use super::registered::RegisteredCheck;
use crate::runtime::after;
use crate::runtime::process;

/// Starts every background check of the engine. They stop with the engine.
pub(crate) fn start(engine: &Arc<Engine>) {
    engine.background_of.store(process::id(), Ordering::SeqCst);
    for check in &engine.checks {
        if let Some(period) = check.period {
            let task = repeat(engine.clone(), check.clone(), period);
            engine.spawn(Box::pin(task));
        }
    }
}

/// Starts the background checks of a child of a fork, if those of its parent were started. Their last results count
/// until then.
pub(super) fn start_again_after_fork(engine: &Arc<Engine>) {
    let started = &engine.background_of;
    let process = process::id();
    let former = started.load(Ordering::SeqCst);
    let exchange = || started.compare_exchange(former, process, Ordering::SeqCst, Ordering::SeqCst);
    if former != 0 && former != process && exchange().is_ok() {
        start(engine);
    }
}

pub(super) async fn repeat(engine: Arc<Engine>, check: Arc<RegisteredCheck>, period: Duration) {
    while engine.stopped().get().is_none() {
        let start = engine.clock().now();
        let arrival = engine.tokio_arrival();
        // Looked at before the execution: a release during it makes the check run once more.
        let release = engine.last_release.awaited();
        let run = Run::of_background(&engine, &check);
        run.launch();
        run.outcome().await;
        drop(run);
        let next = after(start, jittered(check.pause(period)));
        // A check that has missed its tokio runtime runs again as soon as there is one.
        let mut tokio = pin!(async {
            match &arrival {
                Some(arrival) => arrival.wait().await,
                None => pending().await,
            }
        });
        // What the check looks at may exist only since the start is over.
        let mut released = pin!(async {
            match release {
                Some(release) => release.wait().await,
                None => pending().await,
            }
        });
        let rerun = select(tokio.as_mut(), released.as_mut());
        let interrupted = select(engine.stopped().wait(), rerun);
        engine.clock().until(next, interrupted).await;
    }
}

/// Up to a tenth longer or shorter, so that hosts which started together do not run their checks together.
fn jittered(period: Duration) -> Duration {
    // From 0 to 1: the seed of a hash map is the only random number in the standard library.
    let chance = f64::from(RandomState::new().hash_one(()) as u32) / f64::from(u32::MAX);
    let factor = 0.9 + 0.2 * chance;
    Duration::try_from_secs_f64(period.as_secs_f64() * factor).unwrap_or(period)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::jittered;

    #[test]
    fn a_period_is_a_tenth_longer_or_shorter_at_most_and_never_the_same_for_all() {
        let period = Duration::from_secs(10);
        let jittered: Vec<_> = (0..100).map(|_| jittered(period)).collect();
        let expected = Duration::from_secs(9)..=Duration::from_secs(11);
        assert!(jittered.iter().all(|jittered| expected.contains(jittered)));
        assert!(jittered.iter().any(|other| *other != jittered[0]));
        assert!(super::jittered(Duration::MAX) > Duration::MAX / 2);
    }
}

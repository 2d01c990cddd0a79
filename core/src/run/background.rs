//! Checks that run in the background, once each period (H14).

use std::future::pending;
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
use crate::runtime::random::part_of;

/// Starts every background check of the engine. They stop with the engine.
pub(crate) fn start(engine: &Arc<Engine>) {
    engine.background_of.store(process::id(), Ordering::SeqCst);
    for check in &engine.checks {
        if let Some(period) = check.info.period {
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

/// Runs the check at once, and then again and again. Hosts that started together, or whose start was over together, would
/// run it together: so the first pause is only a random part of the period. Later pauses are up to a tenth longer or
/// shorter, so that hosts which run it together by chance do not stay together.
pub(super) async fn repeat(engine: Arc<Engine>, check: Arc<RegisteredCheck>, period: Duration) {
    let mut is_first = true;
    while engine.stopped().get().is_none() {
        let start = engine.clock().now();
        let arrival = engine.tokio_arrival();
        // Looked at before the execution: a release during it makes the check run once more.
        let release = engine.last_release.awaited();
        let run = Run::of_background(&engine, &check);
        run.launch();
        run.outcome().await;
        drop(run);
        let pause = check.pause(period);
        let next = if is_first {
            // Of the rest of the period: executions that end late must not end together in the next one.
            let now = engine.clock().now();
            // Never less than half of it: hosts whose executions all time out must not stay together.
            let rest = pause.saturating_sub(now.saturating_duration_since(start)).max(pause / 2);
            after(now, part_of(rest, 0.1..=1.0))
        } else {
            after(start, part_of(pause, 0.9..=1.1))
        };
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
        is_first = engine.clock().until(next, interrupted).await.is_some();
    }
}

//! Start-up latches: the application is not healthy until its start is over (H18).

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

/// A part of the start that must be done before the application gets traffic, such as migrations or a warm cache.
///
/// The endpoints show [`State::Starting`](crate::State::Starting) until every latch that
/// [the builder got](crate::HealthBuilder::latch) is released. Dropping a latch without releasing it, for example
/// through a panic or an early return, marks the start as failed: instead of starting, the endpoints show
/// [`State::Failing`](crate::State::Failing), permanently. A leaked latch keeps them in `Starting`; every log record
/// names it. An endpoint that ignores starting, such as a liveness endpoint, shows neither; a startup probe makes the
/// orchestrator restart the process.
///
/// ```
/// use health_core::{Endpoint, Health, StartupLatch, State};
/// # fn migrate() -> Result<(), std::io::Error> { Ok(()) }
///
/// let migrations = StartupLatch::new("migrations");
/// let health = Health::builder()
///     .endpoint(Endpoint::readiness("/ready"))
///     .latch(&migrations)
///     .build()?;
/// let ready = health.at("/ready").ok_or("it was added")?;
///
/// # futures::executor::block_on(async {
/// assert_eq!(ready.respond("").await.state(), State::Starting);
/// migrate()?; // an error drops the latch, which marks the start as failed
/// migrations.release();
/// assert_eq!(ready.respond("").await.state(), State::Ok);
/// # Ok::<(), std::io::Error>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use = "dropping a latch without releasing it marks the start as failed"]
pub struct StartupLatch(Arc<Latched>);

/// The state that a latch and the endpoints share.
pub(crate) struct Latched {
    pub(crate) name: String,
    progress: AtomicU8,
}

const PENDING: u8 = 0;
const RELEASED: u8 = 1;
const DROPPED: u8 = 2;

impl StartupLatch {
    /// Creates a latch that is not released. The log shows its name. An invalid name is an error when the endpoints are
    /// built.
    pub fn new(name: impl Into<String>) -> Self {
        Self(Arc::new(Latched { name: name.into(), progress: AtomicU8::new(PENDING) }))
    }

    /// Marks this part of the start as done.
    pub fn release(self) {
        self.0.progress.store(RELEASED, Ordering::Release);
    }

    pub(crate) fn shared(&self) -> Arc<Latched> {
        self.0.clone()
    }
}

impl Drop for StartupLatch {
    fn drop(&mut self) {
        // Fails if the latch was released, which is fine.
        let _ = self.0.progress.compare_exchange(
            PENDING,
            DROPPED,
            Ordering::Release,
            Ordering::Relaxed,
        );
    }
}

impl fmt::Debug for StartupLatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("StartupLatch").field(&self.0.name).finish()
    }
}

/// All latches of an application.
pub(crate) struct Gate(Vec<Arc<Latched>>);

impl Gate {
    pub(crate) fn new(latches: Vec<Arc<Latched>>) -> Self {
        Self(latches)
    }

    /// The latches that are not released: the dropped ones if there are any. `None` if all are released.
    pub(crate) fn unreleased(&self) -> Option<Unreleased> {
        let is_released = |latch: &Arc<Latched>| latch.progress.load(Ordering::Acquire) == RELEASED;
        if self.0.iter().all(is_released) {
            return None;
        }
        let named = |progress| -> Vec<String> {
            self.0
                .iter()
                .filter(|latch| latch.progress.load(Ordering::Acquire) == progress)
                .map(|latch| latch.name.clone())
                .collect()
        };
        // In this order: a latch that is dropped in between is found twice rather than not at all.
        let pending = named(PENDING);
        let dropped = named(DROPPED);
        // A dropped latch will never be released, whatever the others do.
        let (start, names) =
            if dropped.is_empty() { (Start::UnderWay, pending) } else { (Start::Failed, dropped) };
        (!names.is_empty()).then_some(Unreleased { start, names })
    }
}

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} latches", self.0.len())
    }
}

/// A start that is not over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unreleased {
    pub(crate) start: Start,
    /// The held latches, or, after a failed start, the dropped ones.
    pub(crate) names: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Start {
    UnderWay,
    Failed,
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::{Gate, Start, StartupLatch};

    fn start(gate: &Gate) -> Option<(Start, Vec<String>)> {
        let unreleased = gate.unreleased()?;
        Some((unreleased.start, unreleased.names))
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
        let [dropped, pending, released] =
            ["dropped", "pending", "released"].map(StartupLatch::new);
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
}

//! What the core asks of a runtime: the time, timers and tasks.

mod clock;
pub(crate) mod context;
mod executor;
pub(crate) mod guard;
#[cfg(all(test, health_loom))]
mod loom;
pub(crate) mod pool;
pub(crate) mod process;
pub(crate) mod promise;
pub(crate) mod standstill;
pub(crate) mod sync;
mod threads;
#[cfg(feature = "tokio")]
pub(crate) mod tokio;

use std::future::Future;
use std::pin::Pin;
use std::time::{Duration, Instant};

use futures::future::{Either, select};

pub use self::threads::ThreadRuntime;

/// A future that a [`Runtime`] is handed, or hands out.
pub type Task = Pin<Box<dyn Future<Output = ()> + Send>>;

/// The time, timers and tasks of the program that an endpoint is part of.
///
/// All time in the core comes from here, so that a test can bring a clock of its own. A program brings
/// none: without one the endpoints use [`ThreadRuntime`].
///
/// ```
/// use std::thread;
/// use std::time::Instant;
///
/// use futures::executor::block_on;
/// use health_core::{Health, Runtime, Task};
///
/// /// A thread for everything.
/// struct Lavish;
///
/// impl Runtime for Lavish {
///     fn now(&self) -> Instant {
///         Instant::now()
///     }
///
///     fn sleep_until(&self, deadline: Instant) -> Task {
///         let (wake, woken) = futures::channel::oneshot::channel();
///         thread::spawn(move || {
///             thread::sleep(deadline.saturating_duration_since(Instant::now()));
///             wake.send(())
///         });
///         Box::pin(async { woken.await.unwrap_or_default() })
///     }
///
///     fn spawn(&self, task: Task) {
///         thread::spawn(|| block_on(task));
///     }
/// }
///
/// let health = Health::builder()
///     .runtime(Lavish)
///     .check("database", || async { Ok::<(), String>(()) })
///     .build()?;
/// assert_eq!(block_on(health.respond("checks=all")).body(), "OK");
/// # Ok::<(), health_core::BuildError>(())
/// ```
pub trait Runtime: Send + Sync + 'static {
    /// The time, from a clock that never goes back.
    fn now(&self) -> Instant;

    /// A future that is done at `deadline`, or soon after. It may be dropped before, and it may be
    /// polled on any thread.
    fn sleep_until(&self, deadline: Instant) -> Task;

    /// Sees to it that `task` is polled to its end. It returns at once: nobody waits for the task.
    ///
    /// A check that blocks its thread blocks the one that polls it here. A task that is dropped before
    /// its end is an ERROR of the check it ran.
    fn spawn(&self, task: Task);
}

/// The moment `limit` after `start`; `None` where there is no such moment, which is no deadline.
pub(crate) fn after(start: Instant, limit: Duration) -> Option<Instant> {
    start.checked_add(limit)
}

/// Waits for `future` until `deadline`; `None` once that is over.
pub(crate) async fn until<F>(
    runtime: &dyn Runtime,
    deadline: Option<Instant>,
    future: F,
) -> Option<F::Output>
where
    F: Future + Unpin,
{
    let Some(deadline) = deadline else {
        return Some(future.await);
    };
    match select(future, runtime.sleep_until(deadline)).await {
        Either::Left((output, _)) => Some(output),
        Either::Right(((), _)) => None,
    }
}

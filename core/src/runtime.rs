//! The runtime: time, timers and tasks.

mod clock;
pub(crate) mod context;
mod executor;
pub(crate) mod guard;
#[cfg(all(test, health_loom))]
mod loom;
pub(crate) mod pool;
pub(crate) mod process;
pub(crate) mod promise;
pub(crate) mod random;
pub(crate) mod standstill;
pub(crate) mod sync;
mod threads;
#[cfg(feature = "tokio")]
pub(crate) mod tokio;

use std::future::Future;
use std::pin::Pin;
use std::time::{Duration, Instant, SystemTime};

use futures::future::{Either, select};

pub use self::threads::ThreadRuntime;

/// The type of futures that a [`Runtime`] runs or returns.
pub type Task = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Provides time, timers and tasks. [`HealthBuilder::runtime`](crate::HealthBuilder::runtime) takes it.
///
/// All time in this crate comes from here, so a test can control the clock. Programs rarely need their own runtime: by
/// default the endpoints use [`ThreadRuntime`].
///
/// ```
/// use std::thread;
/// use std::time::Instant;
///
/// use futures::executor::block_on;
/// use health_core::{Health, Runtime, Task};
///
/// /// Starts a thread for each task and each timer.
/// struct ThreadPerTask;
///
/// impl Runtime for ThreadPerTask {
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
///     .runtime(ThreadPerTask)
///     .check("database", || async { Ok::<(), String>(()) })
///     .build()?;
/// assert_eq!(block_on(health.respond("checks=all")).body(), "OK");
/// # Ok::<(), health_core::BuildError>(())
/// ```
pub trait Runtime: Send + Sync + 'static {
    /// Returns the time of a monotonic clock.
    fn now(&self) -> Instant;

    /// Returns the time of day, which [details](crate::Endpoint::details) show. Default: that of the system.
    fn system_time(&self) -> SystemTime {
        SystemTime::now()
    }

    /// Returns a future that is ready at `deadline`, or soon after. It may be dropped early and polled on any thread.
    fn sleep_until(&self, deadline: Instant) -> Task;

    /// Polls `task` to completion in the background. It must return without waiting for the task.
    ///
    /// A check that blocks its thread blocks the thread that polls `task`. If the runtime drops the task before it is
    /// done, the check that it executes is reported as an error.
    fn spawn(&self, task: Task);
}

/// `start` plus `limit`; `None`, which is no deadline, if an `Instant` cannot represent it.
pub(crate) fn after(start: Instant, limit: Duration) -> Option<Instant> {
    start.checked_add(limit)
}

/// Waits for `future`; `None` if `deadline` passes first.
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

//! Time, which comes from a runtime, so that tests control it.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::future::{Either, select};
use health_core::{Runtime, ThreadRuntime};

/// How long an indicator may take, unless it is told otherwise: a kubelet that waits 1 second reads the last result of a
/// background check.
pub(crate) const DEFAULT_TIMEOUT: Duration = Duration::from_secs(2);

/// The clock and timers of an indicator.
#[derive(Clone)]
pub(crate) struct Clock(Arc<dyn Runtime>);

impl Default for Clock {
    fn default() -> Self {
        Self::of(ThreadRuntime)
    }
}

impl Clock {
    pub(crate) fn of(runtime: impl Runtime) -> Self {
        Self(Arc::new(runtime))
    }

    pub(crate) fn now(&self) -> Instant {
        self.0.now()
    }

    /// Waits for `time`; without end if no clock shows it.
    pub(crate) async fn sleep(&self, time: Duration) {
        match self.now().checked_add(time) {
            Some(end) => self.0.sleep_until(end).await,
            None => std::future::pending().await,
        }
    }

    /// Waits for `future`; `None` if `limit` passes first, and then drops it.
    pub(crate) async fn within<F: Future>(&self, limit: Duration, future: F) -> Option<F::Output> {
        match select(pin!(future), pin!(self.sleep(limit))).await {
            Either::Left((output, _)) => Some(output),
            Either::Right(((), _)) => None,
        }
    }
}

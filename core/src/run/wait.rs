//! Waiting for a run, and ending it in time.

use std::sync::Arc;
use std::time::Instant;

use super::clock::Clock;
use crate::runtime::promise::Promise;

/// A run as seen by a request or run that waits for it. Its tasks end it in time, unless their threads are blocked;
/// then the waiting side closes what is overdue.
pub(super) trait Overdue: Send + Sync {
    /// The time at which the next check is overdue; `None` if none will be.
    fn overdue_at(&self) -> Option<Instant>;

    /// Ends all checks that are overdue.
    fn close_overdue(self: Arc<Self>);
}

/// Waits for a value that `run` sets.
pub(super) async fn wait_for<T: Clone>(
    value: &Promise<T>,
    run: &Arc<dyn Overdue>,
    clock: &Clock,
) -> T {
    loop {
        if let Some(value) = clock.within(|| run.overdue_at(), value.wait()).await {
            return value;
        }
        run.clone().close_overdue();
    }
}

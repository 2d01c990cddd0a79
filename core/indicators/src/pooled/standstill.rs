//! How long nothing has returned to a saturated pool.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Remembers since when all tests found the pool saturated, with the same total of returned connections.
#[derive(Default)]
pub(super) struct Standstill(Mutex<Option<Unchanged>>);

struct Unchanged {
    since: Instant,
    returned: u64,
}

impl Standstill {
    fn lock(&self) -> MutexGuard<'_, Option<Unchanged>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes a look at the saturated pool. Returns how long the total has been the same; `None` if this is the first look
    /// that found it, or if it is not known.
    pub(super) fn observe(&self, now: Instant, returned: Option<u64>) -> Option<Duration> {
        let mut unchanged = self.lock();
        match (&*unchanged, returned) {
            (Some(before), Some(returned)) if before.returned == returned => {
                Some(now.saturating_duration_since(before.since))
            }
            _ => {
                *unchanged = returned.map(|returned| Unchanged { since: now, returned });
                None
            }
        }
    }

    /// Notes that the pool is not saturated.
    pub(super) fn end(&self) {
        *self.lock() = None;
    }
}

//! Time that ends with the server.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// Clones are of the same one.
#[derive(Debug, Clone, Default)]
pub(crate) struct Clock(Arc<AtomicBool>);

impl Clock {
    pub(crate) fn end(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// Sleeps, but not longer than the server runs.
    pub(crate) fn pause(&self, time: Duration) {
        let start = Instant::now();
        while !self.has_ended() {
            let left = time.saturating_sub(start.elapsed());
            if left.is_zero() {
                break;
            }
            thread::sleep(left.min(Duration::from_millis(10)));
        }
    }

    /// Sleeps while it is so, and not longer than the server runs.
    pub(crate) fn wait_while(&self, is_so: impl Fn() -> bool) {
        while is_so() && !self.has_ended() {
            self.pause(Duration::from_millis(10));
        }
    }
}

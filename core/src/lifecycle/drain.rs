//! The end of a process, told to the pollers before it comes (H20).

use std::sync::atomic::{AtomicBool, Ordering};

/// Whether the process is about to end. Nothing can take it back.
#[derive(Debug, Default)]
pub(crate) struct Drain(AtomicBool);

impl Drain {
    pub(crate) fn begin(&self) {
        self.0.store(true, Ordering::Release);
    }

    pub(crate) fn has_begun(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

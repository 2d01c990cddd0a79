//! A problem that lasts, and is logged once.

use std::sync::atomic::{AtomicBool, Ordering};

/// Whether an episode is under way.
#[derive(Debug, Default)]
pub(super) struct Episode(AtomicBool);

impl Episode {
    /// Notes a problem. Returns whether an episode begins with it.
    pub(super) fn begins(&self) -> bool {
        !self.0.swap(true, Ordering::Relaxed)
    }

    /// Ends the episode, if one is under way.
    pub(super) fn end(&self) {
        remember(&self.0, false);
    }
}

/// Reads first: a store on every request would make the cores share one cache line.
pub(super) fn remember(flag: &AtomicBool, value: bool) {
    if flag.load(Ordering::Relaxed) != value {
        flag.store(value, Ordering::Relaxed);
    }
}

//! A lasting problem, which is logged once.

use std::sync::atomic::{AtomicBool, Ordering};

/// Whether an episode is under way.
#[derive(Debug, Default)]
pub(super) struct Episode(AtomicBool);

impl Episode {
    /// Notes a problem. Returns whether it begins an episode.
    pub(super) fn begins(&self) -> bool {
        !self.0.swap(true, Ordering::Relaxed)
    }

    /// Ends the episode, if one is under way.
    pub(super) fn end(&self) {
        remember(&self.0, false);
    }
}

/// Reads first, because a store on every request would make all cores contend for one cache line.
pub(super) fn remember(flag: &AtomicBool, value: bool) {
    if flag.load(Ordering::Relaxed) != value {
        flag.store(value, Ordering::Relaxed);
    }
}

//! The drain of an application: pollers learn that the process will stop before it does (H20).

use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use super::drain_moment::{DrainMoment, Told};
use super::pollers::Pollers;
use crate::runtime::after;

/// Whether the process is about to stop, which cannot be undone, and what the end of the drain depends on.
#[derive(Debug, Default)]
pub(crate) struct DrainState {
    /// Apart from the time, so that a request reads one byte.
    flags: AtomicU8,
    began: OnceLock<Instant>,
    /// The latest end of the drain that has begun.
    #[cfg(feature = "details")]
    ends: OnceLock<Instant>,
    begun: Arc<Told>,
    deadline: Arc<Told>,
    ended: Arc<Told>,
    /// How many calls of `drain_when` have not returned.
    waits: AtomicUsize,
    /// How many requests of the application are active.
    active: AtomicUsize,
    pub(crate) pollers: Pollers,
}

/// The drain has begun.
const DRAINING: u8 = 1;

/// The drain may end early, so its pollers are remembered.
const REMEMBERS_POLLERS: u8 = 2;

/// The drain that has begun has a maximum.
const HAS_DEADLINE: u8 = 4;

impl DrainState {
    /// Of several drains, the first counts.
    pub(crate) fn begin(&self, now: Instant) {
        let _ = self.began.set(now);
        // Before `waits` is read: the last wait reads this after it has left.
        self.flags.fetch_or(DRAINING, Ordering::SeqCst);
        self.begun.tell();
        if self.waits.load(Ordering::SeqCst) == 0 {
            self.ended.tell();
        }
    }

    pub(crate) fn add_wait(&self) {
        self.waits.fetch_add(1, Ordering::SeqCst);
    }

    pub(crate) fn remove_wait(&self) {
        let is_last = self.waits.fetch_sub(1, Ordering::SeqCst) == 1;
        if is_last && self.flags.load(Ordering::SeqCst) & DRAINING != 0 {
            self.ended.tell();
        }
    }

    #[inline]
    pub(crate) fn has_begun(&self) -> bool {
        self.flags.load(Ordering::Acquire) & DRAINING != 0
    }

    /// Whether a request needs to look no further: no drain has begun, and no poller is remembered.
    #[inline]
    pub(crate) fn is_idle(&self) -> bool {
        self.flags.load(Ordering::Acquire) == 0
    }

    pub(crate) fn began(&self) -> Option<Instant> {
        self.began.get().copied()
    }

    /// The latest moment at which the server may stop, if that is known.
    #[cfg(feature = "details")]
    pub(crate) fn ends(&self) -> Option<Instant> {
        self.ends.get().copied()
    }

    /// Of several drains, the first counts.
    #[cfg(feature = "details")]
    pub(crate) fn ends_at(&self, end: Option<Instant>) {
        if let Some(end) = end {
            let _ = self.ends.set(end);
        }
    }

    pub(crate) fn remember_pollers(&self, failure_threshold: u32) {
        self.pollers.expect(failure_threshold);
        self.flags.fetch_or(REMEMBERS_POLLERS, Ordering::Release);
    }

    #[inline]
    pub(crate) fn remembers_pollers(&self) -> bool {
        self.flags.load(Ordering::Relaxed) & REMEMBERS_POLLERS != 0
    }

    pub(crate) fn draining(&self) -> DrainMoment {
        DrainMoment::new(self.begun.clone())
    }

    pub(crate) fn deadline(&self) -> DrainMoment {
        DrainMoment::new(self.deadline.clone())
    }

    pub(crate) fn end(&self) -> DrainMoment {
        DrainMoment::new(self.ended.clone())
    }

    pub(crate) fn has_deadline(&self) -> bool {
        self.flags.load(Ordering::Acquire) & HAS_DEADLINE != 0
    }

    /// The moment that ends the last requests of a drain with this maximum, and a handle to tell them.
    pub(crate) fn deadline_after(&self, at_most: Duration) -> Option<(Instant, Arc<Told>)> {
        let deadline = after(self.began()?, at_most)?;
        self.flags.fetch_or(HAS_DEADLINE, Ordering::Release);
        Some((deadline, self.deadline.clone()))
    }

    #[inline]
    pub(crate) fn add_active(&self) {
        self.active.fetch_add(1, Ordering::Relaxed);
    }

    #[inline]
    pub(crate) fn remove_active(&self) {
        self.active.fetch_sub(1, Ordering::Release);
    }

    pub(crate) fn active(&self) -> usize {
        let active = self.active.load(Ordering::Acquire);
        // Below zero: an adapter has ended a request twice. Then this must not hold a drain.
        if active > usize::MAX / 2 { 0 } else { active }
    }
}

impl Drop for DrainState {
    fn drop(&mut self) {
        for told in [&self.begun, &self.deadline, &self.ended] {
            // Without another holder, no task waits.
            if Arc::strong_count(told) > 1 {
                told.tell();
            }
        }
    }
}

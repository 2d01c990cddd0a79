//! The drain: pollers learn that the process will stop before it does (H20).

use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use futures::{FutureExt, Stream, StreamExt, stream};

use super::drain_moment::{DrainMoment, Told};

/// Whether the process is about to stop. It cannot be undone.
#[derive(Debug, Default)]
pub(crate) struct Drain {
    /// Apart from the time, so that a request reads one flag.
    has_begun: AtomicBool,
    began: OnceLock<Instant>,
    told: Arc<Told>,
}

impl Drain {
    /// Of several drains, the first counts.
    pub(crate) fn begin(&self, now: Instant) {
        let _ = self.began.set(now);
        self.has_begun.store(true, Ordering::Release);
        self.told.tell();
    }

    pub(crate) fn has_begun(&self) -> bool {
        self.has_begun.load(Ordering::Acquire)
    }

    pub(crate) fn began(&self) -> Option<Instant> {
        self.began.get().copied()
    }

    pub(crate) fn draining(&self) -> DrainMoment {
        DrainMoment::new(self.told.clone())
    }
}

impl Drop for Drain {
    fn drop(&mut self) {
        // Without another holder, no task waits.
        if Arc::strong_count(&self.told) > 1 {
            self.told.tell();
        }
    }
}

/// A signal for [`Health::drain_when`](crate::Health::drain_when): every [`Future`] and every [`Stream`] is one. The
/// compiler infers `Kind`, which keeps the two apart.
pub trait DrainSignal<Kind> {
    /// The signal as a stream; the second item of a stream skips the delay.
    fn into_stream(self) -> impl Stream<Item = ()> + Send;
}

/// The kind of a [`DrainSignal`] that is a future.
#[derive(Debug)]
pub enum FutureSignal {}

/// The kind of a [`DrainSignal`] that is a stream.
#[derive(Debug)]
pub enum StreamSignal {}

impl<F: Future + Send> DrainSignal<FutureSignal> for F {
    fn into_stream(self) -> impl Stream<Item = ()> + Send {
        stream::once(FutureExt::map(self, drop))
    }
}

impl<S: Stream + Send> DrainSignal<StreamSignal> for S {
    fn into_stream(self) -> impl Stream<Item = ()> + Send {
        StreamExt::map(self, drop)
    }
}

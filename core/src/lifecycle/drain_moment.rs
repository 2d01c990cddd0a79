//! Tells handlers that a drain has begun, that it has ended, or that its time is over (H27).

#[cfg(all(test, health_loom))]
mod loom;

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll};

use crate::runtime::process::{self, PerProcess};
use crate::runtime::promise::Promise;
use crate::runtime::sync::AtomicBool;

/// Completes at a moment of a drain; at once if it has passed. [`Health::draining`](crate::Health::draining) returns
/// the one for the beginning, [`Health::drain_end`](crate::Health::drain_end) that for the end, and
/// [`Health::drain_deadline`](crate::Health::drain_deadline) that for the deadline.
///
/// It also completes when the last clone of the [`Health`](crate::Health) is dropped: no drain can begin any more, and
/// what waits for one must not wait forever. It does not keep the `Health` alive. Clones are cheap, and so is a poll.
#[must_use = "it does nothing until it is polled"]
pub struct DrainMoment {
    told: Arc<Told>,
    place: Option<Place>,
}

/// Among those that wait in a process.
#[derive(Clone, Copy)]
struct Place {
    process: u32,
    number: u64,
}

/// Whether those that wait are told, and who waits.
#[derive(Debug)]
pub(crate) struct Told {
    /// Apart from the promise: what was told before a fork is true in the child.
    is_told: AtomicBool,
    /// The child of a fork must not take the lock of its parent.
    promise: PerProcess<Promise<()>>,
}

impl Default for Told {
    fn default() -> Self {
        Self { is_told: AtomicBool::new(false), promise: PerProcess::new() }
    }
}

impl Told {
    /// Completes each [`DrainMoment`].
    pub(crate) fn tell(&self) {
        self.is_told.store(true, Ordering::Release);
        self.promise.get_or_make(Promise::default).set(());
    }
}

impl DrainMoment {
    pub(super) fn new(told: Arc<Told>) -> Self {
        Self { told, place: None }
    }
}

impl Future for DrainMoment {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        if this.told.is_told.load(Ordering::Acquire) {
            return Poll::Ready(());
        }
        let process = process::id();
        let mut number =
            this.place.filter(|place| place.process == process).map(|place| place.number);
        let promise = this.told.promise.get_or_make_in(process, Promise::default);
        let polled = promise.poll(&mut number, context.waker());
        this.place = number.map(|number| Place { process, number });
        polled
    }
}

impl Clone for DrainMoment {
    fn clone(&self) -> Self {
        Self::new(self.told.clone())
    }
}

impl Drop for DrainMoment {
    fn drop(&mut self) {
        let Some(place) = self.place else {
            return;
        };
        let promise = self.told.promise.get();
        if let Some(promise) = promise.filter(|_| place.process == process::id()) {
            promise.leave(place.number);
        }
    }
}

impl fmt::Debug for DrainMoment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_told = self.told.is_told.load(Ordering::Acquire);
        f.debug_struct("DrainMoment").field("is_told", &is_told).finish_non_exhaustive()
    }
}

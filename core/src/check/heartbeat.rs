//! Heartbeats: loops and workers that show that they make progress.

#[cfg(all(test, health_loom))]
mod loom;
mod reader;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

pub(crate) use self::reader::BeatReader;
use super::{Check, Work};
use crate::runtime::sync::{AtomicUsize, Mutex, lock};

/// The longest period of a heartbeat's check.
const MAX_PERIOD: Duration = Duration::from_secs(5);

/// The shortest period of a heartbeat's check.
const MIN_PERIOD: Duration = Duration::from_millis(1);

/// The heartbeat of a loop or worker: it fails if the worker hangs, ends or panics.
///
/// The worker calls [`beat`](Self::beat) in each round, and [`Check::heartbeat`] looks whether it does. Clones belong to
/// the same worker: a beat of one counts for all. Give each worker its own heartbeat, and move the heartbeat into
/// the worker, so that the end of the worker drops it. A worker that ends on purpose fails like one that panics.
///
/// ```
/// use std::thread;
/// use std::time::Duration;
///
/// use health_core::{Check, Endpoint, Health, Heartbeat};
/// # use std::sync::mpsc::channel;
/// # let (_sender, jobs) = channel::<u32>();
/// # fn import() {}
///
/// let heartbeat = Heartbeat::new("consumer", Duration::from_secs(30));
/// let health = Health::builder()
///     .register(Check::heartbeat(&heartbeat))
///     .endpoint(Endpoint::liveness("/live").only_checks(["consumer"]))
///     .build()?;
///
/// thread::spawn(move || {
///     loop {
///         heartbeat.beat();
///         // A worker that waits must beat too, so it waits for less than the expiry.
///         if jobs.recv_timeout(Duration::from_secs(5)).is_ok() {
///             let _busy = heartbeat.busy(Duration::from_secs(600));
///             import(); // may take ten minutes
///         }
///         # break;
///     }
/// });
/// # Ok::<(), health_core::BuildError>(())
/// ```
#[derive(Clone)]
pub struct Heartbeat(Arc<Pulse>);

/// What the handles of a worker share with its check.
struct Pulse {
    name: String,
    expiry: Duration,
    /// The number of beats. It may wrap.
    beats: AtomicUsize,
    long_work: Mutex<LongWork>,
}

/// The guards that are held.
#[derive(Default)]
struct LongWork {
    /// The limit of each guard, by its number.
    limits: BTreeMap<u64, Duration>,
    next: u64,
}

impl Heartbeat {
    /// Creates a heartbeat that has not started. `name` is the name of its check; `expiry` is the longest time between
    /// two beats. An invalid name and an expiry of zero are errors when the endpoints are built.
    pub fn new(name: impl Into<String>, expiry: Duration) -> Self {
        Self(Arc::new(Pulse {
            name: name.into(),
            expiry,
            beats: AtomicUsize::new(0),
            long_work: Mutex::default(),
        }))
    }

    /// Shows that the worker makes progress. It costs one atomic addition: it takes no lock and reads no clock.
    pub fn beat(&self) {
        self.0.beats.fetch_add(1, Ordering::Relaxed);
    }

    /// Announces work during which the worker cannot beat. While the guard is held, `limit` from now replaces the expiry;
    /// beats do not extend it. Dropping the guard counts as a beat. If several guards are held, each has its own limit.
    pub fn busy(&self, limit: Duration) -> BusyGuard {
        self.beat();
        let mut work = lock(&self.0.long_work);
        let number = work.next;
        work.next += 1;
        work.limits.insert(number, limit);
        drop(work);
        BusyGuard { pulse: self.0.clone(), number }
    }
}

impl fmt::Debug for Heartbeat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Heartbeat").field(&self.0.name).finish()
    }
}

/// Long work of a worker, until it is dropped. [`Heartbeat::busy`] returns it.
#[must_use = "dropping the guard ends the long work"]
pub struct BusyGuard {
    pulse: Arc<Pulse>,
    number: u64,
}

impl Drop for BusyGuard {
    fn drop(&mut self) {
        // The beat first: a look between the two must not find a worker that is silent since the work began.
        self.pulse.beats.fetch_add(1, Ordering::Relaxed);
        lock(&self.pulse.long_work).limits.remove(&self.number);
    }
}

impl fmt::Debug for BusyGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("BusyGuard").field(&self.pulse.name).finish()
    }
}

impl Check {
    /// The check of a [`Heartbeat`], under its name. It fails
    ///
    /// - before the first beat: `not started yet`;
    /// - when the expiry, or the limit of a [guard](Heartbeat::busy), has passed without a beat: `expired`;
    /// - when the last handle and guard are dropped, for example because the worker panicked: `dropped`.
    ///
    /// The check is [`process_only`](Self::process_only) and runs [in the background](Self::every). Default: four times
    /// per expiry, and every 5 seconds if the expiry is longer than 20 seconds. An expiry is never reported early, and at
    /// most 2.2 periods late. If the whole process stood still, the worker gets its expiry again
    /// ([H14](crate::contract#h14)).
    ///
    /// A period that is longer than the expiry is an error when the endpoints are built.
    pub fn heartbeat(heartbeat: &Heartbeat) -> Self {
        let reader = BeatReader::of(heartbeat);
        let period = (reader.expiry / 4).clamp(MIN_PERIOD, MAX_PERIOD);
        let name = heartbeat.0.name.clone();
        Self::described(name, Work::Heartbeat(reader)).every(period).process_only()
    }
}

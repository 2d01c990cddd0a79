//! Locks, condition variables and threads, and atomics whose orders matter. Only this module imports them from the
//! standard library. Under `--cfg health_loom` the unit tests use those of loom, which tries every order of the threads
//! (see `docs/design.md`).

#[cfg(all(test, health_loom))]
use loom::{sync as imp, thread};
use std::io;
use std::sync::{PoisonError, TryLockError};
use std::time::{Duration, Instant};
#[cfg(not(all(test, health_loom)))]
use std::{sync as imp, thread};

pub(crate) use imp::atomic::{AtomicBool, AtomicU8, AtomicUsize, fence};
pub(crate) use imp::{Mutex, MutexGuard};

/// Locks, and ignores poisoning: the data behind these locks is consistent whenever they are released.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Locks if the lock is free. A child of a fork may find a lock held forever, by a thread that only its parent has.
pub(crate) fn try_lock<T>(mutex: &Mutex<T>) -> Option<MutexGuard<'_, T>> {
    match mutex.try_lock() {
        Ok(guard) => Some(guard),
        Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
        Err(TryLockError::WouldBlock) => None,
    }
}

/// A condition variable that ignores poisoned locks, as [`lock`] does.
#[derive(Default)]
pub(crate) struct Condvar(imp::Condvar);

impl Condvar {
    /// Waits for a notification, at most for `limit`. Returns whether it timed out.
    ///
    /// loom has no time: under loom, zero times out immediately, and any other limit never does.
    pub(crate) fn wait_timeout<'a, T>(
        &self,
        guard: MutexGuard<'a, T>,
        limit: Duration,
    ) -> (MutexGuard<'a, T>, bool) {
        if cfg!(all(test, health_loom)) && limit.is_zero() {
            return (guard, true);
        }
        let waited = self.0.wait_timeout(guard, limit);
        let (guard, timeout) = waited.unwrap_or_else(PoisonError::into_inner);
        (guard, timeout.timed_out())
    }

    /// Wakes one waiting thread.
    pub(crate) fn notify_one(&self) {
        self.0.notify_one();
    }

    /// Wakes all waiting threads.
    pub(crate) fn notify_all(&self) {
        self.0.notify_all();
    }
}

/// Starts a detached thread.
///
/// # Errors
///
/// The system cannot start another thread.
pub(crate) fn spawn_thread(name: &str, body: impl FnOnce() + Send + 'static) -> io::Result<()> {
    // The default stack size: an overflow would end the process, and untouched pages cost nothing.
    let thread = thread::Builder::new().name(name.to_owned());
    thread.spawn(body).map(drop)
}

/// The current time. Under loom it yields to another thread first, so that code which waits for a time does not spin.
pub(crate) fn now() -> Instant {
    #[cfg(all(test, health_loom))]
    thread::yield_now();
    Instant::now()
}

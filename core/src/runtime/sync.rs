//! Locks, condition variables and threads: the one module that imports them from the standard library. Under
//! `--cfg health_loom` the unit tests use loom's instead, which tries every order in which threads can meet (see
//! `docs/design.md`).

#[cfg(all(test, health_loom))]
use loom::{sync as imp, thread};
use std::io;
use std::sync::PoisonError;
use std::time::{Duration, Instant};
#[cfg(not(all(test, health_loom)))]
use std::{sync as imp, thread};

pub(crate) use imp::{Mutex, MutexGuard};

/// Locks, also after a panic: the data behind these locks is whole whenever they are released.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A condition variable that ignores poisoned locks, as [`lock`] does.
#[derive(Default)]
pub(crate) struct Condvar(imp::Condvar);

impl Condvar {
    /// Waits for a notification, for `limit` at most; whether that is over.
    ///
    /// loom knows no time: there a limit of zero is over at once, and any other never.
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

    /// Wakes one thread that waits.
    pub(crate) fn notify_one(&self) {
        self.0.notify_one();
    }

    /// Wakes all threads that wait.
    pub(crate) fn notify_all(&self) {
        self.0.notify_all();
    }
}

/// Starts a detached thread.
///
/// # Errors
///
/// The system has no room for another thread.
pub(crate) fn spawn_thread(name: &str, body: impl FnOnce() + Send + 'static) -> io::Result<()> {
    // The usual stack: an overflow would end the process, and untouched pages cost nothing.
    let thread = thread::Builder::new().name(name.to_owned());
    thread.spawn(body).map(drop)
}

/// The time. Under loom another thread runs first, if one can: code that waits for a time does not spin.
pub(crate) fn now() -> Instant {
    #[cfg(all(test, health_loom))]
    thread::yield_now();
    Instant::now()
}

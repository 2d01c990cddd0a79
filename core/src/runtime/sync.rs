//! Locks. Under `--cfg health_loom` the unit tests take loom's, which tries every order in which
//! threads can meet (see `docs/design.md`).

#[cfg(all(test, health_loom))]
use loom::sync as imp;
#[cfg(not(all(test, health_loom)))]
use std::sync as imp;

pub(crate) use imp::{Mutex, MutexGuard};
use std::sync::PoisonError;

/// Locks, also after a panic: what is behind these locks is whole whenever they are released.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

//! A value that is set once, for any number of waiting tasks.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use crate::runtime::sync::{Mutex, lock};

/// A value that is set once. Later values are dropped.
#[derive(Debug)]
pub(crate) struct Promise<T>(Mutex<State<T>>);

#[derive(Debug)]
struct State<T> {
    value: Option<T>,
    /// By the number of the wait, so that a wait which is dropped removes its waker.
    wakers: BTreeMap<u64, Waker>,
    waits: u64,
}

impl<T> Default for Promise<T> {
    fn default() -> Self {
        Self(Mutex::new(State { value: None, wakers: BTreeMap::new(), waits: 0 }))
    }
}

impl<T: Clone> Promise<T> {
    /// Sets the value and wakes all waiting tasks. Returns `false` if it was set before.
    pub(crate) fn set(&self, value: T) -> bool {
        let mut state = lock(&self.0);
        if state.value.is_some() {
            return false;
        }
        state.value = Some(value);
        let wakers = std::mem::take(&mut state.wakers);
        // A waker may run code of the application, so the lock is released first.
        drop(state);
        wakers.into_values().for_each(Waker::wake);
        true
    }

    /// The value, if it is set.
    pub(crate) fn get(&self) -> Option<T> {
        lock(&self.0).value.clone()
    }

    /// Waits for the value. Dropping the wait does not affect others.
    pub(crate) fn wait(&self) -> Wait<'_, T> {
        Wait { promise: self, number: None }
    }

    /// Polls the wait of this number. A first poll without a number sets it; then [`leave`](Self::leave) must be called.
    pub(crate) fn poll(&self, number: &mut Option<u64>, waker: &Waker) -> Poll<T> {
        let mut state = lock(&self.0);
        if let Some(value) = &state.value {
            return Poll::Ready(value.clone());
        }
        let place = number.unwrap_or(state.waits);
        if number.is_none() {
            state.waits += 1;
        }
        let former = state.wakers.insert(place, waker.clone());
        drop(state);
        drop(former);
        *number = Some(place);
        Poll::Pending
    }
}

impl<T> Promise<T> {
    /// Ends the wait of this number.
    pub(crate) fn leave(&self, number: u64) {
        let waker = lock(&self.0).wakers.remove(&number);
        // It may run code of the application when dropped: the lock is released.
        drop(waker);
    }
}

/// See [`Promise::wait`].
#[derive(Debug)]
pub(crate) struct Wait<'a, T> {
    promise: &'a Promise<T>,
    number: Option<u64>,
}

impl<T: Clone> Future for Wait<'_, T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        let promise = self.promise;
        promise.poll(&mut self.number, context.waker())
    }
}

impl<T> Drop for Wait<'_, T> {
    fn drop(&mut self) {
        if let Some(number) = self.number {
            self.promise.leave(number);
        }
    }
}

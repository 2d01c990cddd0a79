//! Timers without a runtime: one thread that sleeps until the next of them is due.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::task::Waker;
use std::time::{Duration, Instant};

use crate::runtime::guard::catch;
use crate::runtime::sync::{Condvar, Mutex, lock, now, spawn_thread};

/// Wakes tasks at their time. Dropping it ends its thread, and no timer wakes anything any more.
///
/// Its thread runs nothing but wakers. It starts with a timer, and ends some time after the last one.
pub(super) struct Clock(Arc<Shared>);

struct Shared {
    /// How long the thread waits for another timer before it ends.
    patience: Duration,
    state: Mutex<State>,
    changed: Condvar,
}

/// When a timer is due; the number tells timers of the same time apart.
pub(super) type Timer = (Instant, u64);

#[derive(Default)]
struct State {
    timers: BTreeMap<Timer, Waker>,
    next: u64,
    is_running: bool,
    is_closed: bool,
}

impl State {
    fn first_due(&self) -> Option<Instant> {
        self.timers.first_key_value().map(|((due, _), _)| *due)
    }
}

impl Clock {
    pub(super) fn new(patience: Duration) -> Self {
        Self(Arc::new(Shared { patience, state: Mutex::default(), changed: Condvar::default() }))
    }

    /// Wakes `waker` at `due`.
    pub(super) fn set(&self, due: Instant, waker: Waker) -> Timer {
        let mut state = lock(&self.0.state);
        let timer = (due, state.next);
        state.next += 1;
        state.timers.insert(timer, waker);
        if !state.is_running {
            let shared = self.0.clone();
            // Where no thread can be had, the next timer tries again.
            state.is_running = spawn_thread("health-clock", move || shared.run()).is_ok();
        } else if state.timers.first_key_value().map(|(first, _)| *first) == Some(timer) {
            self.0.changed.notify_one();
        }
        timer
    }

    /// Takes a timer back, if it is not over.
    pub(super) fn unset(&self, timer: Timer) {
        let waker = lock(&self.0.state).timers.remove(&timer);
        // A waker is foreign code: it is dropped behind the lock.
        drop(waker);
    }
}

impl Drop for Clock {
    fn drop(&mut self) {
        let mut state = lock(&self.0.state);
        state.is_closed = true;
        let timers = std::mem::take(&mut state.timers);
        drop(state);
        self.0.changed.notify_one();
        let _ = catch(|| drop(timers));
    }
}

impl Shared {
    fn run(&self) {
        let mut state = lock(&self.state);
        while !state.is_closed {
            let now = now();
            let (wait, is_idle) = match state.first_due() {
                Some(due) if due <= now => {
                    let waker = state.timers.pop_first();
                    drop(state);
                    let _ = catch(|| waker.map(|(_, waker)| waker.wake()));
                    state = lock(&self.state);
                    continue;
                }
                Some(due) => (due - now, false),
                None => (self.patience, true),
            };
            let is_over;
            (state, is_over) = self.changed.wait_timeout(state, wait);
            if is_over && is_idle && state.timers.is_empty() {
                state.is_running = false;
                return;
            }
        }
    }
}

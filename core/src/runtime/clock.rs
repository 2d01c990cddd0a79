//! Timers without a runtime: one thread sleeps until the next timer is due.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::task::Waker;
use std::time::{Duration, Instant};

use crate::runtime::guard::catch;
use crate::runtime::sync::{Condvar, Mutex, lock, now, spawn_thread};

/// Wakes tasks when their timers are due. Dropping it ends its thread and cancels all timers.
///
/// Its thread runs only wakers. It starts with the first timer, and ends some time after the last one.
pub(super) struct Clock(Arc<Shared>);

struct Shared {
    /// How long the thread waits for another timer before it ends.
    patience: Duration,
    state: Mutex<State>,
    changed: Condvar,
}

/// The time of a timer; the number distinguishes timers with the same time.
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
            // If no thread can be started, the next timer tries again.
            state.is_running = spawn_thread("health-clock", move || shared.run()).is_ok();
        } else if state.timers.first_key_value().map(|(first, _)| *first) == Some(timer) {
            self.0.changed.notify_one();
        }
        timer
    }

    /// Cancels a timer that is not due yet.
    pub(super) fn unset(&self, timer: Timer) {
        let waker = lock(&self.0.state).timers.remove(&timer);
        // A waker may run code of the application when dropped, so the lock is released first.
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

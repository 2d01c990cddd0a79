//! Timers without a runtime: one thread that sleeps until the next of them is due.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Condvar, LazyLock, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::Instant;

use crate::runtime::guard::catch;

/// The process's clock. Its thread starts with the first timer and never ends; it runs nothing but
/// wakers.
static CLOCK: LazyLock<Clock> = LazyLock::new(Clock::default);

#[derive(Default)]
struct Clock {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// By the time they are due; the number keeps two of one time apart.
    timers: BTreeMap<(Instant, u64), Waker>,
    next: u64,
    is_running: bool,
}

impl Clock {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&'static self, due: Instant, waker: Waker) -> (Instant, u64) {
        let mut state = self.lock();
        let timer = (due, state.next);
        state.next += 1;
        state.timers.insert(timer, waker);
        if !state.is_running {
            let thread = thread::Builder::new().name("health-clock".to_owned());
            // Where no thread can be had, the next timer tries again.
            state.is_running = thread.spawn(|| self.run()).is_ok();
        } else if state.timers.first_key_value().map(|(first, _)| *first) == Some(timer) {
            self.changed.notify_one();
        }
        timer
    }

    fn run(&self) {
        let mut state = self.lock();
        loop {
            let now = Instant::now();
            state = match state.timers.first_entry() {
                Some(first) if first.key().0 <= now => {
                    let waker = first.remove();
                    drop(state);
                    let _ = catch(|| waker.wake());
                    self.lock()
                }
                Some(first) => {
                    let wait = first.key().0 - now;
                    let woken = self.changed.wait_timeout(state, wait);
                    woken.unwrap_or_else(PoisonError::into_inner).0
                }
                None => {
                    let woken = self.changed.wait(state);
                    woken.unwrap_or_else(PoisonError::into_inner)
                }
            };
        }
    }
}

/// Wakes `waker` at `due`.
pub(super) fn wake_at(due: Instant, waker: Waker) {
    CLOCK.set(due, waker);
}

/// A future that is done at its time.
pub(super) struct Sleep {
    due: Instant,
    timer: Option<(Instant, u64)>,
}

impl Sleep {
    pub(super) fn until(due: Instant) -> Self {
        Self { due, timer: None }
    }

    fn unset(&mut self) {
        if let Some(timer) = self.timer.take() {
            let waker = CLOCK.lock().timers.remove(&timer);
            // A waker is foreign code: it is dropped behind the lock.
            drop(waker);
        }
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        self.unset();
        if Instant::now() >= self.due {
            return Poll::Ready(());
        }
        let due = self.due;
        self.timer = Some(CLOCK.set(due, context.waker().clone()));
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        self.unset();
    }
}

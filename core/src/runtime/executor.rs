//! Polls tasks on a thread of the library's own, and on another while one of them blocks it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::time::{Duration, Instant};

use super::{Task, clock};
use crate::runtime::guard::catch;
use crate::runtime::pool::Pool;

/// The process's executor: one thread, as long as no task blocks it.
static EXECUTOR: LazyLock<Pool> = LazyLock::new(|| Pool::growing("health-checks"));

/// A poll that takes longer blocks its thread: it is given up, and other threads poll the rest.
const PATIENCE: Duration = Duration::from_millis(20);
/// How often that is looked at while somebody waits.
const ROUND: Duration = Duration::from_millis(5);

/// Polls `task` to its end.
pub(super) fn spawn(task: Task) {
    let spawned = Arc::new(Spawned(Mutex::new(State {
        phase: Phase::Idle,
        task: Some(task),
    })));
    spawned.wake();
}

struct Spawned(Mutex<State>);

struct State {
    phase: Phase,
    /// Taken out while it is polled.
    task: Option<Task>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Waits to be woken.
    Idle,
    Queued,
    Polling,
    /// Woken while it was polled: it has to be polled again.
    PollingAgain,
}

impl Spawned {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn poll(self: Arc<Self>) {
        let mut state = self.lock();
        state.phase = Phase::Polling;
        let task = state.task.take();
        drop(state);

        let Some(mut task) = task else { return };
        let waker = Waker::from(self.clone());
        let polled = catch(|| task.as_mut().poll(&mut Context::from_waker(&waker)));
        if !matches!(polled, Ok(Poll::Pending)) {
            let _ = catch(|| drop(task));
            return;
        }
        let mut state = self.lock();
        state.task = Some(task);
        let again = state.phase == Phase::PollingAgain;
        state.phase = Phase::Idle;
        drop(state);
        if again {
            self.wake();
        }
    }
}

impl Wake for Spawned {
    fn wake(self: Arc<Self>) {
        let mut state = self.lock();
        match state.phase {
            Phase::Idle => {
                state.phase = Phase::Queued;
                drop(state);
                let spawned = self.clone();
                submit(move || spawned.poll());
            }
            Phase::Polling => state.phase = Phase::PollingAgain,
            Phase::Queued | Phase::PollingAgain => {}
        }
    }
}

fn submit(work: impl FnOnce() + Send + 'static) {
    EXECUTOR.submit(work);
    if EXECUTOR.is_behind() {
        Relief::set();
    }
}

static RELIEF_IS_SET: AtomicBool = AtomicBool::new(false);

/// Looks, in a while, whether a poll blocks the thread that others wait for.
struct Relief;

impl Relief {
    fn set() {
        if !RELIEF_IS_SET.swap(true, Ordering::SeqCst) {
            clock::wake_at(Instant::now() + ROUND, Waker::from(Arc::new(Self)));
        }
    }
}

impl Wake for Relief {
    fn wake(self: Arc<Self>) {
        RELIEF_IS_SET.store(false, Ordering::SeqCst);
        EXECUTOR.relieve(PATIENCE);
        if EXECUTOR.is_behind() {
            Self::set();
        }
    }
}

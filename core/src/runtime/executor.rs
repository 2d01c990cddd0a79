//! Polls tasks on one thread, and starts another thread while a task blocks the first.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::task::{Context, Poll, Wake, Waker};
use std::time::{Duration, Instant};

use super::Task;
use super::clock::Clock;
use crate::runtime::guard::catch;
use crate::runtime::pool::Pool;
use crate::runtime::process;
use crate::runtime::sync::{Mutex, lock};

/// See the [module documentation](self). It has one thread unless a task blocks it.
pub(super) struct Executor {
    pool: Pool,
    clock: Arc<Clock>,
    limits: Limits,
    relief_is_set: AtomicBool,
    /// The process in which its threads run.
    process: u32,
}

/// How soon it detects a task that blocks its thread.
#[derive(Clone, Copy)]
pub(super) struct Limits {
    /// A poll that takes longer counts as blocking, and other threads poll the remaining tasks.
    pub(super) poll: Duration,
    /// The interval at which it looks for blocking polls while other tasks wait.
    pub(super) round: Duration,
}

impl Executor {
    pub(super) fn new(pool: Pool, clock: Arc<Clock>, limits: Limits) -> Arc<Self> {
        Arc::new(Self {
            pool,
            clock,
            limits,
            relief_is_set: AtomicBool::new(false),
            process: process::id(),
        })
    }

    /// Polls `task` to completion.
    pub(super) fn spawn(self: &Arc<Self>, task: Task) {
        let spawned = Arc::new(Spawned {
            executor: self.clone(),
            state: Mutex::new(State { phase: Phase::Idle, task: Some(task) }),
        });
        spawned.wake();
    }

    fn submit(self: &Arc<Self>, work: impl FnOnce() + Send + 'static) {
        self.pool.submit(work);
        if self.pool.is_behind() {
            self.set_relief();
        }
    }

    /// Schedules a look for a poll that blocks a thread while other tasks wait.
    fn set_relief(self: &Arc<Self>) {
        if !self.relief_is_set.swap(true, Ordering::SeqCst) {
            let waker = Waker::from(Arc::new(Relief(Arc::downgrade(self))));
            self.clock.set(Instant::now() + self.limits.round, waker);
        }
    }
}

/// Looks for polls that block their thread.
struct Relief(Weak<Executor>);

impl Wake for Relief {
    fn wake(self: Arc<Self>) {
        let Some(executor) = self.0.upgrade() else {
            return;
        };
        executor.relief_is_set.store(false, Ordering::SeqCst);
        executor.pool.relieve(executor.limits.poll);
        if executor.pool.is_behind() {
            executor.set_relief();
        }
    }
}

struct Spawned {
    executor: Arc<Executor>,
    state: Mutex<State>,
}

struct State {
    phase: Phase,
    /// `None` while it is polled.
    task: Option<Task>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Waits for a wake-up.
    Idle,
    Queued,
    Polling,
    /// Woken while it was polled, so it must be polled again.
    PollingAgain,
}

impl Spawned {
    fn poll(self: Arc<Self>) {
        let mut state = lock(&self.state);
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
        let mut state = lock(&self.state);
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
        // In the child of a fork, this is a copy of a task that the parent runs.
        if self.executor.process != process::id() {
            return;
        }
        let mut state = lock(&self.state);
        match state.phase {
            Phase::Idle => {
                state.phase = Phase::Queued;
                drop(state);
                let spawned = self.clone();
                self.executor.submit(move || spawned.poll());
            }
            Phase::Polling => state.phase = Phase::PollingAgain,
            Phase::Queued | Phase::PollingAgain => {}
        }
    }
}

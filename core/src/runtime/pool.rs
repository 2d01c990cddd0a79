//! A small pool of threads for code that may block indefinitely.
//!
//! The threads are detached, so the process exits without waiting for them. At most `limit` of them work at the same time.
//! A job that is [given up](Job::give_up) no longer counts, so a hanging job does not starve others. Its thread stays until
//! the job returns, and then ends unless it is needed.
//!
//! When a process forks, the parent keeps its threads and jobs, and the child starts with an empty pool.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::runtime::guard::catch;
use crate::runtime::process::{self, PerProcess};
use crate::runtime::sync::{Condvar, Mutex, MutexGuard, lock, spawn_thread};

type Work = Box<dyn FnOnce() + Send>;

/// How long an idle thread waits for work before it ends, unless the pool sets another time.
pub(super) const PATIENCE: Duration = Duration::from_secs(1);

/// See the [module documentation](self). Dropping it ends idle threads.
pub(crate) struct Pool {
    kind: Kind,
    shared: PerProcess<Arc<Shared>>,
}

#[derive(Clone, Copy)]
struct Kind {
    name: &'static str,
    limit: usize,
    /// Whether each job that is given up raises the limit by one.
    grows: bool,
    /// How long an idle thread waits for work before it ends.
    patience: Duration,
}

struct Shared {
    kind: Kind,
    /// The process in which its threads run.
    process: u32,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    queue: VecDeque<(u64, Work)>,
    running: BTreeMap<u64, Running>,
    next: u64,
    /// Threads that wait for work, including those that are just starting.
    idle: usize,
    starting: usize,
    /// Threads that count toward the limit: all except those whose job was given up.
    counted: usize,
    is_closed: bool,
}

/// A job that a thread executes.
struct Running {
    since: Instant,
    is_given_up: bool,
}

impl State {
    /// Whether there is more queued work than idle threads.
    fn is_behind(&self) -> bool {
        self.queue.len() > self.idle + self.starting
    }
}

impl Pool {
    /// An empty pool. Threads start when there is work.
    pub(crate) fn new(name: &'static str, limit: usize) -> Self {
        Self::described(name, limit, false, PATIENCE)
    }

    /// A pool of one thread for rare work. The thread ends when the queue is empty.
    pub(crate) fn fleeting(name: &'static str) -> Self {
        Self::described(name, 1, false, Duration::ZERO)
    }

    /// A pool of one thread, plus one for each job that was given up, because where some jobs block, the next may block
    /// too. An idle thread waits `patience` for work.
    pub(crate) fn growing(name: &'static str, patience: Duration) -> Self {
        Self::described(name, 1, true, patience)
    }

    fn described(name: &'static str, limit: usize, grows: bool, patience: Duration) -> Self {
        Self { kind: Kind { name, limit, grows, patience }, shared: PerProcess::new() }
    }

    fn shared(&self) -> &Arc<Shared> {
        self.shared.get_or_make(|| {
            Arc::new(Shared {
                kind: self.kind,
                process: process::id(),
                state: Mutex::default(),
                changed: Condvar::default(),
            })
        })
    }

    /// Queues `work`. If no thread can be started, it waits for the next attempt: another job, or [`Pool::staff`].
    pub(crate) fn submit(&self, work: impl FnOnce() + Send + 'static) -> Job {
        let shared = self.shared();
        let mut state = shared.lock();
        let number = state.next;
        state.next += 1;
        state.queue.push_back((number, Box::new(work)));
        shared.staff(state);
        Job { pool: shared.clone(), number }
    }

    /// Tries again to start threads for queued work.
    pub(crate) fn staff(&self) {
        let shared = self.shared();
        shared.staff(shared.lock());
    }

    /// Whether work is queued.
    pub(crate) fn is_behind(&self) -> bool {
        self.shared().lock().is_behind()
    }

    /// Gives up jobs that have run for `patience` or longer, if other work is queued.
    pub(crate) fn relieve(&self, patience: Duration) {
        let shared = self.shared();
        let mut state = shared.lock();
        if !state.is_behind() {
            return;
        }
        let mut relieved = 0;
        for running in state.running.values_mut() {
            if !running.is_given_up && running.since.elapsed() >= patience {
                running.is_given_up = true;
                relieved += 1;
            }
        }
        state.counted -= relieved;
        shared.staff(state);
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind.name)
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        let Some(shared) = self.shared.get() else {
            return;
        };
        let mut state = shared.lock();
        state.is_closed = true;
        // A job holds code of the application, so it is dropped after the lock is released.
        let queue = std::mem::take(&mut state.queue);
        drop(state);
        shared.changed.notify_all();
        let _ = catch(|| drop(queue));
    }
}

/// A handle to a queued or running job. Dropping it does not affect the job.
pub(crate) struct Job {
    pool: Arc<Shared>,
    number: u64,
}

impl Job {
    /// Removes the job from the queue, or excludes its thread from the limit if it runs.
    pub(crate) fn give_up(&self) {
        if self.pool.process != process::id() {
            return;
        }
        let mut state = self.pool.lock();
        if let Some(at) = state.queue.iter().position(|(n, _)| *n == self.number) {
            let work = state.queue.remove(at);
            drop(state);
            let _ = catch(|| drop(work));
            return;
        }
        if let Some(running) = state.running.get_mut(&self.number) {
            if !std::mem::replace(&mut running.is_given_up, true) {
                state.counted -= 1;
                self.pool.staff(state);
            }
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    /// Wakes or starts a thread for queued work.
    fn staff(self: &Arc<Self>, mut state: MutexGuard<'_, State>) {
        self.changed.notify_one();
        while state.is_behind() && state.counted < self.limit(&state) {
            state.counted += 1;
            state.starting += 1;
            let shared = self.clone();
            if spawn_thread(self.kind.name, move || shared.work()).is_err() {
                state.counted -= 1;
                state.starting -= 1;
                return;
            }
        }
    }

    fn limit(&self, state: &State) -> usize {
        let given_up = state.running.values().filter(|running| running.is_given_up);
        self.kind.limit + if self.kind.grows { given_up.count() } else { 0 }
    }

    /// The loop of a thread. It ends when the pool is closed, or when the job of the thread was given up and the thread is
    /// not needed.
    fn work(&self) {
        let mut state = self.lock();
        state.starting -= 1;
        loop {
            if let Some((number, work)) = state.queue.pop_front() {
                let running = Running { since: Instant::now(), is_given_up: false };
                state.running.insert(number, running);
                drop(state);
                let _ = catch(work);
                state = self.lock();
                let ended = state.running.remove(&number);
                if ended.is_some_and(|running| running.is_given_up) {
                    if state.counted >= self.limit(&state) {
                        return;
                    }
                    state.counted += 1;
                }
            } else if state.is_closed {
                state.counted -= 1;
                return;
            } else {
                state.idle += 1;
                let is_over;
                (state, is_over) = self.changed.wait_timeout(state, self.kind.patience);
                state.idle -= 1;
                if is_over && state.queue.is_empty() {
                    state.counted -= 1;
                    return;
                }
            }
        }
    }
}

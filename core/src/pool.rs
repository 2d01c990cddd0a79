//! A few threads for code that may block for ever.
//!
//! The threads are detached: a process ends without waiting for them. At most `limit` of them work side
//! by side; a job that is [given up](Job::give_up) no longer counts, so that what hangs cannot starve
//! what does not. Its thread stays behind until the job returns, and ends then if it is not needed.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::guard::catch;

type Work = Box<dyn FnOnce() + Send>;

/// How long most threads wait for more work before they end.
const PATIENCE: Duration = Duration::from_secs(1);

/// See the [module's doc](self). Dropping it ends the threads that have nothing to do.
pub(crate) struct Pool(Arc<Shared>);

struct Shared {
    name: &'static str,
    limit: usize,
    /// Whether each job that is given up raises the limit by one.
    grows: bool,
    /// How long a thread waits for more work before it ends.
    patience: Duration,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    queue: VecDeque<(u64, Work)>,
    running: BTreeMap<u64, Running>,
    next: u64,
    /// Threads that wait for work, and those on their way to it.
    idle: usize,
    starting: usize,
    /// Threads that count against the limit: all but those whose job was given up.
    counted: usize,
    is_closed: bool,
}

/// A job that a thread works on.
struct Running {
    since: Instant,
    is_given_up: bool,
}

impl State {
    /// Whether there is work that no such thread will take.
    fn is_behind(&self) -> bool {
        self.queue.len() > self.idle + self.starting
    }
}

impl Pool {
    /// A pool without threads: they are made when there is work.
    pub(crate) fn new(name: &'static str, limit: usize) -> Self {
        Self::described(name, limit, false, PATIENCE)
    }

    /// A pool of one thread for work that is seldom: it ends when there is no more.
    pub(crate) fn fleeting(name: &'static str) -> Self {
        Self::described(name, 1, false, Duration::ZERO)
    }

    /// A pool of one thread, and of as many more as there are jobs given up: where some block, the next may
    /// well block too.
    pub(crate) fn growing(name: &'static str) -> Self {
        Self::described(name, 1, true, PATIENCE)
    }

    fn described(name: &'static str, limit: usize, grows: bool, patience: Duration) -> Self {
        Self(Arc::new(Shared {
            name,
            limit,
            grows,
            patience,
            state: Mutex::default(),
            changed: Condvar::new(),
        }))
    }

    /// Queues `work`. Where no thread can be made, it waits for the next attempt: another job, or
    /// [`Pool::staff`].
    pub(crate) fn submit(&self, work: impl FnOnce() + Send + 'static) -> Job {
        let mut state = self.0.lock();
        let number = state.next;
        state.next += 1;
        state.queue.push_back((number, Box::new(work)));
        self.0.staff(state);
        Job {
            pool: self.0.clone(),
            number,
        }
    }

    /// Tries again where no thread could be made.
    pub(crate) fn staff(&self) {
        self.0.staff(self.0.lock());
    }

    /// Whether there is work that waits for a thread.
    pub(crate) fn is_behind(&self) -> bool {
        self.0.lock().is_behind()
    }

    /// Gives up what runs for `patience` or longer, if other work waits for it.
    pub(crate) fn relieve(&self, patience: Duration) {
        let mut state = self.0.lock();
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
        self.0.staff(state);
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.name)
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.is_closed = true;
        // Dropped behind the lock: what a job holds is foreign.
        let queue = std::mem::take(&mut state.queue);
        drop(state);
        self.0.changed.notify_all();
        let _ = catch(|| drop(queue));
    }
}

/// A job in a pool's hands. Dropping this changes nothing.
pub(crate) struct Job {
    pool: Arc<Shared>,
    number: u64,
}

impl Job {
    /// Takes it out of the queue, or lets its thread no longer count against the limit.
    pub(crate) fn give_up(&self) {
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
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sees to it that somebody takes what is queued.
    fn staff(self: &Arc<Self>, mut state: MutexGuard<'_, State>) {
        self.changed.notify_one();
        while state.is_behind() && state.counted < self.limit(&state) {
            state.counted += 1;
            state.starting += 1;
            let (shared, name) = (self.clone(), self.name.to_owned());
            // The usual stack: an overflow would end the process, and untouched pages cost nothing.
            let thread = thread::Builder::new().name(name);
            if thread.spawn(move || shared.work()).is_err() {
                state.counted -= 1;
                state.starting -= 1;
                return;
            }
        }
    }

    fn limit(&self, state: &State) -> usize {
        let given_up = state.running.values().filter(|running| running.is_given_up);
        self.limit + if self.grows { given_up.count() } else { 0 }
    }

    /// What a thread does, until the pool is closed or its job was given up and others do the work.
    fn work(&self) {
        let mut state = self.lock();
        state.starting -= 1;
        loop {
            if let Some((number, work)) = state.queue.pop_front() {
                let running = Running {
                    since: Instant::now(),
                    is_given_up: false,
                };
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
                let waited = self.changed.wait_timeout(state, self.patience);
                let timeout;
                (state, timeout) = waited.unwrap_or_else(PoisonError::into_inner);
                state.idle -= 1;
                if timeout.timed_out() && state.queue.is_empty() {
                    state.counted -= 1;
                    return;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, Sender, channel};
    use std::sync::{Arc, Mutex};
    use std::thread;
    use std::time::Duration;

    use super::{Job, Pool};

    /// Jobs that last until they are released, one after the other.
    struct Gate {
        start: Sender<()>,
        started: Receiver<()>,
        release: Sender<()>,
        released: Arc<Mutex<Receiver<()>>>,
    }

    impl Gate {
        fn new() -> Self {
            let (start, started) = channel();
            let (release, released) = channel();
            Self {
                start,
                started,
                release,
                released: Arc::new(Mutex::new(released)),
            }
        }

        fn submit(&self, pool: &Pool) -> Job {
            let (start, released) = (self.start.clone(), self.released.clone());
            pool.submit(move || {
                start.send(()).unwrap();
                let _ = released.lock().unwrap().recv();
            })
        }

        fn is_started(&self) {
            self.started.recv().unwrap();
        }
    }

    /// Waits until that many threads count, and one waits for work if `idle`.
    fn settles(pool: &Pool, counted: usize, idle: usize) {
        loop {
            let state = pool.0.lock();
            if (state.counted, state.idle, state.starting) == (counted, idle, 0) {
                return;
            }
            drop(state);
            thread::yield_now();
        }
    }

    #[test]
    fn a_job_takes_one_thread_and_the_next_takes_the_same() {
        let pool = Pool::new("health-test", 4);
        let gate = Gate::new();
        for _ in 0..3 {
            gate.submit(&pool);
            assert!(!pool.is_behind());
            assert_eq!(pool.0.lock().counted, 1);
            gate.is_started();
            gate.release.send(()).unwrap();
            settles(&pool, 1, 1);
        }
    }

    #[test]
    fn jobs_side_by_side_take_a_thread_each_up_to_the_limit() {
        let pool = Pool::new("health-test", 2);
        let gate = Gate::new();
        let first = gate.submit(&pool);
        gate.submit(&pool);
        assert!(!pool.is_behind());
        gate.submit(&pool);
        assert!(pool.is_behind());
        assert_eq!(pool.0.lock().counted, 2);
        gate.is_started();
        gate.is_started();
        pool.staff();
        assert!(pool.is_behind());

        // Given up, however often, it leaves room for one more.
        first.give_up();
        first.give_up();
        assert_eq!(pool.0.lock().counted, 2);
        gate.is_started();
        assert!(!pool.is_behind());
        drop(gate);
        settles(&pool, 2, 2);
    }

    #[test]
    fn a_job_that_is_given_up_in_the_queue_is_never_done() {
        let pool = Pool::new("health-test", 1);
        let gate = Gate::new();
        gate.submit(&pool);
        gate.is_started();
        gate.submit(&pool).give_up();
        assert!(!pool.is_behind());
        drop(gate.release);
        settles(&pool, 1, 1);
        assert!(gate.started.try_recv().is_err());
    }

    #[test]
    fn a_growing_pool_has_one_thread_more_than_jobs_that_were_given_up() {
        let pool = Pool::growing("health-test");
        let gate = Gate::new();
        for _ in 0..4 {
            gate.submit(&pool);
        }
        gate.is_started();
        pool.relieve(Duration::from_secs(3600));
        assert_eq!(pool.0.lock().counted, 1);
        // One blocks: two go on. All three block: the last is no longer alone either.
        pool.relieve(Duration::ZERO);
        assert_eq!(pool.0.lock().counted, 2);
        gate.is_started();
        gate.is_started();
        assert!(pool.is_behind());
        pool.relieve(Duration::ZERO);
        gate.is_started();
        assert!(!pool.is_behind());
        // Nothing waits any more, and so nothing is given up.
        let counted = pool.0.lock().counted;
        pool.relieve(Duration::ZERO);
        assert_eq!(pool.0.lock().counted, counted);
    }

    #[test]
    fn a_fleeting_thread_ends_when_there_is_no_more_work_and_another_does_the_next() {
        let pool = Pool::fleeting("health-test");
        let gate = Gate::new();
        for _ in 0..3 {
            gate.submit(&pool);
            gate.is_started();
            gate.release.send(()).unwrap();
            settles(&pool, 0, 0);
        }
    }

    #[test]
    fn a_job_that_panics_costs_no_thread() {
        let pool = Pool::new("health-test", 1);
        pool.submit(|| panic!("a job of the test"));
        settles(&pool, 1, 1);
    }
}

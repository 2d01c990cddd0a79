use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use super::{Job, Pool};

/// Jobs that block until they are released, one after the other.
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
        Self { start, started, release, released: Arc::new(Mutex::new(released)) }
    }

    fn submit(&self, pool: &Pool) -> Job {
        let start = self.start.clone();
        let released = self.released.clone();
        pool.submit(move || {
            start.send(()).unwrap();
            let _ = released.lock().unwrap().recv();
        })
    }

    fn is_started(&self) {
        self.started.recv().unwrap();
    }
}

/// Waits until this many threads count toward the limit, and, if `idle`, until one waits for work.
fn settles(pool: &Pool, counted: usize, idle: usize) {
    loop {
        let state = pool.shared().lock();
        if (state.counted, state.idle, state.starting) == (counted, idle, 0) {
            return;
        }
        drop(state);
        thread::yield_now();
    }
}

#[test]
fn the_next_job_reuses_the_thread() {
    let pool = Pool::new("health-test", 4);
    let gate = Gate::new();
    for _ in 0..3 {
        gate.submit(&pool);
        assert!(!pool.is_behind());
        assert_eq!(pool.shared().lock().counted, 1);
        gate.is_started();
        gate.release.send(()).unwrap();
        settles(&pool, 1, 1);
    }
}

#[test]
fn concurrent_jobs_use_a_thread_each_up_to_the_limit() {
    let pool = Pool::new("health-test", 2);
    let gate = Gate::new();
    let first = gate.submit(&pool);
    gate.submit(&pool);
    assert!(!pool.is_behind());
    gate.submit(&pool);
    assert!(pool.is_behind());
    assert_eq!(pool.shared().lock().counted, 2);
    gate.is_started();
    gate.is_started();
    pool.staff();
    assert!(pool.is_behind());

    // Giving it up, however often, makes room for one more.
    first.give_up();
    first.give_up();
    assert_eq!(pool.shared().lock().counted, 2);
    gate.is_started();
    assert!(!pool.is_behind());
    drop(gate);
    settles(&pool, 2, 2);
}

#[test]
fn a_queued_job_that_is_given_up_never_runs() {
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
    let pool = Pool::growing("health-test", Duration::from_secs(60));
    let gate = Gate::new();
    for _ in 0..4 {
        gate.submit(&pool);
    }
    gate.is_started();
    pool.relieve(Duration::from_secs(3600));
    assert_eq!(pool.shared().lock().counted, 1);
    // One blocks: two continue. When all three block, a fourth starts.
    pool.relieve(Duration::ZERO);
    assert_eq!(pool.shared().lock().counted, 2);
    gate.is_started();
    gate.is_started();
    assert!(pool.is_behind());
    pool.relieve(Duration::ZERO);
    gate.is_started();
    assert!(!pool.is_behind());
    // Nothing is queued, so nothing is given up.
    let counted = pool.shared().lock().counted;
    pool.relieve(Duration::ZERO);
    assert_eq!(pool.shared().lock().counted, counted);
}

#[test]
fn a_fleeting_thread_ends_when_the_queue_is_empty_and_another_runs_the_next_job() {
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
fn a_job_that_panics_does_not_end_its_thread() {
    let pool = Pool::new("health-test", 1);
    pool.submit(|| panic!("a job of the test"));
    settles(&pool, 1, 1);
}

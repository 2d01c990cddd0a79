//! Models of the pool, the clock and the executor: [loom](https://docs.rs/loom) tries every order of their threads.
//!
//! Loom regards a thread that never stops waiting as a deadlock, so each model also shows that the library's threads end.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Wake, Waker};
use std::time::{Duration, Instant};

use loom::future::block_on;
use loom::thread;

use super::clock::Clock;
use super::executor::{Executor, Limits};
use super::pool::{PATIENCE, Pool};
use super::promise::Promise;

/// Tries all orders with at most this many preemptions.
fn model(body: impl Fn() + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(2);
    builder.check(body);
}

/// A promise, and a waker that fulfills it.
fn promise() -> (Arc<Promise<()>>, impl FnOnce() + Send + 'static) {
    let promise = Arc::new(Promise::default());
    let kept = promise.clone();
    let keep = move || {
        kept.set(());
    };
    (promise, keep)
}

/// Fulfills a promise when it is woken.
struct Wakes(Arc<Promise<()>>);

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.set(());
    }
}

#[test]
fn a_pool_does_every_job_and_no_more_at_a_time_than_its_limit() {
    for pool in [Pool::fleeting, |name| Pool::new(name, 1)] {
        model(move || {
            let pool = Arc::new(pool("health-loom"));
            let running = Arc::new(AtomicUsize::new(0));
            let submit = move |pool: &Pool| {
                let (done, finish) = promise();
                let running = running.clone();
                pool.submit(move || {
                    assert_eq!(running.fetch_add(1, Ordering::SeqCst), 0);
                    thread::yield_now();
                    running.fetch_sub(1, Ordering::SeqCst);
                    finish();
                });
                done
            };
            let others = pool.clone();
            let submits = submit.clone();
            let other = thread::spawn(move || submits(&others));
            let done = submit(&pool);
            block_on(done.wait());
            block_on(other.join().unwrap().wait());
        });
    }
}

#[test]
fn a_job_that_blocks_and_is_given_up_makes_room_for_the_next() {
    model(|| {
        let pool = Pool::fleeting("health-loom");
        let (released, release) = promise();
        let blocks = pool.submit(move || block_on(released.wait()));
        let (done, finish) = promise();
        pool.submit(finish);
        // It blocks, or it has not started and never will.
        blocks.give_up();
        block_on(done.wait());
        release();
    });
}

#[test]
fn a_pool_that_is_dropped_ends_its_threads_and_drops_what_is_queued() {
    model(|| {
        let pool = Pool::new("health-loom", 1);
        let jobs = [(); 2].map(|()| {
            let job = Arc::new(());
            let held = job.clone();
            pool.submit(move || drop(held));
            job
        });
        drop(pool);
        for job in jobs {
            while Arc::strong_count(&job) > 1 {
                thread::yield_now();
            }
        }
    });
}

#[test]
fn a_clock_wakes_every_timer_even_one_that_is_set_while_its_thread_ends() {
    model(|| {
        let clock = Arc::new(Clock::new(Duration::ZERO));
        let now = Instant::now();
        let set = move |clock: &Clock| {
            let woken = Arc::new(Promise::default());
            clock.set(now, Waker::from(Arc::new(Wakes(woken.clone()))));
            woken
        };
        let other = clock.clone();
        let other = thread::spawn(move || block_on(set(&other).wait()));
        block_on(set(&clock).wait());
        other.join().unwrap();
    });
}

/// loom never reaches the end of the longer one.
#[test]
fn a_timer_that_is_sooner_than_all_others_does_not_wait_for_them() {
    model(|| {
        let clock = Arc::new(Clock::new(PATIENCE));
        let now = Instant::now();
        let late = clock.set(now + 10 * PATIENCE, Waker::noop().clone());
        let woken = Arc::new(Promise::default());
        let sooner = clock.clone();
        let waker = Waker::from(Arc::new(Wakes(woken.clone())));
        let setter = thread::spawn(move || sooner.set(now, waker));
        clock.unset(late);
        block_on(woken.wait());
        setter.join().unwrap();
    });
}

/// An executor that looks for blocking polls immediately, or never.
fn executor(round: Duration) -> Arc<Executor> {
    let limits = Limits { poll: Duration::ZERO, round };
    let pool = Pool::growing("health-loom", PATIENCE);
    Executor::new(pool, Arc::new(Clock::new(PATIENCE)), limits)
}

#[test]
fn a_task_that_is_woken_at_any_moment_is_polled_again() {
    model(|| {
        let (woken, wake) = promise();
        let (done, finish) = promise();
        let executor = executor(PATIENCE);
        executor.spawn(Box::pin(async move {
            woken.wait().await;
            finish();
        }));
        let waker = thread::spawn(wake);
        block_on(done.wait());
        waker.join().unwrap();
    });
}

#[test]
fn a_task_that_awaits_or_panics_releases_its_thread() {
    model(|| {
        let executor = executor(PATIENCE);
        let (done, finish) = promise();
        let (asked, ask) = promise();
        executor.spawn(Box::pin(async move {
            asked.wait().await;
            finish();
        }));
        executor.spawn(Box::pin(async move {
            ask();
            std::panic::resume_unwind(Box::new("quietly"));
        }));
        block_on(done.wait());
    });
}

#[test]
fn a_task_that_blocks_its_thread_keeps_no_other_from_running() {
    model(|| {
        let executor = executor(Duration::ZERO);
        let (released, release) = promise();
        let (done, finish) = promise();
        // It blocks; a task that awaits would release its thread.
        executor.spawn(Box::pin(async move { block_on(released.wait()) }));
        executor.spawn(Box::pin(async move { finish() }));
        block_on(done.wait());
        release();
    });
}

//! The default runtime, which needs no other.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use super::clock::{Clock, Timer};
use super::executor::{Executor, Limits};
use super::pool::{PATIENCE, Pool};
use super::process::{self, PerProcess};
use super::{Runtime, Task};

/// The default [`Runtime`]: one thread for timers, and one that polls checks.
///
/// All endpoints of the process share the threads. They start on first use, end after one idle second, and do not delay
/// the exit of the process. If a check blocks its thread, another thread polls the other checks. The child of a fork
/// starts its own threads, and does not continue the work of its parent.
///
/// With the feature `tokio`, checks still run inside the application's tokio runtime: see
/// [`Check`](crate::Check#context).
#[derive(Debug, Clone, Copy, Default)]
pub struct ThreadRuntime;

impl Runtime for ThreadRuntime {
    fn now(&self) -> Instant {
        Instant::now()
    }

    fn sleep_until(&self, deadline: Instant) -> Task {
        Box::pin(Sleep { due: deadline, timer: None })
    }

    fn spawn(&self, task: Task) {
        Threads::of_this_process().executor.spawn(task);
    }
}

struct Threads {
    process: u32,
    clock: Arc<Clock>,
    executor: Arc<Executor>,
}

impl Threads {
    fn of_this_process() -> &'static Self {
        static THREADS: PerProcess<Threads> = PerProcess::new();
        THREADS.get_or_make(Self::new)
    }

    fn new() -> Self {
        let clock = Arc::new(Clock::new(PATIENCE));
        let limits = Limits { poll: Duration::from_millis(20), round: Duration::from_millis(5) };
        let pool = Pool::growing("health-checks", PATIENCE);
        Self { process: process::id(), executor: Executor::new(pool, clock.clone(), limits), clock }
    }
}

/// A future that is ready at its time.
struct Sleep {
    due: Instant,
    /// The timer that was set last, and its clock.
    timer: Option<(&'static Threads, Timer)>,
}

impl Sleep {
    fn unset(&mut self) {
        if let Some((threads, timer)) = self.timer.take() {
            // In the child of a fork, the timer belongs to the parent.
            if threads.process == process::id() {
                threads.clock.unset(timer);
            }
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
        let threads = Threads::of_this_process();
        let waker = context.waker().clone();
        self.timer = Some((threads, threads.clock.set(self.due, waker)));
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        self.unset();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::thread;
    use std::time::Instant;

    use futures::executor::block_on;

    use super::{Runtime as _, ThreadRuntime};

    #[test]
    fn a_task_that_blocks_its_thread_does_not_delay_others() {
        let (release, released) = mpsc::channel::<()>();
        let (done, is_done) = mpsc::channel();
        ThreadRuntime.spawn(Box::pin(async move {
            let _ = released.recv();
        }));
        ThreadRuntime.spawn(Box::pin(async move { done.send(()).unwrap() }));
        is_done.recv().unwrap();
        drop(release);
    }

    #[test]
    fn a_task_that_panics_does_not_delay_others() {
        let (done, is_done) = mpsc::channel();
        ThreadRuntime.spawn(Box::pin(async { panic!("a task of the test") }));
        ThreadRuntime.spawn(Box::pin(async move { done.send(()).unwrap() }));
        is_done.recv().unwrap();
    }

    #[test]
    fn a_task_that_is_woken_while_it_is_polled_is_polled_again() {
        let (done, is_done) = mpsc::channel();
        ThreadRuntime.spawn(Box::pin(async move {
            let mut polls = 0;
            futures::future::poll_fn(|context| {
                polls += 1;
                let waker = context.waker().clone();
                // From another thread, and finished before this poll ends.
                thread::spawn(move || waker.wake()).join().unwrap();
                match polls {
                    3 => std::task::Poll::Ready(()),
                    _ => std::task::Poll::Pending,
                }
            })
            .await;
            done.send(polls).unwrap();
        }));
        assert_eq!(is_done.recv().unwrap(), 3);
    }

    /// The order in which they end is that of the threads that they wake.
    #[test]
    fn every_sleep_ends_and_none_before_its_time() {
        let start = Instant::now();
        let (done, ended) = mpsc::channel();
        for milliseconds in [30, 10, 20] {
            let done = done.clone();
            let deadline = start + std::time::Duration::from_millis(milliseconds);
            let sleep = ThreadRuntime.sleep_until(deadline);
            ThreadRuntime.spawn(Box::pin(async move {
                sleep.await;
                done.send(Instant::now() >= deadline).unwrap();
            }));
        }
        assert_eq!(ended.iter().take(3).collect::<Vec<_>>(), [true; 3]);
    }

    #[test]
    fn a_sleep_until_a_past_time_is_ready_immediately() {
        block_on(ThreadRuntime.sleep_until(Instant::now()));
    }
}

//! The runtime of a program that has none.

use std::time::Instant;

use super::clock::Sleep;
use super::{Runtime, Task, executor};

/// Threads of the library's own: one that keeps the time, one that polls checks.
///
/// Both start at the first use, are shared by all endpoints of the process, and hold up nothing when it
/// ends. A check that blocks its thread is left alone with it, and the other checks go on, on
/// another.
///
/// A check that talks through a runtime needs the runtime's own context: `TokioRuntime` (feature
/// `tokio`) brings it.
#[derive(Debug, Clone, Copy, Default)]
pub struct ThreadRuntime;

impl Runtime for ThreadRuntime {
    fn now(&self) -> Instant {
        Instant::now()
    }

    fn sleep_until(&self, deadline: Instant) -> Task {
        Box::pin(Sleep::until(deadline))
    }

    fn spawn(&self, task: Task) {
        executor::spawn(task);
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
    fn a_task_that_blocks_its_thread_holds_up_no_other() {
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
    fn a_task_that_panics_holds_up_no_other() {
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
                // From another thread, and done before this poll is.
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

    #[test]
    fn sleeps_end_in_the_order_of_their_times() {
        let start = Instant::now();
        let (done, order) = mpsc::channel();
        for milliseconds in [30, 10, 20] {
            let done = done.clone();
            let sleep =
                ThreadRuntime.sleep_until(start + std::time::Duration::from_millis(milliseconds));
            ThreadRuntime.spawn(Box::pin(async move {
                sleep.await;
                done.send(milliseconds).unwrap();
            }));
        }
        assert_eq!(order.iter().take(3).collect::<Vec<_>>(), [10, 20, 30]);
    }

    #[test]
    fn a_sleep_whose_time_is_over_is_done_at_once() {
        block_on(ThreadRuntime.sleep_until(Instant::now()));
    }
}

//! Time that passes when the kubelet says so, and tasks that run on its thread.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Wake, Waker};
use std::time::{Duration, Instant};

use health_core::{Runtime, Task};

#[derive(Clone)]
pub(crate) struct SteppedTime(Arc<Mutex<State>>);

struct State {
    now: Instant,
    sleeps: Vec<(Instant, Waker)>,
    ready: VecDeque<Arc<Spawned>>,
}

impl Default for SteppedTime {
    fn default() -> Self {
        let state = State { now: Instant::now(), sleeps: Vec::new(), ready: VecDeque::new() };
        Self(Arc::new(Mutex::new(state)))
    }
}

impl SteppedTime {
    /// Lets time pass, and stops at each due timer. `answer` lets other threads do what the tasks asked of them.
    pub(crate) fn pass(&self, time: Duration, answer: impl Fn()) {
        let end = self.now() + time;
        loop {
            self.settle(&answer);
            let mut state = self.lock();
            let next = state.sleeps.iter().map(|(due, _)| *due).min().filter(|due| *due <= end);
            state.now = next.map_or(end, |due| due.max(state.now));
            let now = state.now;
            let (due, rest): (Vec<_>, Vec<_>) =
                std::mem::take(&mut state.sleeps).into_iter().partition(|(due, _)| *due <= now);
            state.sleeps = rest;
            drop(state);
            due.into_iter().for_each(|(_, waker)| waker.wake());
            if next.is_none() {
                return self.settle(&answer);
            }
        }
    }

    /// Polls all tasks until each waits for time, or for a thread that does not answer.
    fn settle(&self, answer: &impl Fn()) {
        loop {
            while let Some(spawned) = self.next() {
                spawned.poll();
            }
            answer();
            if self.lock().ready.is_empty() {
                return;
            }
        }
    }

    fn next(&self) -> Option<Arc<Spawned>> {
        self.lock().ready.pop_front()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }
}

impl Runtime for SteppedTime {
    fn now(&self) -> Instant {
        self.lock().now
    }

    fn sleep_until(&self, deadline: Instant) -> Task {
        let time = self.clone();
        Box::pin(poll_fn(move |context| {
            let mut state = time.lock();
            if state.now >= deadline {
                return Poll::Ready(());
            }
            state.sleeps.push((deadline, context.waker().clone()));
            Poll::Pending
        }))
    }

    fn spawn(&self, task: Task) {
        Arc::new(Spawned { time: self.clone(), task: Mutex::new(Some(task)) }).wake();
    }
}

struct Spawned {
    time: SteppedTime,
    task: Mutex<Option<Task>>,
}

impl Spawned {
    fn poll(self: Arc<Self>) {
        let waker = Waker::from(self.clone());
        let mut task = self.task.lock().unwrap();
        let polled = task.as_mut().map(|task| task.as_mut().poll(&mut Context::from_waker(&waker)));
        if polled.is_some_and(|polled| polled.is_ready()) {
            *task = None;
        }
    }
}

impl Wake for Spawned {
    fn wake(self: Arc<Self>) {
        let time = self.time.clone();
        time.lock().ready.push_back(self);
    }
}

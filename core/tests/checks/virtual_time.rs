//! A runtime whose time the test controls, and whose tasks run on the thread of the test.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::{Duration, Instant};

use futures::future::{AbortHandle, abortable, poll_fn};
use health_core::{Answer, Health, HealthResponse, Runtime, Task};

use crate::{Results, results_of};

#[derive(Clone)]
pub(crate) struct VirtualTime(Arc<Mutex<State>>);

struct State {
    now: Instant,
    sleeps: Vec<(Instant, Waker)>,
    ready: VecDeque<Arc<Spawned>>,
}

impl Default for VirtualTime {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(State {
            now: Instant::now(),
            sleeps: Vec::new(),
            ready: VecDeque::new(),
        })))
    }
}

impl Runtime for VirtualTime {
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
        let spawned = Spawned { time: self.clone(), task: Mutex::new(Some(task)) };
        Arc::new(spawned).wake();
    }
}

impl VirtualTime {
    /// Starts a request for the checks, in its own task, as a server does.
    pub(crate) fn ask(&self, health: &Health) -> Asker {
        self.ask_at(health, health.config().url())
    }

    /// The same for another endpoint.
    pub(crate) fn ask_at(&self, health: &Health, path: &str) -> Asker {
        let answer = Arc::new(Mutex::new(None));
        let endpoint = health.at(path).unwrap();
        let given = answer.clone();
        let (task, abort) = abortable(async move {
            let answer = endpoint.answer("checks=all").await;
            *given.lock().unwrap() = Some(answer);
        });
        self.spawn(Box::pin(async { task.await.unwrap_or_default() }));
        self.settle();
        Asker { answer, abort }
    }

    /// Polls all tasks until each waits for time or for another thread.
    pub(crate) fn settle(&self) {
        loop {
            let Some(spawned) = self.lock().ready.pop_front() else {
                return;
            };
            spawned.poll();
        }
    }

    /// Lets time pass, and stops at each due timer.
    pub(crate) fn pass(&self, time: Duration) {
        self.settle();
        let end = self.now() + time;
        loop {
            let mut state = self.lock();
            let sleeps = state.sleeps.iter().map(|(due, _)| *due);
            let next = sleeps.min().filter(|due| *due <= end);
            state.now = next.map_or(end, |due| due.max(state.now));
            let now = state.now;
            let sleeps = std::mem::take(&mut state.sleeps).into_iter();
            let (due, rest): (Vec<_>, Vec<_>) = sleeps.partition(|(due, _)| *due <= now);
            state.sleeps = rest;
            drop(state);
            due.into_iter().for_each(|(_, waker)| waker.wake());
            self.settle();
            if next.is_none() {
                return;
            }
        }
    }

    /// Lets time pass without waking timers, as if a thread were blocked.
    pub(crate) fn pass_unnoticed(&self, time: Duration) {
        self.lock().now += time;
    }

    /// Waits until other threads make `is_so` true. Time does not pass.
    pub(crate) fn wait_until(&self, mut is_so: impl FnMut() -> bool) {
        self.settle();
        while !is_so() {
            thread::yield_now();
            self.settle();
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }
}

/// A client that has sent a request.
pub(crate) struct Asker {
    answer: Arc<Mutex<Option<Answer>>>,
    abort: AbortHandle,
}

impl Asker {
    pub(crate) fn is_answered(&self) -> bool {
        self.answer.lock().unwrap().is_some()
    }

    /// The results of the response, which must have arrived; none if it is OK.
    pub(crate) fn results(&self) -> Results {
        results_of(self.answer.lock().unwrap().as_ref().unwrap())
    }

    /// The response with its records, which must have arrived.
    pub(crate) fn answer(&self) -> Answer {
        self.answer.lock().unwrap().clone().unwrap()
    }

    /// The body of the response, which must have arrived.
    pub(crate) fn body(&self) -> &'static str {
        self.response().body()
    }

    /// The response, which must have arrived.
    pub(crate) fn response(&self) -> HealthResponse {
        let answer = self.answer.lock().unwrap();
        answer.as_ref().unwrap().response()
    }

    /// Disconnects, which drops the handler of the request.
    pub(crate) fn leave(self) {
        self.abort.abort();
    }
}

struct Spawned {
    time: VirtualTime,
    task: Mutex<Option<Task>>,
}

impl Spawned {
    fn poll(self: Arc<Self>) {
        let waker = Waker::from(self.clone());
        let mut task = self.task.lock().unwrap();
        if let Some(running) = task.as_mut() {
            let polled = running.as_mut().poll(&mut Context::from_waker(&waker));
            if polled.is_ready() {
                *task = None;
            }
        }
    }
}

impl Wake for Spawned {
    fn wake(self: Arc<Self>) {
        let time = self.time.clone();
        time.lock().ready.push_back(self);
    }
}

//! A runtime whose time the test controls, and whose tasks run on the thread of the test.

use std::collections::VecDeque;
use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use health_core::{Runtime, Task};

/// A [`Runtime`] whose time passes only when the test says so, and whose tasks run on the thread of the test. Clones
/// share their time. Pass one to [`HealthBuilder::runtime`](health_core::HealthBuilder::runtime).
///
/// Every time of the library passes with it: timeouts, periods, delays. A check can wait in it with
/// [`sleep_until`](Runtime::sleep_until). Blocking checks, maintenance sources and observers run on other threads: use
/// [`wait_until`](Self::wait_until).
///
/// ```
/// use std::sync::Arc;
/// use std::sync::atomic::{AtomicBool, Ordering};
/// use std::time::Duration;
///
/// use health_conformance::testee::VirtualTime;
/// use health_core::{Check, Health, HealthConfig, State};
///
/// let minute = Duration::from_secs(60);
/// let is_up = Arc::new(AtomicBool::new(true));
/// let check = Check::with("database", is_up.clone(), |is_up| async move {
///     if is_up.load(Ordering::Relaxed) { Ok(()) } else { Err("no route") }
/// });
/// let time = VirtualTime::default();
/// let health = Health::builder()
///     .config(HealthConfig::default().with_disablefile(""))
///     .runtime(time.clone())
///     .register(check.every(minute))
///     .build()?;
/// health.start_on(time.clone());
/// time.settle();
/// is_up.store(false, Ordering::Relaxed);
/// let state = || time.block_on(health.respond("checks=all")).state();
/// assert_eq!(state(), State::Ok);
/// time.pass(minute);
/// assert_eq!(state(), State::Failing);
/// # Ok::<(), health_core::BuildError>(())
/// ```
#[derive(Clone)]
pub struct VirtualTime(Arc<Mutex<State>>);

struct State {
    start: Instant,
    now: Instant,
    sleeps: Vec<(Instant, Waker)>,
    ready: VecDeque<Arc<Spawned>>,
}

impl Default for VirtualTime {
    fn default() -> Self {
        let start = Instant::now();
        Self(Arc::new(Mutex::new(State {
            start,
            now: start,
            sleeps: Vec::new(),
            ready: VecDeque::new(),
        })))
    }
}

impl VirtualTime {
    /// Polls all tasks until each waits for time or for another thread.
    pub fn settle(&self) {
        while let Some(spawned) = self.next() {
            spawned.poll();
        }
    }

    /// Lets time pass, and stops at each due timer.
    pub fn pass(&self, time: Duration) {
        self.pass_with(time, || {});
    }

    /// The same for tasks that also wait for other threads, such as those of a tokio runtime. Whenever all tasks wait,
    /// `others` is called: it returns when the other threads have done what they can.
    pub fn pass_with(&self, time: Duration, mut others: impl FnMut()) {
        self.settle_with(&mut others);
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
            self.settle_with(&mut others);
            if next.is_none() {
                return;
            }
        }
    }

    /// Lets time pass without waking timers, as if a thread were blocked.
    pub fn pass_unnoticed(&self, time: Duration) {
        self.lock().now += time;
    }

    /// Waits for `future`, while the tasks and other threads work. Time does not pass, so it must not wait for time.
    pub fn block_on<F: Future>(&self, future: F) -> F::Output {
        let mut future = pin!(future);
        loop {
            let context = &mut Context::from_waker(Waker::noop());
            if let Poll::Ready(output) = future.as_mut().poll(context) {
                return output;
            }
            self.settle();
            thread::yield_now();
        }
    }

    /// Waits until other threads make `is_so` true. Time does not pass.
    pub fn wait_until(&self, mut is_so: impl FnMut() -> bool) {
        self.settle();
        while !is_so() {
            thread::yield_now();
            self.settle();
        }
    }

    /// Polls all tasks until each waits for time, or for a thread that does nothing for it.
    fn settle_with(&self, others: &mut impl FnMut()) {
        loop {
            self.settle();
            others();
            if self.lock().ready.is_empty() {
                return;
            }
        }
    }

    fn next(&self) -> Option<Arc<Spawned>> {
        self.lock().ready.pop_front()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Runtime for VirtualTime {
    fn now(&self) -> Instant {
        self.lock().now
    }

    /// 2026-01-01 at first, in UTC.
    fn system_time(&self) -> SystemTime {
        let state = self.lock();
        SystemTime::UNIX_EPOCH + Duration::from_secs(1_767_225_600) + (state.now - state.start)
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

impl fmt::Debug for VirtualTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VirtualTime").field("now", &self.now()).finish_non_exhaustive()
    }
}

struct Spawned {
    time: VirtualTime,
    task: Mutex<Option<Task>>,
}

impl Spawned {
    fn poll(self: Arc<Self>) {
        let waker = Waker::from(self.clone());
        let mut task = self.task.lock().unwrap_or_else(PoisonError::into_inner);
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

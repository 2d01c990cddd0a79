//! The state that all runs share: checks, limits, threads, observers, the runtime.

use std::fmt;
use std::sync::atomic::AtomicU32;
#[cfg(feature = "metrics")]
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use super::clock::Clock;
use super::observer::Observers;
use super::registered::RegisteredCheck;
use crate::decision::Verdict;
use crate::lifecycle::LastRelease;
use crate::runtime::context::Context;
use crate::runtime::guard::catch;
use crate::runtime::pool::Pool;
use crate::runtime::process::PerProcess;
use crate::runtime::promise::Promise;
use crate::runtime::sync::{Mutex, lock};
#[cfg(feature = "tokio")]
use crate::runtime::tokio::{LiveRuntime, Remembered};
use crate::runtime::{Runtime, Task, ThreadRuntime};
use crate::state::StateChanges;

/// See the [module's doc](self).
pub(crate) struct Engine {
    pub(crate) checks: Vec<Arc<RegisteredCheck>>,
    pub(crate) limits: Limits,
    pub(crate) observers: Observers,
    /// The threads of blocking checks.
    pub(crate) blocking: Pool,
    /// Makes the background checks run again.
    pub(super) last_release: Arc<LastRelease>,
    /// Announced at the end of each run.
    changes: StateChanges,
    /// The process that runs the background checks; zero before the start.
    pub(super) background_of: AtomicU32,
    /// Set when the application is dropped: ends the background checks.
    stopped: PerProcess<Promise<()>>,
    runtime: OnceLock<Arc<dyn Runtime>>,
    /// The context of the build, for background checks; empty if there are none.
    build_context: Context,
    #[cfg(feature = "tokio")]
    live_tokio: LiveRuntime,
    /// The timers of a parent process wake nothing in the child of a fork.
    clock: PerProcess<Clock>,
    /// Held while the observers get a verdict, so that two changes arrive in order.
    announcing: PerProcess<Mutex<()>>,
    /// How many requests got the outcome of a run that another request had started.
    #[cfg(feature = "metrics")]
    pub(crate) runs_shared: AtomicUsize,
}

/// The limits of a run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    pub(crate) run_timeout: Duration,
    /// Minimum time between the starts of two runs of the same checks.
    pub(crate) min_interval: Duration,
    /// How many checks of a run are executed at the same time.
    pub(crate) concurrent_checks: usize,
    /// The part of its timeout after which a check is slow.
    pub(crate) slow_share: f64,
}

impl Engine {
    pub(crate) fn new(
        checks: Vec<Arc<RegisteredCheck>>,
        limits: Limits,
        blocking_threads: usize,
        observers: Observers,
        last_release: Arc<LastRelease>,
        changes: StateChanges,
        runtime: Option<Arc<dyn Runtime>>,
    ) -> Self {
        let is_background = checks.iter().any(|check| check.info.period.is_some());
        let engine = Self {
            build_context: if is_background {
                Context::current().outside_tokio()
            } else {
                Context::empty()
            },
            #[cfg(feature = "tokio")]
            live_tokio: LiveRuntime::default(),
            checks,
            limits,
            observers,
            last_release,
            changes,
            blocking: Pool::new("health-blocking", blocking_threads),
            background_of: AtomicU32::new(0),
            stopped: PerProcess::new(),
            runtime: runtime.map(OnceLock::from).unwrap_or_default(),
            clock: PerProcess::new(),
            announcing: PerProcess::new(),
            #[cfg(feature = "metrics")]
            runs_shared: AtomicUsize::new(0),
        };
        engine.offer_tokio();
        engine
    }

    /// Notes the tokio runtime of the caller, for checks that no request inside a runtime starts.
    pub(crate) fn offer_tokio(&self) {
        #[cfg(feature = "tokio")]
        self.live_tokio.offer();
    }

    /// The tokio runtime of background checks.
    #[cfg(feature = "tokio")]
    pub(super) fn tokio(&self) -> Remembered {
        self.live_tokio.remembered()
    }

    /// Set when a tokio runtime is noted; `None` if a live one is, or if none ever will be.
    pub(super) fn tokio_arrival(&self) -> Option<Arc<Promise<()>>> {
        #[cfg(feature = "tokio")]
        return self.live_tokio.arrival();
        #[cfg(not(feature = "tokio"))]
        None
    }

    /// Set when the application is dropped: ends the background checks.
    pub(crate) fn stopped(&self) -> &Promise<()> {
        self.stopped.get_or_make(Promise::default)
    }

    /// The context of the caller, for the run that its request starts.
    pub(super) fn request_context(&self) -> Context {
        self.offer_tokio();
        let context = Context::current();
        #[cfg(feature = "tokio")]
        let context = context.or_in(&self.live_tokio);
        context
    }

    /// The context of background checks.
    pub(super) fn background_context(&self) -> Context {
        let context = self.build_context.clone();
        #[cfg(feature = "tokio")]
        let context = context.or_in(&self.live_tokio);
        context
    }

    /// Uses `runtime` from now on, unless a runtime is set already.
    pub(crate) fn offer_runtime(&self, runtime: impl Runtime) {
        self.runtime.get_or_init(|| Arc::new(runtime));
    }

    /// The runtime; [`ThreadRuntime`] from now on if none is set.
    pub(crate) fn runtime(&self) -> &Arc<dyn Runtime> {
        self.runtime.get_or_init(|| Arc::new(ThreadRuntime))
    }

    pub(super) fn clock(&self) -> &Clock {
        self.clock.get_or_make(|| Clock::new(self.runtime().clone()))
    }

    /// The time, and the end of the last standstill of the process.
    pub(crate) fn time(&self) -> (Instant, Option<Instant>) {
        let clock = self.clock();
        (clock.now(), clock.resumed())
    }

    /// Announces the end of a run, and notifies the observers of the verdict on all checks, if it has changed.
    pub(crate) fn announce(&self) {
        self.changes.announce();
        if self.observers.is_empty() {
            return;
        }
        let announcing = lock(self.announcing.get_or_make(Mutex::default));
        let clock = self.clock();
        let now = clock.now();
        let resumed = clock.resumed();
        let verdict = self.checks.iter().filter_map(|check| check.verdict(now, resumed)).max();
        self.observers.verdict(verdict.unwrap_or(Verdict::Ok), now);
        drop(announcing);
        self.observers.warn();
    }

    /// Spawns `task` on the runtime. A runtime that panics has the same effect as one that drops the task.
    pub(crate) fn spawn(&self, task: Task) {
        let _ = catch(|| self.runtime().spawn(task));
    }
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine")
            .field("checks", &self.checks)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

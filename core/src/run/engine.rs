//! What all runs of an endpoint's checks share.

use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use crate::decision::Verdict;
use crate::run::Observers;
use crate::run::Registered;
use crate::runtime::guard::catch;
use crate::runtime::pool::Pool;
use crate::runtime::promise::Promise;
use crate::runtime::sync::{Mutex, lock};
use crate::runtime::{Runtime, Task, ThreadRuntime};

/// See the [module's doc](self).
pub(crate) struct Engine {
    pub(crate) checks: Vec<Arc<Registered>>,
    pub(crate) limits: Limits,
    pub(crate) observers: Observers,
    /// Where blocking checks run.
    pub(crate) blocking: Pool,
    /// Set when the endpoint is dropped: ends the background checks.
    pub(crate) stopped: Promise<()>,
    runtime: OnceLock<Arc<dyn Runtime>>,
    /// The verdict of each check when it last said something.
    verdicts: Mutex<Vec<Option<Verdict>>>,
}

/// The bounds of a run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// How long a run may take; at most one of each choice of checks is started in `min_interval`.
    pub(crate) run_timeout: Duration,
    pub(crate) min_interval: Duration,
    /// How many checks run side by side.
    pub(crate) concurrent_checks: usize,
}

impl Engine {
    pub(crate) fn new(
        checks: Vec<Arc<Registered>>,
        limits: Limits,
        blocking_threads: usize,
        observers: Observers,
        runtime: Option<Arc<dyn Runtime>>,
    ) -> Self {
        let verdicts = vec![None; checks.len()];
        Self {
            checks,
            limits,
            observers,
            blocking: Pool::new("health-blocking", blocking_threads),
            stopped: Promise::default(),
            runtime: runtime.map(OnceLock::from).unwrap_or_default(),
            verdicts: Mutex::new(verdicts),
        }
    }

    /// Uses `runtime` from now on, unless one was chosen before.
    pub(crate) fn offer_runtime(&self, runtime: impl Runtime) {
        self.runtime.get_or_init(|| Arc::new(runtime));
    }

    /// What was chosen; from now on [`ThreadRuntime`], if nothing was.
    pub(crate) fn runtime(&self) -> &Arc<dyn Runtime> {
        self.runtime.get_or_init(|| Arc::new(ThreadRuntime))
    }

    pub(crate) fn now(&self) -> Instant {
        self.runtime().now()
    }

    /// Takes in what the check with this number came to, for the observers.
    pub(crate) fn learn(&self, number: usize, verdict: Verdict) {
        if !self.observers.is_empty() {
            lock(&self.verdicts)[number] = Some(verdict);
        }
    }

    /// Tells the observers what all checks come to, if that has changed.
    pub(crate) fn announce(&self) {
        if self.observers.is_empty() {
            return;
        }
        let known = lock(&self.verdicts);
        let now = known.iter().flatten().max().copied();
        // Handed over behind the lock, so that two changes arrive in their order.
        self.observers.tell_verdict(now.unwrap_or(Verdict::Ok));
        drop(known);
        self.observers.warn();
    }

    /// Has the runtime run `task`. A runtime that panics does no more harm than one that drops it.
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

//! One run for all who ask at the same time (H7).

use std::sync::Arc;

use crate::decision::{Outcome, RunPermit};
use crate::run::Engine;
use crate::run::Run;
use crate::runtime::sync::{Mutex, lock};

/// Who asks while a run is under way joins it; who asks after it starts the next.
///
/// There is one for each choice of checks, however many endpoints make it.
#[derive(Debug)]
pub(crate) struct Dispatcher {
    engine: Arc<Engine>,
    /// The numbers of the checks.
    checks: Arc<[usize]>,
    latest: Mutex<Option<Arc<Run>>>,
}

impl Dispatcher {
    pub(crate) fn new(engine: Arc<Engine>, checks: Arc<[usize]>) -> Self {
        Self {
            engine,
            checks,
            latest: Mutex::new(None),
        }
    }

    /// The numbers of the checks it runs.
    pub(crate) fn checks(&self) -> &[usize] {
        &self.checks
    }

    /// What the checks come to.
    pub(crate) async fn outcome(&self, _permit: RunPermit) -> Arc<Outcome> {
        self.join().outcome().await
    }

    /// The run under way, or one that is recent enough, or else a new one.
    fn join(&self) -> Arc<Run> {
        let mut latest = lock(&self.latest);
        if let Some(run) = latest.as_ref().filter(|run| self.is_fresh(run)) {
            return run.clone();
        }
        let run = Run::of(&self.engine, &self.checks);
        let former = latest.replace(run.clone());
        // What the runtime does with tasks, and what a former run still holds, is foreign.
        drop(latest);
        drop(former);
        run.launch();
        run
    }

    fn is_fresh(&self, run: &Run) -> bool {
        let now = self.engine.now();
        if run.is_over() {
            now.saturating_duration_since(run.started()) < self.engine.limits.min_interval
        } else {
            !run.is_forgotten(now)
        }
    }
}

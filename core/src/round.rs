//! One execution of a check for several runs, where endpoints choose checks that overlap (H16).
//!
//! A check is never executed twice side by side. So the run of one endpoint that comes to a check which
//! that of another has in hand takes over what becomes of it there.

use std::sync::Arc;

use crate::event::Report;
use crate::latch::Latch;
use crate::run::Run;
use crate::sync::{Mutex, lock};

/// What a check has in hand, if anything.
pub(crate) struct Rounds(Mutex<Option<Arc<Round>>>);

/// One execution, from the moment that a run takes the check on until that run knows its result.
pub(crate) struct Round {
    run: Arc<Run>,
    /// The result as it counts (H15).
    settled: Latch<Vec<Report>>,
}

impl Default for Rounds {
    fn default() -> Self {
        Self(Mutex::new(None))
    }
}

impl Rounds {
    /// The round that another run has in hand; none, and one for `run` has begun, where there is none.
    pub(crate) fn join(&self, run: &Arc<Run>) -> Option<Arc<Round>> {
        let mut current = lock(&self.0);
        if let Some(round) = &*current {
            return Some(round.clone());
        }
        *current = Some(Arc::new(Round {
            run: run.clone(),
            settled: Latch::default(),
        }));
        None
    }

    /// Whether it is `run` that has the check in hand.
    pub(crate) fn is_of(&self, run: &Run) -> bool {
        let current = lock(&self.0);
        current.as_ref().is_some_and(|round| round.is_of(run))
    }

    /// Ends the round of `run`, if it has one, with this result.
    pub(crate) fn end(&self, run: &Run, settled: impl FnOnce() -> Vec<Report>) {
        let ended = lock(&self.0).take_if(|round| round.is_of(run));
        if let Some(round) = ended {
            round.settled.set(settled());
        }
    }
}

impl Round {
    fn is_of(&self, run: &Run) -> bool {
        std::ptr::eq(&*self.run, run)
    }

    /// Waits for the result, and sees to it that it comes on time.
    pub(crate) async fn result(&self) -> Vec<Report> {
        self.run.wait_for(&self.settled).await
    }
}

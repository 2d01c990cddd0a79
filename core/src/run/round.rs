//! One execution of a check for several runs, where endpoints choose checks that overlap (H16).
//!
//! A check is never executed twice side by side. So the run of one endpoint that comes to a check which
//! that of another has in hand takes over what becomes of it there.

use std::sync::Arc;

use crate::check::Report;
use crate::run::Run;
use crate::runtime::promise::Promise;
use crate::runtime::sync::{Mutex, lock};

/// What a check has in hand, if anything.
pub(crate) struct Rounds(Mutex<Option<Arc<Round>>>);

/// One execution, from the moment that a run takes the check on until that run knows its result.
pub(crate) struct Round {
    run: Arc<Run>,
    /// The result as it counts (H15); none where the run ended before it could come.
    settled: Promise<Option<Vec<Report>>>,
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
            settled: Promise::default(),
        }));
        None
    }

    /// Ends the round of `run`, if it has one; the round, if anybody waits for its result.
    pub(crate) fn end(&self, run: &Run) -> Option<Arc<Round>> {
        let is_its = |round: &mut Arc<Round>| std::ptr::eq(&*round.run, run);
        let ended = lock(&self.0).take_if(is_its)?;
        // Nobody can join it any more.
        (Arc::strong_count(&ended) > 1).then_some(ended)
    }
}

impl Round {
    /// Tells all who wait.
    pub(crate) fn settle(&self, result: Option<Vec<Report>>) {
        self.settled.set(result);
    }

    /// Waits for the result, and sees to it that it comes on time; none where the run ended before.
    pub(crate) async fn result(&self) -> Option<Vec<Report>> {
        self.run.wait_for(&self.settled).await
    }
}

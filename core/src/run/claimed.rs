//! A check that a task of a run has taken on.

use std::sync::Arc;

use super::Run;
use crate::run::execution::execute;
use crate::run::round::Round;
use crate::runtime::sync::lock;

/// Who executes a check.
enum Turn {
    /// This run.
    Own,
    /// Another run does, and this one takes over what comes of it.
    Other(Arc<Round>),
    /// Nobody need: the slot is closed.
    Closed,
}

/// A check that a task has taken on. Should the task be dropped before its end, the check has failed.
pub(super) struct Claimed<'a> {
    pub(super) run: &'a Arc<Run>,
    pub(super) slot: usize,
}

impl Claimed<'_> {
    pub(super) async fn execute(self) {
        let Run { engine, closes, .. } = &**self.run;
        loop {
            match self.take_turn() {
                Turn::Closed => return,
                Turn::Own => break,
                Turn::Other(round) => {
                    if let Some(settled) = round.result().await {
                        return self.run.take_over(self.slot, settled);
                    }
                }
            }
        }
        let began = |budget| lock(&self.run.table).begin(self.slot, budget);
        let reports = execute(self.run.check(self.slot), engine, *closes, began).await;
        self.run.deliver(self.slot, reports);
    }

    /// Whose execution fills a slot, as long as nobody has closed it. Behind the table's lock: whoever closes the slot
    /// later ends the round too.
    fn take_turn(&self) -> Turn {
        let table = lock(&self.run.table);
        match table.budget(self.slot) {
            None => Turn::Closed,
            Some(_) => match self.run.check(self.slot).rounds.join(self.run) {
                None => Turn::Own,
                Some(round) => Turn::Other(round),
            },
        }
    }
}

impl Drop for Claimed<'_> {
    fn drop(&mut self) {
        let is_open = lock(&self.run.table).budget(self.slot).is_some();
        if is_open {
            let failure = "given up: the task that ran it was dropped before its end";
            let report = self.run.check(self.slot).failure(failure);
            self.run.deliver(self.slot, vec![report]);
        }
    }
}

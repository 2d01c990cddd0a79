//! A check that a task of a run has claimed.

use std::sync::Arc;
use std::time::Instant;

use tracing::Instrument as _;

use super::Run;
use super::execution::execute;
use super::in_flight::Turn;
use super::spans;
use crate::runtime::sync::lock;
use crate::text::Rounded;

/// A claimed check. If the task is dropped before its end, the check has failed.
pub(super) struct Claimed<'a> {
    pub(super) run: &'a Arc<Run>,
    pub(super) slot: usize,
    pub(super) at: Instant,
}

impl Claimed<'_> {
    pub(super) async fn execute(self) {
        let clock = &self.run.clock;
        let check = &self.run.checks[self.slot];
        let mut now = self.at;
        let reports = loop {
            match self.take_turn(now) {
                None => return,
                Some(Turn::Own(executing)) => {
                    let span = spans::of_check(&check.info.name);
                    if !span.is_disabled() {
                        let kept = span.clone();
                        let unused = lock(&self.run.table).keep_span(self.slot, kept);
                        drop(unused);
                    }
                    let began = |start| lock(&self.run.table).begin(self.slot, start);
                    let executed = execute(check, self.run, executing, now, began);
                    break executed.instrument(span).await;
                }
                Some(Turn::Other(execution)) => {
                    if let Some(result) = execution.result(clock).await {
                        return self.run.adopt(self.slot, result);
                    }
                    now = clock.now();
                }
                Some(Turn::StillRunning { since }) => {
                    let age = Rounded(now.saturating_duration_since(since));
                    let message = format!("still running since {age} ago");
                    break vec![check.failure("still_running", message)];
                }
            }
        };
        self.run.deliver(self.slot, reports);
    }

    /// `None` if the slot is closed. The table stays locked: closing the slot later also ends the execution.
    fn take_turn(&self, now: Instant) -> Option<Turn> {
        let table = lock(&self.run.table);
        table.start(self.slot)?;
        Some(self.run.checks[self.slot].in_flight.begin(self.run.clone(), now))
    }
}

impl Drop for Claimed<'_> {
    fn drop(&mut self) {
        let is_open = lock(&self.run.table).start(self.slot).is_some();
        if is_open {
            let failure = "given up: the task that ran it was dropped before its end";
            let report = self.run.checks[self.slot].failure("given_up", failure);
            self.run.deliver(self.slot, vec![report]);
        }
    }
}

//! A timeout that several steps have in common.

use std::error::Error;
use std::future::Future;
use std::time::{Duration, Instant};

use health_core::CheckResult;

use crate::failure::{Classify, failure};
use crate::reason;
use crate::time::Clock;

/// What is left of a timeout.
pub(crate) struct Steps<'a> {
    clock: &'a Clock,
    start: Instant,
    timeout: Duration,
    classify: Classify,
}

impl<'a> Steps<'a> {
    pub(crate) fn new(clock: &'a Clock, timeout: Duration, classify: Classify) -> Self {
        Self { clock, start: clock.now(), timeout, classify }
    }

    /// Waits for `step`; a failure if the timeout passes first. `what` then says what did not happen.
    pub(crate) async fn step<T, E: Error + 'static>(
        &self,
        what: &str,
        step: impl Future<Output = Result<T, E>>,
    ) -> Result<T, CheckResult> {
        let elapsed = self.clock.now().saturating_duration_since(self.start);
        match self.clock.within(self.timeout.saturating_sub(elapsed), step).await {
            Some(result) => result.map_err(|error| failure(&error, self.classify)),
            None => {
                let text = format!("{what} within {:?}", self.timeout);
                Err(CheckResult::error(text).reason(reason::TIMED_OUT))
            }
        }
    }
}

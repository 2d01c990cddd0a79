//! The delay of a return to healthy (H25).

use std::time::Duration;

use super::{Endpoint, RunChecks};
use crate::error::BuildError;

impl Endpoint {
    /// Delays each return from failing to ok or degraded by a random part of `max`, so that hosts which failed with the
    /// same dependency do not get all of its clients back in the same second ([H25](crate::contract#h25)). Until then the
    /// endpoint still shows [`Failing`](crate::State::Failing), and the log says for how long. Default: no delay.
    ///
    /// Only a host that was healthy before is delayed, so a rolling update does not wait. A failure within the delay
    /// discards it. Starting, maintenance and draining are shown as before, and do not stop the delay. A response without
    /// checks is not delayed.
    ///
    /// These are errors when the endpoints are built: a `max` of zero; an endpoint that runs no checks; a
    /// [liveness](Self::liveness) endpoint, because its process would be restarted after it has recovered.
    pub fn recovery_delay(mut self, max: Duration) -> Self {
        self.recovery_delay = Some(max);
        self
    }

    /// `checks` is the number of checks that it selects.
    pub(super) fn refuse_recovery_delay(&self, checks: usize) -> Result<(), BuildError> {
        let Some(max) = self.recovery_delay else {
            return Ok(());
        };
        let path = self.path.clone();
        if checks == 0 || self.run_checks == RunChecks::Never {
            return Err(self.no_effect("recovery_delay", "which runs no checks"));
        }
        if max.is_zero() {
            let reason = "it must be longer than zero";
            return Err(BuildError::RecoveryDelay { path, max, reason });
        }
        if self.is_liveness {
            let reason =
                "its process would be restarted after it has recovered; use Endpoint::readiness";
            return Err(BuildError::RecoveryDelay { path, max, reason });
        }
        Ok(())
    }
}

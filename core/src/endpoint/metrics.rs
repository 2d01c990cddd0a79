//! The endpoint that shows metrics (H33).

use super::presets::{OK, only_checks};
use super::{Endpoint, Purpose, RunChecks, Selection};
use crate::details::{DetailLevel, EndpointDetails};
use crate::error::BuildError;
use crate::state::State;

impl Endpoint {
    /// The metrics of the application, for Prometheus and for whatever reads its text format or OpenMetrics: the series of all
    /// other endpoints and of all checks ([H33](crate::contract#h33)). The request chooses the format, as for
    /// [`details`](Self::details); without a choice, it gets the text format of Prometheus. A scrape runs no check, and
    /// responds 200 in every state, because Prometheus regards any other code as a failed scrape.
    ///
    /// The level is [`DetailLevel::States`] by default, which shows the names of endpoints, checks and latches, and numbers.
    /// [`details`](Self::details) and [`full_details_for`](Self::full_details_for) change it. With
    /// [`DetailLevel::None`], only readers with a token see metrics; the others get the word `OK`.
    ///
    /// These are errors when the endpoints are built: a choice of checks; another response; a recovery delay; the level
    /// [`DetailLevel::None`] without tokens.
    ///
    /// ```
    /// use health_core::{Endpoint, Health};
    ///
    /// let health = Health::builder()
    ///     .endpoint(Endpoint::readiness("/ready"))
    ///     .endpoint(Endpoint::metrics("/metrics"))
    ///     .build()?;
    /// # Ok::<(), health_core::BuildError>(())
    /// ```
    ///
    /// Prometheus: `metrics_path`.
    pub fn metrics(path: impl Into<String>) -> Self {
        Self {
            default_selection: Selection::None,
            details: EndpointDetails { level: DetailLevel::States, tokens: None, is_metrics: true },
            ..Self::new(path, Purpose::AlertsPeople, only_checks(OK)).run_checks(RunChecks::Never)
        }
    }

    /// Refuses calls that would have no effect, because it runs no check and ignores every state.
    pub(super) fn refuse_metrics(&self) -> Result<(), BuildError> {
        if !self.details.is_metrics {
            return Ok(());
        }
        let preset = only_checks(OK);
        let is_preset = |state: &State| {
            self.replies.get(*state).map(|reply| (reply.status, reply.body))
                == preset.get(*state).map(|reply| (reply.status, reply.body))
        };
        let shows = "which shows metrics in every state, and runs no check";
        if self.run_checks != RunChecks::Never {
            Err(self.no_effect("run_checks", shows))
        } else if !State::ALL.iter().all(is_preset) {
            Err(self.no_effect("respond_with", shows))
        } else if self.details.is_none() {
            Err(self.no_effect("details", "which would show no metrics without it"))
        } else {
            Ok(())
        }
    }
}

//! What a scrape shows: no check runs for it (H33).

use std::sync::atomic::Ordering;
use std::time::Instant;

use super::{Application, ServedEndpoint};
use crate::details::{
    CheckFigures, DetailLevel, EndpointDetails, EndpointFigures, Figures, values_of,
};
use crate::run::{RegisteredCheck, gravest};

impl Application {
    /// Of the endpoint and its checks, or of all if that is what it shows.
    pub(super) fn figures<'a>(
        &'a self,
        served: &'a ServedEndpoint,
        details: &EndpointDetails,
        level: DetailLevel,
    ) -> Figures<'a> {
        let (now, resumed) = self.engine.time();
        let check = |check: &'a RegisteredCheck| check_figures(check, level, now, resumed);
        let (endpoints, checks) = if details.is_metrics {
            let endpoints = self.endpoints.iter().filter(|served| served.is_in_metrics());
            (endpoints.collect(), self.engine.checks.iter().map(|each| check(each)).collect())
        } else {
            let checks = served.endpoint.checks.iter();
            (vec![served], checks.map(|(index, _)| check(&self.engine.checks[*index])).collect())
        };
        let endpoints: Vec<&ServedEndpoint> = endpoints;
        let mut figures = Figures {
            endpoints: endpoints.into_iter().map(endpoint_figures).collect(),
            checks,
            runs_shared: self.engine.runs_shared.load(Ordering::Relaxed),
            is_draining: self.drain.has_begun(),
            active_requests: self.drain.active(),
            ..Figures::default()
        };
        for (name, is_released) in self.gate.latches() {
            figures.latch(name, is_released);
        }
        if let Some((name, version)) = self.service.as_ref().filter(|_| level == DetailLevel::Full)
        {
            figures.service(name, version);
        }
        figures
    }
}

impl ServedEndpoint {
    /// Whether it is neither one that shows metrics, nor one for a single check: those would repeat the series of checks.
    fn is_in_metrics(&self) -> bool {
        let is_metrics = self.endpoint.details.as_ref().is_some_and(|details| details.is_metrics);
        !is_metrics && !self.endpoint.is_of_check
    }
}

fn endpoint_figures(served: &ServedEndpoint) -> EndpointFigures<'_> {
    let states = served.endpoint.replies.iter().map(|(state, _)| state);
    EndpointFigures::of(&served.endpoint.path, &served.counts, states)
}

fn check_figures(
    check: &RegisteredCheck,
    level: DetailLevel,
    now: Instant,
    resumed: Option<Instant>,
) -> CheckFigures<'_> {
    let reports = check.last_reports(now, resumed);
    let values = reports.as_ref().filter(|_| level == DetailLevel::Full).map(values_of);
    CheckFigures::of(
        &check.info.name,
        reports.as_deref().map(gravest),
        check.counts(),
        values.unwrap_or_default(),
    )
}

//! What a scrape shows: no check runs for it (H33).

use std::sync::atomic::Ordering;
use std::time::Instant;

use super::{Application, ServedEndpoint};
use crate::check::gravest;
use crate::details::{
    CheckFigures, DetailLevel, EndpointDetails, EndpointFigures, Figures, values_of,
};
#[cfg(feature = "metrics-facade")]
use crate::details::{Facade, duration_of};
use crate::run::RegisteredCheck;
#[cfg(feature = "metrics-facade")]
use crate::runtime::guard::catch;

impl Application {
    /// Of the endpoint and its checks, or of all if that is what it shows.
    pub(super) fn figures<'a>(
        &'a self,
        served: &'a ServedEndpoint,
        details: &EndpointDetails,
        level: DetailLevel,
    ) -> Figures<'a> {
        if details.is_metrics {
            self.figures_of_all(level)
        } else {
            let checks = served.endpoint.checks.iter();
            let endpoint = Some(served).filter(|served| served.is_in_metrics());
            self.figures_of(endpoint, checks.map(|(index, _)| &*self.engine.checks[*index]), level)
        }
    }

    fn figures_of_all(&self, level: DetailLevel) -> Figures<'_> {
        self.figures_of(
            self.shown_endpoints(),
            self.engine.checks.iter().map(|check| &**check),
            level,
        )
    }

    fn shown_endpoints(&self) -> impl Iterator<Item = &ServedEndpoint> {
        self.endpoints.iter().filter(|served| served.is_in_metrics())
    }

    fn figures_of<'a>(
        &'a self,
        endpoints: impl IntoIterator<Item = &'a ServedEndpoint>,
        checks: impl Iterator<Item = &'a RegisteredCheck>,
        level: DetailLevel,
    ) -> Figures<'a> {
        let (now, resumed) = self.engine.time();
        let mut figures = Figures {
            endpoints: endpoints.into_iter().map(endpoint_figures).collect(),
            checks: checks.map(|check| check_figures(check, level, now, resumed)).collect(),
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

#[cfg(feature = "metrics-facade")]
impl Application {
    /// Publishes the figures through the facade from now on.
    pub(crate) fn use_facade(&self) {
        let figures = self.figures_of_all(DetailLevel::States);
        let checks = || self.engine.checks.iter();
        let facade = catch(|| {
            for check in checks() {
                check.record_durations(duration_of(&check.info.name));
            }
            let facade = Facade::new(
                &figures,
                self.shown_endpoints().map(|served| &*served.endpoint.path),
                checks().map(|check| check.info.name.as_str()),
                self.gate.latches().map(|(name, _)| name),
            );
            facade.publish(&figures);
            facade
        });
        if let Ok(facade) = facade {
            let _ = self.facade.set(facade);
        }
    }

    /// Call it without a lock: the recorder is code of the application.
    pub(super) fn publish_through_facade(&self) {
        if let Some(facade) = self.facade.get() {
            let figures = self.figures_of_all(DetailLevel::States);
            let _ = catch(|| facade.publish(&figures));
        }
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

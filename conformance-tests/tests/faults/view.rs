//! The endpoints of a server and what each says (H16), with room for one fault.

use health_conformance::{Endpoint, Preset, RunChecks, Setup};

use crate::fault::Fault;
use crate::state::State;

/// One endpoint.
#[derive(Clone, Copy)]
pub(crate) struct View<'a> {
    fault: Option<Fault>,
    setup: &'a Setup,
    /// `None`: that of `healthcheck.url`.
    further: Option<&'a Endpoint>,
}

impl<'a> View<'a> {
    /// That of `healthcheck.url`.
    pub(crate) fn first(fault: Option<Fault>, setup: &'a Setup) -> Self {
        Self {
            fault,
            setup,
            further: None,
        }
    }

    /// The one at `path`, beside that.
    pub(crate) fn further(fault: Option<Fault>, setup: &'a Setup, path: &str) -> Option<Self> {
        let is_at = |endpoint: &&Endpoint| match fault {
            Some(Fault::FurtherEndpointsMissing) => false,
            Some(Fault::FurtherPathIsAPrefix) => path.starts_with(&endpoint.path),
            Some(Fault::FurtherPathIsTrimmed) => path == endpoint.path.trim_end_matches('/'),
            _ => endpoint.path == path,
        };
        let further = Some(setup.endpoints.iter().find(is_at)?);
        Some(Self {
            fault,
            setup,
            further,
        })
    }

    fn has(&self, fault: Fault) -> bool {
        self.fault == Some(fault)
    }

    pub(crate) fn is_further(&self) -> bool {
        self.further.is_some()
    }

    /// What the log knows it by.
    pub(crate) fn path(&self) -> &'a str {
        self.further.map_or("", |endpoint| &endpoint.path)
    }

    fn preset(&self) -> Preset {
        match self.further {
            None if self.has(Fault::FirstIsStrictBesideOthers)
                && !self.setup.endpoints.is_empty() =>
            {
                Preset::Strict
            }
            None => Preset::Pyramid,
            Some(endpoint) => match (endpoint.preset, self.fault) {
                (Preset::Pyramid, Some(Fault::FurtherPyramidIsStrict)) => Preset::Strict,
                (preset, _) => preset,
            },
        }
    }

    /// The numbers of the checks that it runs.
    pub(crate) fn checks(&self) -> Vec<usize> {
        let checks = &self.setup.checks;
        let all = || (0..checks.len()).collect();
        let Some(endpoint) = self.further else {
            return all();
        };
        let is_empty = endpoint.checks.as_ref().is_some_and(Vec::is_empty);
        let chooses = endpoint.checks.is_some() || !endpoint.tags.is_empty();
        let is_all = match self.fault {
            Some(Fault::FurtherRunAllChecks) => true,
            Some(Fault::NoCheckIsEvery) if is_empty => true,
            Some(Fault::LivenessRunsDependencies) => !chooses,
            _ => !chooses && endpoint.preset != Preset::Liveness,
        };
        if is_all {
            return all();
        }
        let names = || endpoint.checks.iter().flatten();
        if self.has(Fault::NamesGiveTheOrder) {
            let number = |name: &String| checks.iter().position(|check| check.name == *name);
            return names().filter_map(number).collect();
        }
        let tags = match self.fault {
            Some(Fault::TagsIgnored) => &[],
            Some(Fault::FirstTagCounts) => &endpoint.tags[..endpoint.tags.len().min(1)],
            _ => &endpoint.tags[..],
        };
        let is_chosen = |number: &usize| {
            let check = &checks[*number];
            names().any(|name| *name == check.name)
                || tags.iter().any(|tag| check.tags.contains(tag))
        };
        (0..checks.len()).filter(is_chosen).collect()
    }

    /// Whether it runs its checks, for a request whose query `asks` and, where it has `checks` at all, has a `value`.
    pub(crate) fn runs_checks(&self, asks: bool, query: &str) -> bool {
        let Some(endpoint) = self.further else {
            return asks;
        };
        let when = endpoint.run_checks.unwrap_or(match endpoint.preset {
            Preset::Pyramid | Preset::Strict | Preset::Liveness | Preset::Haproxy404 => {
                RunChecks::OnRequest
            }
            Preset::Readiness
            | Preset::Startup
            | Preset::Consul
            | Preset::Nagios
            | Preset::Envoy => RunChecks::Always,
        });
        match (when, self.fault) {
            (RunChecks::Always, Some(Fault::AlwaysNeedsAQuery)) => asks,
            (RunChecks::Always, Some(Fault::QueryForbids)) => asks || !query.contains("checks="),
            (RunChecks::OnRequest, Some(Fault::RequestIsAlways)) => true,
            (RunChecks::Always, _) => true,
            (RunChecks::OnRequest, _) => asks,
        }
    }

    /// Whether it does not ignore a state.
    pub(crate) fn shows(&self, state: State) -> bool {
        let (preset, fault) = (self.preset(), self.fault);
        match (preset, state) {
            (Preset::Liveness, State::Starting) => fault == Some(Fault::LivenessStarts),
            (Preset::Liveness, State::Maintenance) => fault == Some(Fault::LivenessInMaintenance),
            (Preset::Liveness, State::Draining) => fault == Some(Fault::LivenessDrains),
            (Preset::Startup, State::Maintenance) => fault == Some(Fault::StartupInMaintenance),
            (Preset::Startup, State::Draining) => fault == Some(Fault::StartupDrains),
            _ => true,
        }
    }

    /// Code and body.
    pub(crate) fn says(&self, state: State) -> (u16, &'static str) {
        let is_own = self.further.is_none() || self.has(Fault::CodesOfTheFirstEverywhere);
        let code = |key: &str, default: u16| {
            let written = self.setup.settings.get(&format!("healthcheck.{key}"));
            let written = written.filter(|_| is_own);
            written
                .and_then(|code| code.parse().ok())
                .unwrap_or(default)
        };
        let word = match state {
            State::Ok | State::Degraded => "OK",
            State::Failing => "ERROR",
            State::Starting => "STARTING",
            State::Maintenance => "MAINTENANCE",
            State::Draining => "DRAINING",
        };
        let preset = self.preset();
        let away = match (preset, self.fault) {
            (Preset::Haproxy404, _) => 404,
            (Preset::Nagios, Some(Fault::NagiosIsCriticalInMaintenance)) => 503,
            (Preset::Nagios, _) => 429,
            (Preset::Pyramid, _) => code("maintenance_code", 299),
            (Preset::Strict, Some(Fault::StrictSays299)) => 299,
            _ if self.has(Fault::CodesOfTheFirstEverywhere) => code("maintenance_code", 503),
            _ => 503,
        };
        match (state, preset) {
            (State::Degraded, Preset::Consul) if self.has(Fault::ConsulDegradedIsOk) => (200, "OK"),
            (State::Degraded, Preset::Consul | Preset::Nagios) => (429, "DEGRADED"),
            (State::Ok | State::Degraded, _) => (200, word),
            (State::Failing, Preset::Liveness) if self.has(Fault::LivenessNeverFails) => {
                (200, "OK")
            }
            (State::Failing, Preset::Haproxy404) if self.has(Fault::HaproxyError404) => (404, word),
            (State::Failing, _) => (code("failure_code", 503), word),
            (_, Preset::Pyramid) => (away, "MAINTENANCE"),
            _ if self.has(Fault::EveryWordIsMaintenance) => (away, "MAINTENANCE"),
            _ => (away, word),
        }
    }

    /// The headers of H16.
    pub(crate) fn headers(&self, state: State) -> Vec<(&'static str, String)> {
        let mut headers = Vec::new();
        let has_retry = match self.fault {
            Some(Fault::RetryAfterMissing) => false,
            Some(Fault::RetryAfterAlways) => true,
            Some(Fault::RetryAfterInDrain) => {
                matches!(state, State::Maintenance | State::Draining)
            }
            _ => state == State::Maintenance,
        };
        let retry_after = self.further.and_then(|endpoint| endpoint.retry_after);
        if let Some(seconds) = retry_after.filter(|_| has_retry) {
            headers.push(("retry-after", seconds.to_string()));
        }
        let is_envoys = match self.fault {
            Some(Fault::EnvoyHeadersMissing) => false,
            Some(Fault::EnvoyHeadersEverywhere) => true,
            _ => self.preset() == Preset::Envoy,
        };
        let is_degraded = state == State::Degraded
            || (state == State::Ok && self.has(Fault::EnvoyIsAlwaysDegraded));
        let fails_at_once = match state {
            State::Maintenance | State::Draining => true,
            State::Starting => self.has(Fault::EnvoyStartFailsAtOnce),
            _ => false,
        };
        if is_envoys && is_degraded {
            headers.push(("x-envoy-degraded", "true".to_owned()));
        }
        if is_envoys && fails_at_once {
            let name = "x-envoy-immediate-health-check-fail";
            headers.push((name, "true".to_owned()));
        }
        headers
    }
}

//! Endpoints as a scenario describes them.

use std::time::Duration;

use health_core::{BearerTokens, DetailLevel, Endpoint, RunChecks};

use super::scripted::registered_names;
use crate::setup::{self, Preset, Setup};

/// Builds the endpoint that `described` describes.
pub(super) fn endpoint(
    described: &setup::Endpoint,
    setup: &Setup,
    tokens: Option<&BearerTokens>,
) -> Endpoint {
    let path = &described.path;
    let mut endpoint = match described.preset {
        Preset::Pyramid => Endpoint::pyramid(path),
        Preset::Strict => Endpoint::strict(path),
        Preset::Liveness => Endpoint::liveness(path),
        Preset::Readiness => Endpoint::readiness(path),
        Preset::Startup => Endpoint::startup(path),
        Preset::Haproxy404 => Endpoint::haproxy_404(path),
        Preset::Consul => Endpoint::consul(path),
        Preset::Nagios => Endpoint::nagios(path),
        Preset::Envoy => Endpoint::envoy(path),
    };
    let names: Vec<_> =
        described.checks.iter().flatten().flat_map(|name| registered_names(name, setup)).collect();
    if described.chooses() && names.is_empty() && described.tags.is_empty() {
        endpoint = endpoint.no_checks();
    }
    if !names.is_empty() {
        endpoint = endpoint.only_checks(names);
    }
    for tag in &described.tags {
        endpoint = endpoint.tagged(tag);
    }
    endpoint = match described.run_checks {
        Some(setup::RunChecks::Always) => endpoint.run_checks(RunChecks::Always),
        Some(setup::RunChecks::OnRequest) => endpoint.run_checks(RunChecks::OnRequest),
        Some(setup::RunChecks::Never) => endpoint.run_checks(RunChecks::Never),
        None => endpoint,
    };
    let registered = |names: &[String]| -> Vec<_> {
        names.iter().flat_map(|name| registered_names(name, setup)).collect()
    };
    endpoint = registered(&described.required).into_iter().fold(endpoint, Endpoint::required_check);
    endpoint = registered(&described.optional).into_iter().fold(endpoint, Endpoint::optional_check);
    endpoint = match described.retry_after {
        Some(seconds) => endpoint.retry_after(Duration::from_secs(seconds)),
        None => endpoint,
    };
    endpoint = match described.recovery_delay {
        Some(max) => endpoint.recovery_delay(max),
        None => endpoint,
    };
    endpoint = match described.details {
        Some(setup::DetailLevel::States) => endpoint.details(DetailLevel::States),
        Some(setup::DetailLevel::Full) => endpoint.details(DetailLevel::Full),
        None => endpoint,
    };
    if let Some(tokens) = tokens {
        endpoint = endpoint.full_details_for(tokens);
    }
    if described.check_paths { endpoint.check_paths() } else { endpoint }
}

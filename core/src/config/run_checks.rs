//! When an endpoint runs its checks (H5).

use crate::text::names;

/// When an endpoint runs its checks: set by [`HealthConfig::with_run_checks`](crate::HealthConfig::with_run_checks)
/// for the endpoint of `healthcheck.url`, and by [`Endpoint::run_checks`](crate::Endpoint::run_checks) for any other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RunChecks {
    /// For requests that ask for them: `?checks=all` ([H5](crate::contract#h5)).
    OnRequest,
    /// For every request.
    Always,
    /// For no request, whatever its query: for an endpoint that untrusted clients can reach.
    Never,
}

names!(RunChecks, "choice of when to run checks", {
    OnRequest => "on_request",
    Always => "always",
    Never => "never",
});

//! A further endpoint of a server under test.

use serde::{Deserialize, Serialize};

/// A further endpoint, in addition to that of `healthcheck.url` (H16).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Endpoint {
    /// Its path, exactly.
    pub path: String,
    /// What it answers, and to whom it is made to measure.
    pub preset: Preset,
    /// The names of the checks that it runs. Default, where there are no tags either: those of its preset.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checks: Option<Vec<String>>,
    /// It runs every check that has one of these tags, too.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// For which requests it runs them. Default: its preset's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_checks: Option<RunChecks>,
    /// The seconds of Retry-After in maintenance. Default: no such header.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<u64>,
}

/// A row of the table of H16, by the poller that it is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the table of H16 says what each answers")]
pub enum Preset {
    Pyramid,
    Strict,
    Liveness,
    Readiness,
    Startup,
    #[serde(rename = "haproxy_404")]
    Haproxy404,
    Consul,
    Nagios,
    Envoy,
}

/// For which requests an endpoint runs its checks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunChecks {
    /// For those that ask (H5).
    OnRequest,
    /// For every request.
    Always,
    /// For no request, whatever its query.
    Never,
}

/// Which answers are logged (H21).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogPolicy {
    /// Each, as H8 says.
    #[default]
    Every,
    /// The first of each state, whatever the state.
    Change,
}

impl LogPolicy {
    pub(super) fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

impl Endpoint {
    /// Whether it chooses its checks, and does not run those of its preset.
    pub(crate) fn chooses(&self) -> bool {
        self.checks.is_some() || !self.tags.is_empty()
    }
}

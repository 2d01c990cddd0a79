//! An additional endpoint of a server under test.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::milliseconds;

/// An endpoint in addition to that of `healthcheck.url` (H16).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Endpoint {
    /// Its exact path.
    pub path: String,
    /// The preset that defines its responses.
    pub preset: Preset,
    /// The names of the checks that it runs. Default, if there are no tags: those of its preset.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checks: Option<Vec<String>>,
    /// It also runs every check with one of these tags. Default: none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// For which requests it runs its checks. Default: that of its preset.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_checks: Option<RunChecks>,
    /// The names of checks that it regards as required (H13). Default: none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub required: Vec<String>,
    /// The names of checks that it regards as optional (H13). Default: none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub optional: Vec<String>,
    /// Seconds of `Retry-After` in maintenance. Default: no such header.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<u64>,
    /// The longest delay of its return to healthy (H25). Default: none.
    #[serde(default, with = "milliseconds::optional", skip_serializing_if = "Option::is_none")]
    pub recovery_delay: Option<Duration>,
    /// What it shows to every reader besides its word (H29). Default: nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub details: Option<DetailLevel>,
    /// The bearer tokens of readers who see everything (H30). Default: none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tokens: Vec<String>,
    /// Whether it also responds for each of its checks alone (H32). Default: `false`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub check_paths: bool,
}

/// How much an endpoint shows (H29).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DetailLevel {
    /// Names, states and reasons.
    States,
    /// Everything.
    Full,
}

/// A preset of H16.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the table of H16 defines the responses")]
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
    /// For requests with `checks=all` (H5).
    OnRequest,
    /// For every request.
    Always,
    /// For no request, whatever its query.
    Never,
}

/// Which responses are logged (H21).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogPolicy {
    /// Each that is not OK (H8).
    #[default]
    Every,
    /// Only changes of state.
    Change,
}

impl LogPolicy {
    pub(super) fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

impl Endpoint {
    /// Whether a reader can see more of it than its word.
    pub(crate) fn has_details(&self) -> bool {
        self.details.is_some() || !self.tokens.is_empty()
    }

    /// Whether it selects checks instead of running those of its preset.
    pub(crate) fn chooses(&self) -> bool {
        self.checks.is_some() || !self.tags.is_empty()
    }
}

//! How long a drain of a server under test lasts.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::milliseconds;

/// How long a drain lasts (H27): the minimum alone is a fixed time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Drain {
    /// The minimum.
    #[serde(with = "milliseconds")]
    pub at_least: Duration,
    /// The maximum, until which requests and pollers prolong it. Default: none.
    #[serde(default, with = "milliseconds::optional", skip_serializing_if = "Option::is_none")]
    pub at_most: Option<Duration>,
    /// How often a poller is told before it has noticed the drain. Default: 3.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure_threshold: Option<u32>,
}

impl Drain {
    /// How often a poller is told.
    pub(crate) fn told(&self) -> usize {
        self.failure_threshold.map_or(3, |threshold| threshold as usize)
    }

    /// How long it lasts if requests never end.
    pub(crate) fn longest(&self) -> Duration {
        self.at_most.unwrap_or(self.at_least)
    }
}

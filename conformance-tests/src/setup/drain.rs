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
}

impl Drain {
    /// How long it lasts if requests never end.
    pub(crate) fn longest(&self) -> Duration {
        self.at_most.unwrap_or(self.at_least)
    }
}

//! A check as the endpoint keeps it: as described, and what it has been until now.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::check::{Check, Work, is_name};
use crate::check::{CheckStatus, Thresholds};
use crate::check::{Report, Status};
use crate::decision::Criticality;
use crate::error::BuildError;
use crate::run::flight::Flight;
use crate::run::round::Rounds;
use crate::runtime::sync::{Mutex, lock};

/// See the [module's doc](self).
pub(crate) struct Registered {
    pub(crate) name: String,
    pub(crate) work: Work,
    pub(crate) timeout: Duration,
    pub(crate) need: Criticality,
    pub(crate) period: Option<Duration>,
    pub(crate) flight: Arc<Flight>,
    pub(crate) rounds: Rounds,
    pub(crate) tags: BTreeSet<String>,
    pub(crate) is_process_only: bool,
    thresholds: Thresholds,
    status: Mutex<CheckStatus>,
    latest: Mutex<Option<Latest>>,
}

/// The last result of a background check.
struct Latest {
    came: Instant,
    reports: Vec<Report>,
}

/// How many periods a background check's result is good for (H14).
const PERIODS: u32 = 3;

impl Registered {
    /// Checks what was described (see `docs/contract.md`, H12 to H15).
    pub(crate) fn new(check: Check, default_timeout: Duration) -> Result<Self, BuildError> {
        let name = check.name;
        if !is_name(&name) {
            let name = crate::text::cut(name);
            return Err(BuildError::CheckName { name });
        }
        let period = check.period.unwrap_or(Duration::MAX);
        let timeout = check.timeout.unwrap_or(default_timeout.min(period));
        let thresholds = check.thresholds;
        if period.is_zero() {
            return Err(BuildError::ZeroPeriod { name });
        }
        if timeout.is_zero() {
            return Err(BuildError::ZeroTimeout { name });
        }
        if period < timeout {
            return Err(BuildError::ShortPeriod {
                name,
                period,
                timeout,
            });
        }
        if thresholds.failures == 0 || thresholds.successes == 0 {
            return Err(BuildError::ZeroThreshold { name });
        }
        Ok(Self {
            name,
            work: check.work,
            timeout,
            need: check.need,
            period: check.period,
            flight: Arc::default(),
            rounds: Rounds::default(),
            tags: check.tags,
            is_process_only: check.is_process_only,
            thresholds,
            status: Mutex::new(CheckStatus::default()),
            latest: Mutex::new(None),
        })
    }

    /// Whether an endpoint means this one by `name`.
    pub(crate) fn is_named(&self, name: &str) -> bool {
        self.name == name
    }

    /// A failure of the check as a whole, in words.
    pub(crate) fn failure(&self, message: impl fmt::Display) -> Report {
        Report::new(&self.name, Status::Error, Some(&message))
    }

    /// What one execution counts as (H15).
    pub(crate) fn settle(&self, reports: Vec<Report>) -> Vec<Report> {
        let mut status = lock(&self.status);
        status.settle(self.thresholds, &self.name, reports)
    }

    /// Keeps the result of a background check.
    pub(crate) fn keep(&self, came: Instant, reports: Vec<Report>) {
        let latest = Latest { came, reports };
        let former = lock(&self.latest).replace(latest);
        drop(former);
    }

    /// What a background check says at `now`, without waiting; `None` for any other check (H14).
    pub(crate) fn reading(&self, now: Instant) -> Option<Vec<Report>> {
        let period = self.period?;
        let latest = lock(&self.latest);
        let Some(latest) = &*latest else {
            return Some(vec![self.failure("not run yet")]);
        };
        let age = now.saturating_duration_since(latest.came);
        Some(if age > period.saturating_mul(PERIODS) {
            vec![self.failure(format_args!("stale since {} ago", Rounded(age)))]
        } else {
            latest.reports.clone()
        })
    }
}

impl fmt::Debug for Registered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

/// A duration for people, to the millisecond.
pub(crate) struct Rounded(pub(crate) Duration);

impl fmt::Display for Rounded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let milliseconds = u64::try_from(self.0.as_millis()).unwrap_or(u64::MAX);
        write!(f, "{:?}", Duration::from_millis(milliseconds))
    }
}

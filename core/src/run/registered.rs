//! A check as runs use it: its description, the execution under way, and its results so far.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::GRACE;
use super::in_flight::InFlight;
use super::observer::CheckFinished;
use crate::check::{Check, CheckStatus, Criticality, Report, Status, Thresholds, Work};
use crate::decision::Verdict;
use crate::runtime::sync::{Mutex, lock};
use crate::text::Rounded;

/// See the [module's doc](self).
pub(crate) struct RegisteredCheck {
    pub(crate) name: Arc<str>,
    pub(super) work: Work,
    pub(crate) timeout: Duration,
    pub(crate) criticality: Criticality,
    pub(crate) period: Option<Duration>,
    pub(super) in_flight: InFlight,
    thresholds: Thresholds,
    results: Mutex<Results>,
}

/// The results of all executions so far.
#[derive(Default)]
struct Results {
    status: CheckStatus,
    last: Option<CheckFinished>,
}

/// The result of a background check is stale after this number of periods (H14).
const STALE_AFTER: u32 = 3;

impl RegisteredCheck {
    /// `check` was validated; `default_timeout` is that of checks which set none.
    pub(crate) fn new(check: Check, default_timeout: Duration) -> Self {
        Self {
            timeout: check.timeout_or(default_timeout),
            name: check.name.into(),
            work: check.work,
            criticality: check.criticality,
            period: check.period,
            in_flight: InFlight::default(),
            thresholds: check.thresholds,
            results: Mutex::new(Results::default()),
        }
    }

    /// A failure that the check did not report itself.
    pub(super) fn failure(&self, message: impl fmt::Display) -> Report {
        Report::new(&self.name, Status::Error, Some(&message))
    }

    /// Counts one execution (H15) and keeps its result.
    pub(super) fn finish(
        &self,
        reports: Vec<Report>,
        started: Instant,
        now: Instant,
    ) -> CheckFinished {
        let mut results = lock(&self.results);
        let reports = results.status.count(self.thresholds, &self.name, reports);
        let finished = CheckFinished {
            check: self.name.clone(),
            reports: reports.into(),
            duration: now.saturating_duration_since(started),
            finished_at: now,
        };
        let former = results.last.replace(finished.clone());
        drop(results);
        drop(former);
        finished
    }

    /// The result of the last execution.
    pub(crate) fn last_result(&self) -> Option<CheckFinished> {
        lock(&self.results).last.clone()
    }

    /// The result of a background check at `now`; `None` for a check that runs on request (H14). A result is not stale
    /// while a run may be under way that began when the process `resumed` after a standstill.
    pub(super) fn background_result(
        &self,
        now: Instant,
        resumed: Option<Instant>,
    ) -> Option<Arc<[Report]>> {
        let period = self.period?;
        let results = lock(&self.results);
        let Some(last) = &results.last else {
            return Some([self.failure("not run yet")].into());
        };
        let age = now.saturating_duration_since(last.finished_at);
        let since_standstill = resumed.map(|resumed| now.saturating_duration_since(resumed));
        let is_next_due =
            since_standstill.is_none_or(|time| time > self.timeout.saturating_add(GRACE));
        Some(if age > period.saturating_mul(STALE_AFTER) && is_next_due {
            [self.failure(format_args!("stale since {} ago", Rounded(age)))].into()
        } else {
            last.reports.clone()
        })
    }

    /// The verdict on the check at `now`; `None` if it has not run yet.
    pub(super) fn verdict(&self, now: Instant, resumed: Option<Instant>) -> Option<Verdict> {
        let last = self.last_result()?;
        let reports = self.background_result(now, resumed).unwrap_or(last.reports);
        Some(Verdict::of(self.criticality, &reports))
    }
}

impl fmt::Debug for RegisteredCheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

//! A check as runs use it: its description, the execution under way, and its results so far.

use std::fmt;
use std::sync::Arc;
#[cfg(feature = "metrics")]
use std::sync::OnceLock;
#[cfg(feature = "metrics")]
use std::time::SystemTime;
use std::time::{Duration, Instant};

use super::GRACE;
use super::check_warnings::CheckWarnings;
#[cfg(feature = "details")]
use super::history::CheckHistory;
use super::in_flight::InFlight;
use super::observer::CheckFinished;
use super::peers::{PeerMemory, View};
#[cfg(feature = "details")]
use crate::check::References;
#[cfg(feature = "metrics")]
use crate::check::gravest;
use crate::check::{
    Check, CheckInfo, CheckResult, CheckStatus, Counting, Criticality, Report, Status, Thresholds,
    Work, has_failed,
};
use crate::decision::Verdict;
#[cfg(feature = "metrics")]
use crate::details::CheckCounts;
#[cfg(feature = "metrics-facade")]
use crate::runtime::guard::catch;
use crate::runtime::sync::{Mutex, lock};
use crate::text::Rounded;

/// See the [module's doc](self).
pub(crate) struct RegisteredCheck {
    pub(crate) info: Arc<CheckInfo>,
    pub(super) work: Work,
    /// The period while it counts as failing.
    pub(super) failing_period: Option<Duration>,
    pub(super) in_flight: InFlight,
    pub(super) thresholds: Thresholds,
    pub(super) peers: PeerMemory,
    results: Mutex<Results>,
    pub(super) warnings: CheckWarnings,
    /// Empty if no endpoint shows them.
    #[cfg(feature = "metrics")]
    counts: OnceLock<Mutex<CheckCounts>>,
    /// Empty if the durations are not published.
    #[cfg(feature = "metrics-facade")]
    durations: OnceLock<metrics::Histogram>,
}

/// The results of all executions so far.
#[derive(Default)]
struct Results {
    status: CheckStatus,
    /// The end of the execution since which the check counts as failing; `None` if it counts as OK.
    failing_since: Option<Instant>,
    last: Option<CheckFinished>,
    /// `None` if no endpoint shows it.
    #[cfg(feature = "details")]
    history: Option<Box<CheckHistory>>,
}

/// The result of a background check is stale after this number of periods (H14).
pub(super) const STALE_AFTER: u32 = 3;

impl RegisteredCheck {
    /// `check` was validated; `default_timeout` is that of checks which set none.
    pub(crate) fn new(check: Check, default_timeout: Duration) -> Self {
        let info = CheckInfo {
            timeout: check.timeout_or(default_timeout),
            name: check.name,
            description: check.facts.description,
            owner: check.facts.owner,
            runbook: check.facts.runbook,
            criticality: check.criticality,
            is_shared: check.is_shared,
            is_process_only: check.is_process_only,
            period: check.period,
            tags: check.tags,
        };
        Self {
            info: Arc::new(info),
            work: check.work,
            failing_period: check.failing_period,
            in_flight: InFlight::default(),
            thresholds: check.thresholds,
            peers: PeerMemory::default(),
            results: Mutex::new(Results::default()),
            warnings: CheckWarnings::default(),
            #[cfg(feature = "metrics")]
            counts: OnceLock::new(),
            #[cfg(feature = "metrics-facade")]
            durations: OnceLock::new(),
        }
    }

    /// A failure that the check did not report itself.
    pub(super) fn failure(&self, reason: &'static str, message: impl fmt::Display) -> Report {
        Report::of(&self.info.name, CheckResult::failure(reason, message))
    }

    /// Counts one execution (H15) and keeps its result. `started` is `None` if it could not begin.
    pub(super) fn finish(
        &self,
        reports: Vec<Report>,
        started: Option<Instant>,
        now: Instant,
    ) -> CheckFinished {
        let mut results = lock(&self.results);
        let reports = results.status.count(self.thresholds, &self.info.name, reports);
        let duration = started.map(|started| now.saturating_duration_since(started));
        #[cfg(feature = "details")]
        let reports = match &mut results.history {
            Some(history) => history.add(reports, duration, now),
            None => reports,
        };
        results.failing_since =
            if has_failed(&reports) { results.failing_since.or(Some(now)) } else { None };
        let finished = CheckFinished {
            check: self.info.clone(),
            reports: reports.into(),
            duration: duration.unwrap_or_default(),
            finished_at: now,
            failing_since: results.failing_since,
        };
        let former = results.last.replace(finished.clone());
        drop(results);
        drop(former);
        finished
    }

    /// Counts the executions from now on.
    #[cfg(feature = "metrics")]
    pub(crate) fn keep_counts(&self) {
        let _ = self.counts.set(Mutex::default());
    }

    /// Counts one execution by what it has returned, before thresholds. `time` is `None` if it did not begin.
    #[cfg(feature = "metrics")]
    pub(super) fn count(&self, reports: &[Report], time: Option<Duration>, now: SystemTime) {
        if let Some(counts) = self.counts.get() {
            let has_timed_out = reports.iter().any(|report| report.reason() == Some("timed_out"));
            lock(counts).add(gravest(reports), has_timed_out, time, now);
        }
    }

    /// Publishes the durations of the executions from now on.
    #[cfg(feature = "metrics-facade")]
    pub(crate) fn record_durations(&self, durations: metrics::Histogram) {
        let _ = self.durations.set(durations);
    }

    /// Publishes the duration of an execution; `None` if it did not begin. Call it without a lock: the recorder is code of the
    /// application.
    #[cfg(feature = "metrics-facade")]
    pub(super) fn record_duration(&self, time: Option<Duration>) {
        if let (Some(durations), Some(time)) = (self.durations.get(), time) {
            let _ = catch(|| durations.record(time.as_secs_f64()));
        }
    }

    #[cfg(feature = "metrics")]
    pub(crate) fn counts(&self) -> CheckCounts {
        self.counts.get().map(|counts| lock(counts).clone()).unwrap_or_default()
    }

    /// The last result as it counts at `now`; `None` before the first one.
    #[cfg(feature = "metrics")]
    pub(crate) fn last_reports(
        &self,
        now: Instant,
        resumed: Option<Instant>,
    ) -> Option<Arc<[Report]>> {
        let last = self.last_result()?;
        Some(self.background_result(now, resumed).unwrap_or(last.reports))
    }

    /// Remembers the executions from now on.
    #[cfg(feature = "details")]
    pub(crate) fn keep_history(&self, references: &Arc<References>) {
        lock(&self.results).history = Some(Box::new(CheckHistory::new(references.clone())));
    }

    /// What `look` finds in the history; `None` if there is none.
    #[cfg(feature = "details")]
    pub(crate) fn with_history<T>(&self, look: impl FnOnce(&CheckHistory) -> T) -> Option<T> {
        lock(&self.results).history.as_deref().map(look)
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
        let period = self.info.period?;
        let results = lock(&self.results);
        Some(match self.missing(period, &results, now, resumed) {
            Err(missing) => [missing].into(),
            Ok(last) => last.reports.clone(),
        })
    }

    /// The last result of a background check, or the failure to report instead.
    fn missing<'a>(
        &self,
        period: Duration,
        results: &'a Results,
        now: Instant,
        resumed: Option<Instant>,
    ) -> Result<&'a CheckFinished, Report> {
        let last =
            results.last.as_ref().ok_or_else(|| self.failure("not_run_yet", "not run yet"))?;
        let age = now.saturating_duration_since(last.finished_at);
        let period = self.period_after(period, results);
        let is_next_due = || {
            let since_standstill = resumed.map(|resumed| now.saturating_duration_since(resumed));
            since_standstill.is_none_or(|time| time > self.info.timeout.saturating_add(GRACE))
        };
        if age > period.saturating_mul(STALE_AFTER) && is_next_due() {
            Err(self.failure("stale", format_args!("stale since {} ago", Rounded(age))))
        } else {
            Ok(last)
        }
    }

    /// The time from the start of the last execution of a background check to that of the next.
    pub(super) fn pause(&self, period: Duration) -> Duration {
        self.period_after(period, &lock(&self.results))
    }

    fn period_after(&self, period: Duration, results: &Results) -> Duration {
        match (self.failing_period, results.failing_since) {
            (Some(failing_period), Some(_)) => failing_period,
            _ => period,
        }
    }

    /// Whether it counts as OK. `None` if it has no result at `now`, or none since the process `resumed` after a
    /// standstill. A result of a check on request counts for `lifetime`.
    pub(super) fn is_reached(
        &self,
        now: Instant,
        resumed: Option<Instant>,
        lifetime: Duration,
    ) -> Option<bool> {
        let results = lock(&self.results);
        let last = match self.info.period {
            Some(period) => self.missing(period, &results, now, resumed).ok()?,
            None => results.last.as_ref()?,
        };
        let age = now.saturating_duration_since(last.finished_at);
        let is_outdated = self.info.period.is_none() && age > lifetime;
        let is_from_before = resumed.is_some_and(|resumed| resumed > last.finished_at);
        (!is_outdated && !is_from_before).then(|| !has_failed(&last.reports))
    }

    /// How its results count at `now` on an endpoint. The failures of a shared check say how long it has failed (H22).
    pub(super) fn counted(
        &self,
        counting: Counting,
        reports: Arc<[Report]>,
        now: Instant,
        resumed: Option<Instant>,
    ) -> (Criticality, Arc<[Report]>) {
        let fail_after = match counting {
            Counting::As(criticality) => return (criticality, reports),
            Counting::Shared { fail_after } => fail_after,
        };
        let results = lock(&self.results);
        let is_missing = self
            .info
            .period
            .is_some_and(|period| self.missing(period, &results, now, resumed).is_err());
        // What this host has not found out is no failure of the dependency.
        if !has_failed(&reports) || is_missing {
            return (Criticality::Required, reports);
        }
        let since = results.failing_since.unwrap_or(now);
        // The dependency was not observed while the process stood still.
        let since = resumed.map_or(since, |resumed| resumed.max(since));
        let time = now.saturating_duration_since(since);
        let view = self.peers.view(now, resumed);
        let has_lasted = fail_after.is_some_and(|limit| time >= limit);
        // Nor can peers confirm what this host has not looked at for long.
        let is_recent = |lifetime| {
            let last = results.last.as_ref().map(|last| last.finished_at);
            self.info.period.is_some()
                || last.is_some_and(|last| now.saturating_duration_since(last) <= lifetime)
        };
        let is_alone = view.is_some_and(|view| {
            is_recent(view.lifetime()) && view.is_confirmed(since, self.notice_time(&view))
        });
        let (criticality, note) = if results.status == CheckStatus::Unproven {
            (Criticality::Required, "shared, never OK".to_owned())
        } else if has_lasted || is_alone {
            (Criticality::Required, failing_for(time, view))
        } else {
            (Criticality::Optional, failing_for(time, view))
        };
        drop(results);
        let noted = reports.iter().map(|report| match report.status() {
            Status::Ok | Status::Degraded => report.clone(),
            Status::Error => report.clone().overruled(Status::Error, &note),
        });
        (criticality, noted.collect())
    }

    /// The verdict on the check at `now`; `None` if it has not run yet.
    pub(super) fn verdict(&self, now: Instant, resumed: Option<Instant>) -> Option<Verdict> {
        let last = self.last_result()?;
        let reports = self.background_result(now, resumed).unwrap_or(last.reports);
        Some(Verdict::of(self.info.criticality, &reports))
    }
}

fn failing_for(time: Duration, view: Option<View>) -> String {
    let time = Rounded(time);
    match view {
        None => format!("shared, failing for {time}"),
        Some(view) => format!("shared, failing for {time}, {view}"),
    }
}

impl fmt::Debug for RegisteredCheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.info.name)
    }
}

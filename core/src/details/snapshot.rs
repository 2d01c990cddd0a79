//! What one reader may see of an endpoint at one moment.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use http::StatusCode;

use super::level::DetailLevel;
use crate::check::{CheckInfo, Criticality, Reference, Report, Status, Value};
use crate::state::{Body, State};

/// See the [module's doc](self). Whatever may contain a secret is `None` or empty below the full level.
#[derive(Debug)]
pub(crate) struct Snapshot {
    pub(crate) time: SystemTime,
    pub(crate) path: Arc<str>,
    /// The state that the response shows.
    pub(crate) state: State,
    pub(crate) status: StatusCode,
    pub(crate) word: Body,
    /// Since when the endpoint has this state.
    pub(crate) since: Option<SystemTime>,
    pub(crate) cause: Cause,
    /// The last response in one word, which is what pollers get.
    pub(crate) last_poll: Option<Poll>,
    /// Whether this request has run the checks, or the endpoint has none to run.
    pub(crate) has_run_checks: bool,
    pub(crate) checks: Vec<CheckDetails>,
    /// The latest changes of the state, the oldest first.
    pub(crate) changes: Vec<(SystemTime, State)>,
    /// At the full level.
    pub(crate) process: Option<Process>,
}

/// What the state follows from, besides the checks.
#[derive(Debug)]
pub(crate) enum Cause {
    /// Only the checks.
    Checks,
    /// The return to healthy is delayed for the rest of a time (H25).
    Recovery { rest: Duration },
    /// Latches that are not released.
    Start { latches: Vec<LatchDetails> },
    /// `disablefile` is its path, at the full level.
    Maintenance { by_switch: bool, disablefile: Option<String> },
    /// `rest` is the time until the server may stop, as far as that is known.
    Drain { rest: Option<Duration>, active_requests: usize },
}

/// A latch that is not released.
#[derive(Debug)]
pub(crate) struct LatchDetails {
    pub(crate) name: String,
    pub(crate) has_failed: bool,
    /// At the full level.
    pub(crate) error: Option<String>,
}

/// A response to a poller.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Poll {
    pub(crate) time: SystemTime,
    pub(crate) status: StatusCode,
    pub(crate) word: Body,
}

/// What is known of the process.
#[derive(Debug)]
pub(crate) struct Process {
    /// The name and the version of the program, if it told them.
    pub(crate) service: Option<(String, String)>,
    pub(crate) uptime: Duration,
    pub(crate) active_requests: usize,
}

/// A check, and its last result as it counts on the endpoint.
#[derive(Debug)]
pub(crate) struct CheckDetails {
    pub(crate) name: String,
    /// The gravest of its results; `None` before the first one.
    pub(crate) status: Option<Status>,
    pub(crate) criticality: Criticality,
    pub(crate) is_shared: bool,
    /// The period of a background check.
    pub(crate) period: Option<Duration>,
    /// The gravest first, if there are more than are shown.
    pub(crate) results: Vec<ReportDetails>,
    /// How many results are not shown.
    pub(crate) omitted_results: usize,
    /// Since when it has this status.
    pub(crate) since: Option<SystemTime>,
    pub(crate) last_ok: Option<SystemTime>,
    /// The end of its last execution, and the duration.
    pub(crate) last_execution: Option<(SystemTime, Duration)>,
    /// The latest executions, the oldest first.
    pub(crate) history: Vec<Sample>,
    /// At the full level.
    pub(crate) people: Option<People>,
}

/// What people need to know about a check.
#[derive(Debug)]
pub(crate) struct People {
    pub(crate) description: Option<String>,
    pub(crate) owner: Option<String>,
    pub(crate) runbook: Option<String>,
}

/// One result.
#[derive(Debug)]
pub(crate) struct ReportDetails {
    pub(crate) name: String,
    pub(crate) status: Status,
    pub(crate) reason: Option<String>,
    pub(crate) reference: Option<Reference>,
    /// At the full level.
    pub(crate) message: Option<String>,
    /// Whether it has a message that the level does not show.
    pub(crate) is_message_withheld: bool,
    /// At the full level.
    pub(crate) values: Vec<Value>,
}

/// One execution of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sample {
    pub(crate) status: Status,
    pub(crate) duration: Duration,
}

impl People {
    /// `None` below the full level.
    pub(crate) fn of(info: &CheckInfo, level: DetailLevel) -> Option<Self> {
        (level == DetailLevel::Full).then(|| Self {
            description: info.description.clone(),
            owner: info.owner.clone(),
            runbook: info.runbook.clone(),
        })
    }
}

/// How many results of a check are shown: a subscriber can report any number.
const MAX_RESULTS: usize = 100;

impl ReportDetails {
    /// The results that are shown.
    pub(crate) fn of_all(reports: &[Report], level: DetailLevel) -> Vec<Self> {
        let has = |status| reports.iter().filter(move |report| report.status() == status);
        let shown = |report| Self::of(report, level);
        if reports.len() <= MAX_RESULTS {
            return reports.iter().map(shown).collect();
        }
        let by_gravity = has(Status::Error).chain(has(Status::Degraded)).chain(has(Status::Ok));
        by_gravity.take(MAX_RESULTS).map(shown).collect()
    }

    fn of(report: &Report, level: DetailLevel) -> Self {
        let is_full = level == DetailLevel::Full;
        Self {
            name: report.name().to_owned(),
            status: report.status(),
            reason: report.reason().map(str::to_owned),
            reference: report.reference(),
            message: report.message().filter(|_| is_full).map(str::to_owned),
            is_message_withheld: report.message().is_some() && !is_full,
            values: if is_full { report.values().to_vec() } else { Vec::new() },
        }
    }
}

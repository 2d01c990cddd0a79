//! Our own JSON: `docs/health.schema.json` describes it.

use std::borrow::Cow;
use std::time::SystemTime;

use serde::{Serialize, Serializer};

use super::object::Number;
use super::snapshot::{
    Cause, CheckDetails, LatchDetails, People, Process, ReportDetails, Sample, Snapshot,
};
use super::time::Times;
use crate::check::{Status, Value};

/// The document of a snapshot.
pub(super) fn write(snapshot: &Snapshot) -> Cow<'static, str> {
    // Writing into a string fails only if a value refuses to be written, and none of these does.
    serde_json::to_string(&Document::of(snapshot, &Times::default())).unwrap_or_default().into()
}

#[derive(Serialize)]
struct Document<'a> {
    status: &'static str,
    code: u16,
    body: &'static str,
    endpoint: &'a str,
    time: String,
    since: Option<String>,
    cause: Option<CauseDocument<'a>>,
    last_poll: Option<PollDocument>,
    ran_checks: bool,
    checks: Checks<'a>,
    changes: Vec<ChangeDocument>,
    #[serde(skip_serializing_if = "Option::is_none")]
    process: Option<ProcessDocument<'a>>,
}

#[derive(Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum CauseDocument<'a> {
    Recovery {
        rest_seconds: f64,
    },
    Start {
        latches: Vec<LatchDocument<'a>>,
    },
    Maintenance {
        by_switch: bool,
        #[serde(skip_serializing_if = "Option::is_none")]
        disablefile: Option<&'a str>,
    },
    Drain {
        rest_seconds: Option<f64>,
        active_requests: usize,
    },
}

#[derive(Serialize)]
struct LatchDocument<'a> {
    name: &'a str,
    failed: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a str>,
}

#[derive(Serialize)]
struct PollDocument {
    time: String,
    code: u16,
    body: &'static str,
}

#[derive(Serialize)]
struct ChangeDocument {
    time: String,
    status: &'static str,
}

#[derive(Serialize)]
struct ProcessDocument<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<&'a str>,
    uptime_seconds: f64,
    active_requests: usize,
}

#[derive(Serialize)]
struct CheckDocument<'a> {
    status: &'static str,
    criticality: &'static str,
    shared: bool,
    period_seconds: Option<f64>,
    since: Option<String>,
    last_ok: Option<String>,
    last_run: Option<String>,
    duration_seconds: Option<f64>,
    results: Vec<ResultDocument<'a>>,
    #[serde(skip_serializing_if = "is_zero")]
    omitted_results: usize,
    history: HistoryDocument<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    owner: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    runbook: Option<&'a str>,
}

#[derive(Serialize)]
struct ResultDocument<'a> {
    name: &'a str,
    status: &'static str,
    reason: Option<&'a str>,
    reference: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    values: Vec<ValueDocument<'a>>,
}

#[derive(Serialize)]
struct ValueDocument<'a> {
    name: &'a str,
    value: Number,
    unit: &'static str,
}

/// The checks by their names, which are unique. Each is described when it is written: there may be many.
struct Checks<'a> {
    checks: &'a [CheckDetails],
    times: &'a Times,
}

impl Serialize for Checks<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let document = |check| CheckDocument::of(check, self.times);
        serializer.collect_map(self.checks.iter().map(|check| (&check.name, document(check))))
    }
}

/// The latest executions, the oldest first, in columns: there are many.
#[derive(Serialize)]
struct HistoryDocument<'a> {
    /// A letter for each: a document of 100 checks has 6,000 of them.
    statuses: String,
    /// Whole numbers: they take a third of the time of fractions.
    #[serde(serialize_with = "microseconds")]
    durations_microseconds: &'a [Sample],
}

impl<'a> Document<'a> {
    fn of(snapshot: &'a Snapshot, times: &'a Times) -> Self {
        let show = |time| times.show(time);
        let poll = |poll: &super::Poll| PollDocument {
            time: show(poll.time),
            code: poll.status.as_u16(),
            body: poll.word.as_str(),
        };
        let change = |&(time, state): &(SystemTime, crate::state::State)| ChangeDocument {
            time: show(time),
            status: state.as_str(),
        };
        Self {
            status: snapshot.state.as_str(),
            code: snapshot.status.as_u16(),
            body: snapshot.word.as_str(),
            endpoint: &snapshot.path,
            time: show(snapshot.time),
            since: snapshot.since.map(show),
            cause: CauseDocument::of(&snapshot.cause),
            last_poll: snapshot.last_poll.as_ref().map(poll),
            ran_checks: snapshot.has_run_checks,
            checks: Checks { checks: &snapshot.checks, times },
            changes: snapshot.changes.iter().map(change).collect(),
            process: snapshot.process.as_ref().map(ProcessDocument::of),
        }
    }
}

impl<'a> CauseDocument<'a> {
    fn of(cause: &'a Cause) -> Option<Self> {
        match cause {
            Cause::Checks => None,
            Cause::Recovery { rest } => Some(Self::Recovery { rest_seconds: rest.as_secs_f64() }),
            Cause::Start { latches } => {
                Some(Self::Start { latches: latches.iter().map(LatchDocument::of).collect() })
            }
            Cause::Maintenance { by_switch, disablefile } => Some(Self::Maintenance {
                by_switch: *by_switch,
                disablefile: disablefile.as_deref(),
            }),
            Cause::Drain { rest, active_requests } => Some(Self::Drain {
                rest_seconds: rest.map(|rest| rest.as_secs_f64()),
                active_requests: *active_requests,
            }),
        }
    }
}

impl<'a> LatchDocument<'a> {
    fn of(latch: &'a LatchDetails) -> Self {
        Self { name: &latch.name, failed: latch.has_failed, error: latch.error.as_deref() }
    }
}

impl<'a> ProcessDocument<'a> {
    fn of(process: &'a Process) -> Self {
        let service = process.service.as_ref();
        Self {
            name: service.map(|(name, _)| name.as_str()),
            version: service.map(|(_, version)| version.as_str()),
            uptime_seconds: process.uptime.as_secs_f64(),
            active_requests: process.active_requests,
        }
    }
}

/// The status of a check or result, or that it has none yet.
fn status(status: Option<Status>) -> &'static str {
    match status {
        Some(Status::Ok) => "ok",
        Some(Status::Degraded) => "degraded",
        Some(Status::Error) => "error",
        None => "not_run",
    }
}

fn is_zero(number: &usize) -> bool {
    *number == 0
}

impl<'a> CheckDocument<'a> {
    fn of(check: &'a CheckDetails, times: &Times) -> Self {
        let show = |time| times.show(time);
        let people = check.people.as_ref();
        let text = |text: fn(&People) -> &Option<String>| {
            people.and_then(|people| text(people).as_deref())
        };
        Self {
            status: status(check.status),
            criticality: check.criticality.as_str(),
            shared: check.is_shared,
            period_seconds: check.period.map(|period| period.as_secs_f64()),
            since: check.since.map(show),
            last_ok: check.last_ok.map(show),
            last_run: check.last_execution.map(|(time, _)| show(time)),
            duration_seconds: check.last_execution.map(|(_, duration)| duration.as_secs_f64()),
            results: check.results.iter().map(ResultDocument::of).collect(),
            omitted_results: check.omitted_results,
            history: HistoryDocument::of(&check.history),
            description: text(|people| &people.description),
            owner: text(|people| &people.owner),
            runbook: text(|people| &people.runbook),
        }
    }
}

impl<'a> HistoryDocument<'a> {
    fn of(history: &'a [Sample]) -> Self {
        Self {
            statuses: history.iter().map(|sample| letter(sample.status)).collect(),
            durations_microseconds: history,
        }
    }
}

fn letter(status: Status) -> char {
    match status {
        Status::Ok => 'o',
        Status::Degraded => 'd',
        Status::Error => 'e',
    }
}

fn microseconds<S: Serializer>(history: &[Sample], serializer: S) -> Result<S::Ok, S::Error> {
    let microseconds = |sample: &Sample| u64::try_from(sample.duration.as_micros());
    serializer.collect_seq(history.iter().map(|sample| microseconds(sample).unwrap_or(u64::MAX)))
}

impl<'a> ResultDocument<'a> {
    fn of(result: &'a ReportDetails) -> Self {
        let value = |value: &'a Value| ValueDocument {
            name: value.name(),
            value: Number(value.number()),
            unit: value.unit().as_str(),
        };
        Self {
            name: &result.name,
            status: status(Some(result.status)),
            reason: result.reason.as_deref(),
            reference: result.reference.map(|reference| reference.to_string()),
            message: result.message.as_deref(),
            values: result.values.iter().map(value).collect(),
        }
    }
}

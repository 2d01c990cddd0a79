//! The one table of series: their names, labels and numbers (H33).

use std::time::{Duration, SystemTime};

use super::Figures;
use super::counts::BOUNDS;
use super::exposition::{Exposition, Writer};
use crate::check::Status;

/// Series with the same name.
#[derive(Debug, Clone, Copy)]
pub(super) struct Family {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    /// The end of the name, if that is a unit.
    pub(super) unit: Option<&'static str>,
    pub(super) help: &'static str,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Kind {
    Gauge,
    Counter,
    Histogram,
    Info,
}

const fn family(name: &'static str, kind: Kind, help: &'static str) -> Family {
    Family { name, kind, unit: None, help }
}

const SECONDS: Option<&str> = Some("seconds");

pub(super) const STATE: Family = family(
    "health_state",
    Kind::Gauge,
    "1 for the state of the endpoint, 0 for the others, and for all until it is known.",
);
pub(super) const RESPONSES: Family =
    family("health_responses_total", Kind::Counter, "Responses of the endpoint in the state.");
pub(super) const CHECK: Family = family(
    "health_check",
    Kind::Gauge,
    "1 for the status of the last result of the check, 0 for the others, and for all before the first result.",
);
pub(super) const RESULTS: Family = family(
    "health_check_results_total",
    Kind::Counter,
    "Executions of the check with the status, before thresholds.",
);
pub(super) const TIMEOUTS: Family = family(
    "health_check_timeouts_total",
    Kind::Counter,
    "Executions of the check that exceeded the timeout.",
);
pub(super) const DURATION: Family = Family {
    unit: SECONDS,
    ..family(
        "health_check_duration_seconds",
        Kind::Histogram,
        "The duration of the executions of the check.",
    )
};
pub(super) const LAST_SUCCESS: Family = Family {
    unit: SECONDS,
    ..family(
        "health_check_last_success_timestamp_seconds",
        Kind::Gauge,
        "The end of the last execution of the check that did not fail, in Unix time; 0 if there is none.",
    )
};
pub(super) const VALUE: Family =
    family("health_check_value", Kind::Gauge, "A value of the last result of the check.");
pub(super) const LATCH: Family =
    family("health_latch_released", Kind::Gauge, "Whether the start-up latch is released.");
pub(super) const RUNS_SHARED: Family = family(
    "health_runs_shared_total",
    Kind::Counter,
    "Requests that got the outcome of a run of checks that another request had started.",
);
pub(super) const DRAINING: Family =
    family("health_draining", Kind::Gauge, "Whether a drain has begun.");
pub(super) const ACTIVE: Family = family(
    "health_active_requests",
    Kind::Gauge,
    "Requests of the application that are active, including this one if the adapter counts it.",
);
pub(super) const BUILD: Family =
    family("health_build_info", Kind::Info, "The name and the version of the program.");

/// Each status, and its label.
pub(super) const STATUSES: [(Status, &str); Status::ALL.len()] =
    [(Status::Ok, "ok"), (Status::Degraded, "degraded"), (Status::Error, "error")];

/// About what the series of one check take, in bytes.
const CHECK_SIZE: usize = 2048;

pub(super) fn write(figures: &Figures<'_>, exposition: Exposition) -> String {
    let size = CHECK_SIZE * (figures.checks.len() + 2 * figures.endpoints.len() + 1);
    let mut writer = Writer::new(exposition, size);
    write_endpoints(&mut writer, figures);
    write_checks(&mut writer, figures);
    writer.family(&LATCH, &figures.latches, |samples, (name, is_released)| {
        samples.add(&[("name", name)], u8::from(*is_released));
    });
    writer.family(&RUNS_SHARED, [figures.runs_shared], |samples, runs| samples.add(&[], runs));
    writer.family(&DRAINING, [u8::from(figures.is_draining)], |samples, is| samples.add(&[], is));
    writer.family(&ACTIVE, [figures.active_requests], |samples, count| samples.add(&[], count));
    writer.family(&BUILD, &figures.service, |samples, [name, version]| {
        samples.add(&[("name", name), ("version", version)], 1);
    });
    writer.finish()
}

fn write_endpoints(writer: &mut Writer, figures: &Figures<'_>) {
    writer.family(&STATE, &figures.endpoints, |samples, endpoint| {
        for (state, _) in &endpoint.responses {
            let labels = [("endpoint", &*endpoint.path), ("state", state.as_str())];
            samples.add(&labels, u8::from(endpoint.state == Some(*state)));
        }
    });
    writer.family(&RESPONSES, &figures.endpoints, |samples, endpoint| {
        for (state, count) in &endpoint.responses {
            samples.add(&[("endpoint", &*endpoint.path), ("state", state.as_str())], count);
        }
    });
}

fn write_checks(writer: &mut Writer, figures: &Figures<'_>) {
    let checks = &figures.checks;
    writer.family(&CHECK, checks, |samples, check| {
        for (status, label) in STATUSES {
            let is_status = check.status == Some(status);
            samples.add(&[("name", &check.name), ("status", label)], u8::from(is_status));
        }
    });
    writer.family(&RESULTS, checks, |samples, check| {
        for (status, label) in STATUSES {
            let labels = [("name", &*check.name), ("status", label)];
            samples.add(&labels, check.counts.results(status));
        }
    });
    writer.family(&TIMEOUTS, checks, |samples, check| {
        samples.add(&[("name", &check.name)], check.counts.timeouts);
    });
    writer.family(&DURATION, checks, |samples, check| {
        let name = ("name", &*check.name);
        let bounds = BOUNDS.into_iter().map(|(_, bound)| bound).chain(["+Inf"]);
        let [.., all] = check.counts.cumulative();
        for (bound, count) in bounds.zip(check.counts.cumulative()) {
            samples.add_part("_bucket", &[name, ("le", bound)], count);
        }
        samples.add_part("_sum", &[name], seconds(check.counts.time));
        samples.add_part("_count", &[name], all);
    });
    writer.family(&LAST_SUCCESS, checks, |samples, check| {
        let time = check.counts.last_success.unwrap_or(SystemTime::UNIX_EPOCH);
        let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        samples.add(&[("name", &check.name)], seconds(since));
    });
    let values = checks.iter().flat_map(|check| {
        check.values.iter().map(|((name, unit), number)| (&*check.name, &**name, *unit, number))
    });
    writer.family(&VALUE, values, |samples, (check, name, unit, number)| {
        samples.add(&[("check", check), ("name", name), ("unit", unit)], number);
    });
}

/// To the microsecond, because the digits below it say nothing.
pub(super) fn seconds(time: Duration) -> f64 {
    Duration::from_micros(u64::try_from(time.as_micros()).unwrap_or(u64::MAX)).as_secs_f64()
}

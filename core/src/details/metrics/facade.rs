//! The same series through the facade of the crate `metrics`.
//!
//! The recorder is code of the application: it is called without a lock, and not for each response. So counters follow the
//! figures, and only durations are recorded one by one.

use std::fmt;
use std::time::SystemTime;

use ::metrics::{
    Counter, Gauge, Histogram, Key, KeyName, Label, Level, Metadata, SharedString, Unit,
    with_recorder,
};

use super::Figures;
use super::families::{
    ACTIVE, CHECK, DRAINING, DURATION, Family, Kind, LAST_SUCCESS, LATCH, RESPONSES, RESULTS,
    RUNS_SHARED, STATE, STATUSES, TIMEOUTS, seconds,
};

/// What is published at the level *states*: the recorder shows it to whom it wants.
const FAMILIES: [Family; 11] = [
    STATE,
    RESPONSES,
    CHECK,
    RESULTS,
    TIMEOUTS,
    DURATION,
    LAST_SUCCESS,
    LATCH,
    RUNS_SHARED,
    DRAINING,
    ACTIVE,
];

/// The handles of the recorder, in the order of the figures.
pub(crate) struct Facade {
    /// Of each state of each endpoint.
    endpoints: Vec<Vec<(Gauge, Counter)>>,
    checks: Vec<CheckHandles>,
    latches: Vec<Gauge>,
    runs_shared: Counter,
    draining: Gauge,
    active: Gauge,
}

struct CheckHandles {
    statuses: [(Gauge, Counter); STATUSES.len()],
    timeouts: Counter,
    last_success: Gauge,
}

impl Facade {
    /// Describes the series to the recorder that is installed, and registers them. The names are those of the program.
    pub(crate) fn new<'a>(
        figures: &Figures<'_>,
        endpoints: impl Iterator<Item = &'a str>,
        checks: impl Iterator<Item = &'a str>,
        latches: impl Iterator<Item = &'a str>,
    ) -> Self {
        FAMILIES.iter().for_each(describe);
        let states = figures.endpoints.iter().map(|endpoint| &endpoint.responses);
        let endpoints = endpoints.zip(states).map(|(path, states)| {
            let handles = states.iter().map(|(state, _)| {
                let labels = [("endpoint", path), ("state", state.as_str())];
                (gauge(&STATE, &labels), counter(&RESPONSES, &labels))
            });
            handles.collect()
        });
        Self {
            endpoints: endpoints.collect(),
            checks: checks.map(CheckHandles::new).collect(),
            latches: latches.map(|name| gauge(&LATCH, &[("name", name)])).collect(),
            runs_shared: counter(&RUNS_SHARED, &[]),
            draining: gauge(&DRAINING, &[]),
            active: gauge(&ACTIVE, &[]),
        }
    }

    /// Publishes figures of the same application.
    pub(crate) fn publish(&self, figures: &Figures<'_>) {
        for (handles, endpoint) in self.endpoints.iter().zip(&figures.endpoints) {
            for ((gauge, counter), (state, count)) in handles.iter().zip(&endpoint.responses) {
                gauge.set(flag(endpoint.state == Some(*state)));
                counter.absolute(number(*count));
            }
        }
        for (handles, check) in self.checks.iter().zip(&figures.checks) {
            for ((gauge, counter), (status, _)) in handles.statuses.iter().zip(STATUSES) {
                gauge.set(flag(check.status == Some(status)));
                counter.absolute(check.counts.results(status));
            }
            handles.timeouts.absolute(check.counts.timeouts);
            let time = check.counts.last_success.unwrap_or(SystemTime::UNIX_EPOCH);
            let time = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
            handles.last_success.set(seconds(time));
        }
        for (gauge, (_, is_released)) in self.latches.iter().zip(&figures.latches) {
            gauge.set(flag(*is_released));
        }
        self.runs_shared.absolute(number(figures.runs_shared));
        self.draining.set(flag(figures.is_draining));
        let active = u32::try_from(figures.active_requests).unwrap_or(u32::MAX);
        self.active.set(f64::from(active));
    }
}

impl CheckHandles {
    fn new(name: &str) -> Self {
        Self {
            statuses: STATUSES.map(|(_, status)| {
                let labels = [("name", name), ("status", status)];
                (gauge(&CHECK, &labels), counter(&RESULTS, &labels))
            }),
            timeouts: counter(&TIMEOUTS, &[("name", name)]),
            last_success: gauge(&LAST_SUCCESS, &[("name", name)]),
        }
    }
}

/// The histogram of the durations of a check.
pub(crate) fn duration_of(name: &str) -> Histogram {
    let key = key(&DURATION, &[("name", name)]);
    with_recorder(|recorder| recorder.register_histogram(&key, &METADATA))
}

static METADATA: Metadata<'static> = Metadata::new("health", Level::INFO, Some(module_path!()));

fn describe(family: &Family) {
    let name = KeyName::from_const_str(family.name);
    let help = SharedString::const_str(family.help);
    let unit = family.unit.map(|_| Unit::Seconds);
    with_recorder(|recorder| match family.kind {
        Kind::Gauge | Kind::Info => recorder.describe_gauge(name, unit, help),
        Kind::Counter => recorder.describe_counter(name, unit, help),
        Kind::Histogram => recorder.describe_histogram(name, unit, help),
    });
}

fn key(family: &Family, labels: &[(&'static str, &str)]) -> Key {
    let labels = labels.iter().map(|(label, value)| Label::new(*label, (*value).to_owned()));
    Key::from_parts(family.name, labels.collect::<Vec<_>>())
}

fn gauge(family: &Family, labels: &[(&'static str, &str)]) -> Gauge {
    let key = key(family, labels);
    with_recorder(|recorder| recorder.register_gauge(&key, &METADATA))
}

fn counter(family: &Family, labels: &[(&'static str, &str)]) -> Counter {
    let key = key(family, labels);
    with_recorder(|recorder| recorder.register_counter(&key, &METADATA))
}

fn flag(is: bool) -> f64 {
    f64::from(u8::from(is))
}

fn number(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

impl fmt::Debug for Facade {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Facade").finish_non_exhaustive()
    }
}

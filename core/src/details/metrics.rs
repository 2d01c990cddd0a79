//! Metrics: what is counted, and how it is written for a scrape (H33).

mod counts;
mod exposition;
#[cfg(feature = "metrics-facade")]
mod facade;
mod families;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

pub(crate) use self::counts::{CheckCounts, EndpointCounts};
pub(crate) use self::exposition::Exposition;
use self::exposition::escaped;
#[cfg(feature = "metrics-facade")]
pub(crate) use self::facade::{Facade, duration_of};
use super::format::Document;
use crate::check::{Report, Status};
use crate::state::State;

/// What one reader may see at one moment. The names are escaped.
#[derive(Debug, Default)]
pub(crate) struct Figures<'a> {
    pub(crate) endpoints: Vec<EndpointFigures<'a>>,
    pub(crate) checks: Vec<CheckFigures<'a>>,
    /// The names of the latches, and whether each is released.
    pub(crate) latches: Vec<(Cow<'a, str>, bool)>,
    pub(crate) runs_shared: usize,
    pub(crate) is_draining: bool,
    pub(crate) active_requests: usize,
    /// The name and the version of the program, at the full level.
    pub(crate) service: Option<[Cow<'a, str>; 2]>,
}

#[derive(Debug)]
pub(crate) struct EndpointFigures<'a> {
    path: Cow<'a, str>,
    /// `None` if it is not known yet.
    state: Option<State>,
    /// Of each state that the endpoint can show.
    responses: Vec<(State, usize)>,
}

#[derive(Debug)]
pub(crate) struct CheckFigures<'a> {
    name: Cow<'a, str>,
    /// As the last result counts; `None` before the first one.
    status: Option<Status>,
    counts: CheckCounts,
    values: Values,
}

/// Numbers by name and unit.
pub(crate) type Values = BTreeMap<(String, &'static str), f64>;

impl<'a> Figures<'a> {
    pub(crate) fn latch(&mut self, name: &'a str, is_released: bool) {
        self.latches.push((escaped(name), is_released));
    }

    /// Tells the name and the version of the program.
    pub(crate) fn service(&mut self, name: &'a str, version: &'a str) {
        self.service = Some([escaped(name), escaped(version)]);
    }

    pub(crate) fn write(&self, exposition: Exposition) -> Document {
        let body = families::write(self, exposition).into();
        Document { content_type: exposition.content_type(), body, policy: None }
    }
}

impl<'a> EndpointFigures<'a> {
    /// `states` are those that the endpoint can show.
    pub(crate) fn of(
        path: &'a str,
        counts: &EndpointCounts,
        states: impl Iterator<Item = State>,
    ) -> Self {
        Self {
            path: escaped(path),
            state: counts.state(),
            responses: states.map(|state| (state, counts.responses(state))).collect(),
        }
    }
}

impl<'a> CheckFigures<'a> {
    pub(crate) fn of(
        name: &'a str,
        status: Option<Status>,
        counts: CheckCounts,
        values: Values,
    ) -> Self {
        Self { name: escaped(name), status, counts, values }
    }
}

/// How many values of a check are shown: a subscriber can report any number.
const MAX_VALUES: usize = 100;

/// The first values of the results. Those that several results have are left out: no label tells them apart.
pub(crate) fn values_of(reports: &Arc<[Report]>) -> Values {
    let mut values = BTreeMap::new();
    for value in reports.iter().flat_map(Report::values).take(MAX_VALUES) {
        let key = (value.name().to_owned(), value.unit().as_str());
        let number = values.entry(key).and_modify(|number| *number = None);
        number.or_insert(Some(value.number()));
    }
    values.into_iter().filter_map(|(key, number)| Some((key, number?))).collect()
}

//! How often the checks start (H4, H5, H7, H12).

use std::collections::BTreeMap;

use super::{Asked, Mismatch};
use crate::scenario::{Checks, Client};
use crate::setup::Check;
use crate::target::journal::Line;

/// How many runs a small crowd may have: a request may come when the first run is over.
const MOST_RUNS: usize = 2;

/// A large crowd takes its time to arrive, on a machine that is busy: then it may have a run for each so many.
const REQUESTS_IN_A_RUN: usize = 50;

/// The fewest and the most starts of the checks of each name, for so many requests.
pub(super) fn expected_starts<'a>(
    asked: &Asked<'a>,
    requests: usize,
) -> BTreeMap<&'a str, (usize, usize)> {
    let mut starts = BTreeMap::new();
    for (index, check) in asked.endpoint().checks().into_iter().enumerate() {
        if check.is_in_background() {
            continue;
        }
        let (least, most) = starts_of(asked, index, check, requests);
        let of_name: &mut (usize, usize) = starts.entry(check.name.as_str()).or_default();
        of_name.0 += least;
        of_name.1 += most;
    }
    starts
}

fn starts_of(asked: &Asked<'_>, index: usize, check: &Check, requests: usize) -> (usize, usize) {
    let step = asked.step;
    let (least, most) = match (step.checks, step.client) {
        (Checks::Rest, _) => return (0, 0),
        (Checks::Start, Client::Crowd | Client::Pipelined | Client::Leaves) => (1, requests),
        (Checks::Start, _) => (requests, requests),
        (Checks::Share, _) => (1, MOST_RUNS.max(requests / REQUESTS_IN_A_RUN)),
        (Checks::MayStart, _) => (0, requests),
    };
    let results = step.results.as_ref();
    let (is_running, may_be_running) = match results.and_then(|results| results.get(index)) {
        Some(wanted) => wanted.is_still_running(),
        None => (false, asked.history.is_asked && check.outlives_timeout()),
    };
    match (is_running, may_be_running) {
        (true, _) => (0, 0),
        (false, true) => (0, most),
        (false, false) => (least, most),
    }
}

/// Each check must start as often as the step defines.
pub(super) fn judge_starts(
    asked: &Asked<'_>,
    requests: usize,
    lines: &[Line],
    mismatches: &mut Vec<Mismatch>,
) {
    let expected = expected_starts(asked, requests);
    let mut started: BTreeMap<&str, usize> = BTreeMap::new();
    for line in lines {
        if let Line::Check(name) = line {
            *started.entry(name).or_default() += 1;
        }
    }
    let is_as_often = |name: &str| {
        let (least, most) = expected.get(name).copied().unwrap_or_default();
        let count = started.get(name).copied().unwrap_or_default();
        (least..=most).contains(&count)
    };
    let mut names = expected.keys().chain(started.keys());
    if !names.all(|name| is_as_often(name)) {
        let wanted =
            expected.iter().filter(|(_, (_, most))| *most > 0).map(|(name, (least, most))| {
                if least == most {
                    format!("{name:?} {most} times")
                } else {
                    format!("{name:?} {least} to {most} times")
                }
            });
        let got = started.iter().map(|(name, count)| format!("{name:?} {count} times"));
        mismatches.push(Mismatch::new("checks started", in_words(wanted), in_words(got)));
    }
}

fn in_words(starts: impl Iterator<Item = String>) -> String {
    let starts = Vec::from_iter(starts);
    if starts.is_empty() { "none".to_owned() } else { starts.join(", ") }
}

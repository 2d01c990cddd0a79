//! Runs the suite in several processes: within one, a log record could belong to any of several servers.

use std::env;
use std::error::Error;
use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::thread;

use crate::report::Report;
use crate::scenario::Suite;

/// How many processes: they mostly wait.
const PARTS: usize = 6;

/// Set for a process that runs a part: its number, and the path of its report.
const NUMBER: &str = "HEALTH_PART";
const REPORT: &str = "HEALTH_PART_REPORT";

/// The scenarios that this process plays for another one.
pub(super) struct Part {
    number: usize,
    report: PathBuf,
}

impl Part {
    /// `None` in a process that was started by hand.
    pub(super) fn of_this_process() -> Option<Self> {
        let number = env::var(NUMBER).ok()?.parse().ok()?;
        let report = env::var_os(REPORT)?.into();
        Some(Self { number, report })
    }

    /// Every so many-th scenario, so that the slow ones of a topic come into different parts.
    pub(super) fn scenarios(&self, suite: &Suite) -> Vec<String> {
        let ids = suite.scenarios().map(|scenario| scenario.id().to_owned());
        ids.skip(self.number).step_by(PARTS).collect()
    }

    /// Hands the report to the process that waits for it.
    pub(super) fn hand_over(&self, report: &Report) -> Result<(), Box<dyn Error>> {
        Ok(fs::write(&self.report, report.to_json()?)?)
    }
}

/// Runs the test that this thread belongs to in several processes, each with a part of the scenarios.
///
/// Returns `None` where the thread does not bear the name of a test, as with `--test-threads=1`.
///
/// # Errors
///
/// A process cannot be started, or ends without a report; a scenario is in no report.
pub(super) fn run_all(suite: &Suite) -> Result<Option<Report>, Box<dyn Error>> {
    let this = thread::current();
    let Some(test) = this.name().filter(|name| *name != "main") else {
        return Ok(None);
    };
    let directory = tempfile::tempdir()?;
    let path = |number: usize| directory.path().join(format!("{number}.json"));
    let start = |number: usize| {
        let mut command = Command::new(env::current_exe()?);
        command.args([test, "--exact", "--nocapture"]);
        command.env(NUMBER, number.to_string());
        command.env(REPORT, path(number));
        command.stdin(Stdio::null());
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn()
    };
    let started: Result<Vec<Child>, _> = (0..PARTS).map(start).collect();
    // Read side by side: a process that waits for its output to be read does not end.
    let ended = started?.into_iter().map(|child| thread::spawn(|| child.wait_with_output()));
    let ended: Vec<_> = ended.collect();
    let mut reports = Vec::new();
    for (number, output) in ended.into_iter().enumerate() {
        let output = output.join().map_err(|_| "the output of a part cannot be read")??;
        let report = fs::read_to_string(path(number)).map_err(|_| how_it_ended(&output))?;
        reports.push(Report::from_json(&report)?);
    }
    let whole = Report::joined(suite, reports);
    match suite.scenarios().find(|scenario| !whole.has(scenario.id())) {
        Some(scenario) => Err(format!("no part has run {}", scenario.id()).into()),
        None => Ok(Some(whole)),
    }
}

fn how_it_ended(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (output, errors, status) = (text(&output.stdout), text(&output.stderr), output.status);
    format!("a part of the scenarios ended without a report ({status}):\n{output}{errors}")
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::{PARTS, Part};
    use crate::scenario::Suite;

    #[test]
    fn every_scenario_is_in_exactly_one_part() {
        let suite = Suite::builtin().unwrap();
        let report = PathBuf::new();
        let parts = (0..PARTS).map(|number| Part { number, report: report.clone() });
        let mut played: Vec<String> = parts.flat_map(|part| part.scenarios(&suite)).collect();
        played.sort();
        let mut all: Vec<String> = suite.scenarios().map(|it| it.id().to_owned()).collect();
        all.sort();
        assert_eq!(played, all);
    }
}

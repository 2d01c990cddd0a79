//! Runs the suite in several processes: within one, a log record could belong to any of several servers.

use std::env;
use std::error::Error;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::thread;

use crate::report::Report;
use crate::scenario::Suite;

/// How many processes: they mostly wait.
const PROCESSES: usize = 12;

/// Set for a process that runs a part of the scenarios: its number, and the directory that the processes share.
const NUMBER: &str = "HEALTH_PART";
const DIRECTORY: &str = "HEALTH_PART_DIRECTORY";

/// A process that another one has started to run a part of the scenarios.
pub(super) struct Part {
    number: usize,
    directory: PathBuf,
}

impl Part {
    /// `None` in a process that was started by hand.
    pub(super) fn of_this_process() -> Option<Self> {
        let number = env::var(NUMBER).ok()?.parse().ok()?;
        let directory = env::var_os(DIRECTORY)?.into();
        Some(Self { number, directory })
    }

    /// Whether this process is the one that runs the scenario with this number: the first one to ask. Scenarios take from a
    /// millisecond to seconds, so that processes with equal parts would not end together.
    pub(super) fn claims(&self, scenario: usize) -> bool {
        File::create_new(self.directory.join(format!("claimed-{scenario}"))).is_ok()
    }

    /// Hands the report to the process that waits for it.
    pub(super) fn hand_over(&self, report: &Report) -> Result<(), Box<dyn Error>> {
        Ok(fs::write(report_of(&self.directory, self.number), report.to_json()?)?)
    }
}

fn report_of(directory: &Path, number: usize) -> PathBuf {
    directory.join(format!("report-{number}.json"))
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
    let start = |number: usize| {
        let mut command = Command::new(env::current_exe()?);
        command.args([test, "--exact", "--nocapture"]);
        command.env(NUMBER, number.to_string());
        command.env(DIRECTORY, directory.path());
        command.stdin(Stdio::null());
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn()
    };
    let started: Result<Vec<Child>, _> = (0..PROCESSES).map(start).collect();
    // Read side by side: a process that waits for its output to be read does not end.
    let ended = started?.into_iter().map(|child| thread::spawn(|| child.wait_with_output()));
    let ended: Vec<_> = ended.collect();
    let mut reports = Vec::new();
    for (number, output) in ended.into_iter().enumerate() {
        let output = output.join().map_err(|_| "the output of a part cannot be read")??;
        let report = fs::read_to_string(report_of(directory.path(), number))
            .map_err(|_| how_it_ended(&output))?;
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
    use super::Part;

    #[test]
    fn each_scenario_is_claimed_by_one_process() {
        let directory = tempfile::tempdir().unwrap();
        let part = |number| Part { number, directory: directory.path().to_owned() };
        let claims = [part(0).claims(7), part(1).claims(7), part(0).claims(7), part(1).claims(8)];
        assert_eq!(claims, [true, false, false, true]);
    }
}

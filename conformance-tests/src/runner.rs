//! Runs scenarios: one server for all that are given the same, one request after the other.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use crate::client::{Request, exchange};
use crate::given::Given;
use crate::harness::{Harness, Server, StartError};
use crate::journal::{Journal, Line};
use crate::judge::{Mismatch, expected_lines, judge, judge_refusal, judge_warnings};
use crate::known::KnownFailures;
use crate::marker::{Marker, MarkerError};
use crate::report::{Failure, Report, Verdict};
use crate::scenario::{Scenario, Start, Step, Suite};
use crate::template::{expand, expand_text, open};

/// How a run is done.
#[derive(Debug, Clone)]
pub struct Options {
    /// Which scenarios to run: those whose id matches; `*` stands for any text. Default: all.
    pub only: String,
    /// How many servers run at once. Default: 1.
    pub jobs: usize,
    /// How long an answer may take. Default: 5 s.
    pub timeout: Duration,
    /// What the server is known to fail. Default: nothing.
    pub known: KnownFailures,
    /// The command that runs one scenario again, for the report; `{id}` stands for the scenario.
    /// Default: none.
    pub rerun: String,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            only: "*".to_owned(),
            jobs: 1,
            timeout: Duration::from_secs(5),
            known: KnownFailures::default(),
            rerun: String::new(),
        }
    }
}

/// The most scenarios for one server: after each, a server whose lines may come late is waited for.
const SCENARIOS_PER_SERVER: usize = 12;

impl Suite {
    /// Runs the scenarios against servers of `harness`, one server for those that are given the same.
    pub fn run(&self, harness: &dyn Harness, options: &Options) -> Report {
        let mut groups: BTreeMap<&Given, Vec<&Scenario>> = BTreeMap::new();
        for scenario in self.matching(&options.only) {
            groups.entry(&scenario.given).or_default().push(scenario);
        }
        let servers = groups.iter().flat_map(|(given, scenarios)| {
            let parts = scenarios.chunks(SCENARIOS_PER_SERVER);
            parts.map(move |part| (*given, part))
        });
        let waiting = Mutex::new(servers);
        let verdicts = Mutex::new(BTreeMap::new());
        thread::scope(|scope| {
            for _ in 0..options.jobs.max(1) {
                scope.spawn(|| {
                    loop {
                        let Some((given, scenarios)) = lock(&waiting).next() else {
                            break;
                        };
                        let ids = scenarios.iter().map(|scenario| scenario.id());
                        let run = || run_on_one_server(harness, options, given, scenarios);
                        // A harness is somebody else's code; the report must not go down with it.
                        let judged = catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|_| {
                            let failure = Failure::of_start("the harness panicked");
                            vec![Verdict::Failed(vec![failure]); scenarios.len()]
                        });
                        lock(&verdicts).extend(ids.zip(judged));
                    }
                });
            }
        });
        let mut verdicts = lock(&verdicts);
        let outcomes = self
            .matching(&options.only)
            .filter_map(|scenario| Some((scenario, verdicts.remove(scenario.id())?)))
            .collect();
        Report::new(self, outcomes, &options.known, &options.rerun)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A verdict for each of the scenarios, in their order.
fn run_on_one_server(
    harness: &dyn Harness,
    options: &Options,
    given: &Given,
    scenarios: &[&Scenario],
) -> Vec<Verdict> {
    let fail_all = |what: String| {
        let verdict = Verdict::Failed(vec![Failure::of_start(what)]);
        vec![verdict; scenarios.len()]
    };
    let directory = match tempfile::tempdir() {
        Ok(directory) => directory,
        Err(error) => return fail_all(format!("no temporary directory: {error}")),
    };
    if let Err(error) = make_open_directory(directory.path()) {
        return fail_all(format!("no directory for everybody: {error}"));
    }
    let given = expand_given(given, directory.path());
    let journal = Journal::in_memory();
    let server = match harness.start(&given, &journal) {
        Ok(server) => server,
        Err(StartError::Failed(what)) => return fail_all(what),
        Err(StartError::Refused(message)) => {
            let judged = scenarios.iter().map(|s| judge_refused(s, &given, &message));
            return judged.collect();
        }
    };
    let patience = harness.patience();
    let running = Running {
        start_lines: journal.take(usize::MAX, patience),
        server,
        journal,
        patience,
        timeout: options.timeout,
        directory: directory.path(),
        given: &given,
    };
    scenarios
        .iter()
        .map(|scenario| running.play(scenario))
        .collect()
}

/// Replaces the placeholders in settings and messages.
fn expand_given(given: &Given, directory: &Path) -> Given {
    let mut given = given.clone();
    let messages = given
        .checks
        .iter_mut()
        .filter_map(|check| check.message.as_mut());
    for text in given.settings.values_mut().chain(messages) {
        *text = expand_text(text, directory);
    }
    given
}

fn judge_refused(scenario: &Scenario, given: &Given, message: &str) -> Verdict {
    let own = scenario.settings.keys().next().map(String::as_str);
    let setting = own.and_then(|key| given.settings.get_key_value(key));
    match setting.filter(|_| scenario.start == Start::Refused) {
        Some((key, value)) => verdict(Failure::unless_empty(
            "the start",
            judge_refusal(key, value, message),
        )),
        None => Verdict::Failed(vec![Failure::of_start(format!(
            "refused its settings: {message}"
        ))]),
    }
}

fn verdict(failures: impl IntoIterator<Item = Failure>) -> Verdict {
    let failures = Vec::from_iter(failures);
    if failures.is_empty() {
        Verdict::Passed
    } else {
        Verdict::Failed(failures)
    }
}

/// A server that is ready, and what is needed to ask it.
struct Running<'a> {
    server: Server,
    start_lines: Vec<Line>,
    journal: Journal,
    patience: Duration,
    timeout: Duration,
    directory: &'a Path,
    given: &'a Given,
}

impl Running<'_> {
    fn play(&self, scenario: &Scenario) -> Verdict {
        let mut failures = Vec::from_iter(self.judge_start(scenario));
        if scenario.start_warnings > 0 && !self.shows_exposure() {
            let why = "the directory of its default is not world-writable on this machine";
            return Verdict::Unobserved(why.to_owned());
        }
        let mut number = 0;
        'scenario: for step in &scenario.steps {
            for _ in 0..step.times {
                number += 1;
                match self.take_step(number, step) {
                    Ok(None) => continue,
                    Ok(Some(failure)) => failures.push(failure),
                    Err(MarkerError::Unobservable(why)) if failures.is_empty() => {
                        self.tidy();
                        return Verdict::Unobserved(why.to_owned());
                    }
                    Err(error) => failures.push(Failure::of_marker(number, &error)),
                }
                // Without an answer there will be none to the next request either.
                if failures.last().is_some_and(Failure::is_without_answer) {
                    break 'scenario;
                }
                break;
            }
        }
        failures.extend(self.judge_end());
        self.tidy();
        verdict(failures)
    }

    /// A default disablefile is seen by its warning, which is due only in a world-writable directory.
    fn shows_exposure(&self) -> bool {
        self.given.settings.contains_key("healthcheck.disablefile")
            || is_world_writable(Path::new("/tmp"))
    }

    fn judge_start(&self, scenario: &Scenario) -> Option<Failure> {
        let mut mismatches = Vec::new();
        let expected = scenario.start_warnings;
        let field = "log records at WARN before the first request";
        judge_warnings(
            field,
            expected,
            self.given,
            &self.start_lines,
            &mut mismatches,
        );
        let is_premature = |line: &&Line| match line {
            Line::Check(_) => true,
            Line::Log { text, .. } => text.starts_with("Health response"),
        };
        for line in self.start_lines.iter().filter(is_premature) {
            let expected = "nothing before a request asks";
            mismatches.push(Mismatch::new("lines", expected, line.to_string()));
        }
        if scenario.start == Start::Refused {
            let expected = "an error that names the setting";
            mismatches.push(Mismatch::new("start", expected, "a server that is ready"));
        }
        Failure::unless_empty("the start", mismatches)
    }

    /// Lines that come too late for their step, or too often.
    fn judge_end(&self) -> Option<Failure> {
        let late = self.journal.take(1, self.patience);
        let late = late
            .iter()
            .map(|line| Mismatch::new("lines", "none after the last answer", line.to_string()));
        Failure::unless_empty("the end", late.collect())
    }

    fn take_step(&self, number: usize, step: &Step) -> Result<Option<Failure>, MarkerError> {
        if let Some(marker) = step.marker {
            self.place(marker)?;
        }
        let request = request(step, self.directory);
        let answered = exchange(self.server.address(), &request, self.timeout);
        let count = expected_lines(step, self.given);
        let lines = self.journal.take(count, self.patience);
        let mismatches = match answered {
            Ok(response) => judge(step, self.given, &request, &response, &lines),
            Err(error) => {
                vec![Mismatch::new(
                    "answer",
                    "a complete answer",
                    error.to_string(),
                )]
            }
        };
        let moment = format!("request {number}: {request}");
        Ok(Failure::unless_empty(&moment, mismatches))
    }

    fn place(&self, marker: Marker) -> Result<(), MarkerError> {
        match self.given.settings.get("healthcheck.disablefile") {
            Some(path) => marker.place(Path::new(path)),
            None => Ok(()),
        }
    }

    /// Leaves the path of the marker as the next scenario expects it, and the journal empty.
    fn tidy(&self) {
        let disablefile = self.given.settings.get("healthcheck.disablefile");
        if disablefile.is_some_and(|path| Path::new(path).starts_with(self.directory)) {
            let _ = self.place(Marker::None);
        }
        self.journal.take(0, Duration::ZERO);
    }
}

fn request(step: &Step, directory: &Path) -> Request {
    let mut bytes = format!("{} ", step.method).into_bytes();
    bytes.extend(expand(&step.target, directory));
    bytes.extend(format!(" {}\r\n", step.version).into_bytes());
    for header in &step.headers {
        bytes.extend(header.as_bytes());
        bytes.extend(b"\r\n");
    }
    let body_length = Some(step.body.len()).filter(|&length| length > 0);
    if let Some(length) = step.content_length.or(body_length) {
        bytes.extend(format!("Content-Length: {length}\r\n").into_bytes());
    }
    bytes.extend(b"\r\n");
    bytes.extend(step.body.as_bytes());
    Request {
        is_head: step.method == "HEAD",
        bytes,
    }
}

/// The directory of `{open}`, which every local user may write to.
#[cfg(unix)]
fn make_open_directory(directory: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;

    let open = open(directory);
    fs::create_dir(&open)?;
    fs::set_permissions(open, fs::Permissions::from_mode(0o1777))
}

#[cfg(unix)]
fn is_world_writable(directory: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;

    fs::metadata(directory).is_ok_and(|stat| stat.permissions().mode() & 0o002 != 0)
}

#[cfg(not(unix))]
fn make_open_directory(directory: &Path) -> io::Result<()> {
    fs::create_dir(open(directory))
}

#[cfg(not(unix))]
fn is_world_writable(_directory: &Path) -> bool {
    false
}

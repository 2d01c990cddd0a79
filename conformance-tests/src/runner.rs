//! Runs scenarios: one server for all that are given the same, one request after the other.

use std::collections::BTreeMap;
use std::iter;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use crate::client::{Request, exchange};
use crate::given::Given;
use crate::harness::{Harness, Server, StartError};
use crate::journal::{Journal, Line};
use crate::judge::{Mismatch, expected_lines, judge, judge_warnings};
use crate::known::KnownFailures;
use crate::marker::{Marker, MarkerError};
use crate::report::{Failure, Report, Verdict};
use crate::scenario::{Scenario, Start, Step, Suite};
use crate::template::{expand, expand_text};

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
                        let judged = run_on_one_server(harness, options, given, scenarios);
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
    let given = expand_given(given, directory.path());
    let journal = Journal::in_memory();
    let server = match harness.start(&given, &journal) {
        Ok(server) => server,
        Err(StartError::Failed(what)) => return fail_all(what),
        Err(StartError::Refused(message)) => {
            let judged = scenarios.iter().map(|s| judge_refusal(s, &given, &message));
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

/// H11: the message names key and value. The value may be escaped.
fn judge_refusal(scenario: &Scenario, given: &Given, message: &str) -> Verdict {
    if scenario.start == Start::Ready {
        let what = format!("refused its settings: {message}");
        return Verdict::Failed(vec![Failure::of_start(what)]);
    }
    let names = |word: &str| {
        let escaped = format!("{word:?}");
        message.contains(word) || message.contains(escaped.trim_matches('"'))
    };
    let mut settings = given.settings.iter();
    if settings.any(|(key, value)| names(key) && names(value)) {
        return Verdict::Passed;
    }
    let expected = "an error that names the setting and its value";
    let mismatch = Mismatch::new("message", expected, format!("{message:?}"));
    Verdict::Failed(vec![Failure::of_mismatches("start", vec![mismatch])])
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
        let steps = scenario.steps.iter();
        let steps = steps.flat_map(|step| iter::repeat_n(step, step.times));
        for (index, step) in steps.enumerate() {
            match self.take_step(index + 1, step) {
                Ok(failure) => failures.extend(failure),
                Err(MarkerError::Unobservable(why)) => {
                    self.tidy();
                    return Verdict::Unobserved(why.to_owned());
                }
                Err(MarkerError::Io(error)) => failures.push(Failure::of_start(error.to_string())),
            }
        }
        failures.extend(self.judge_end());
        self.tidy();
        if failures.is_empty() {
            Verdict::Passed
        } else {
            Verdict::Failed(failures)
        }
    }

    fn judge_start(&self, scenario: &Scenario) -> Option<Failure> {
        let mut mismatches = Vec::new();
        let expected = scenario.start_warnings;
        let field = "log records at WARN before the first request";
        judge_warnings(field, expected, &self.start_lines, &mut mismatches);
        if scenario.start == Start::Refused {
            let expected = "an error that names the setting";
            mismatches.push(Mismatch::new("start", expected, "a server that is ready"));
        }
        (!mismatches.is_empty()).then(|| Failure::of_mismatches("the start", mismatches))
    }

    /// Lines that come too late for their step, or too often.
    fn judge_end(&self) -> Option<Failure> {
        let late = self.journal.take(1, self.patience);
        let mismatch = || Mismatch::new("lines", "none after the last answer", format!("{late:?}"));
        (!late.is_empty()).then(|| Failure::of_mismatches("the end", vec![mismatch()]))
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
        Ok((!mismatches.is_empty()).then(|| Failure::of_request(number, &request, mismatches)))
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
    if !step.body.is_empty() {
        bytes.extend(format!("Content-Length: {}\r\n", step.body.len()).into_bytes());
    }
    bytes.extend(b"\r\n");
    bytes.extend(step.body.as_bytes());
    Request {
        is_head: step.method == "HEAD",
        bytes,
    }
}

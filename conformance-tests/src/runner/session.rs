//! One server, and the scenarios that are played on it.

mod question;

use std::cell::Cell;
use std::fs;
use std::io;
use std::path::Path;
use std::time::Duration;

use crate::client::behaviour::ClientBehaviour;
use crate::client::{Connection, Request, exchange};
use crate::judge::finding::{Failure, Finding};
use crate::judge::history::History;
use crate::judge::{Mismatch, judge_refusal, judge_warnings};
use crate::options::Interrupt;
use crate::scenario::capability::{Capability, Lacks};
use crate::scenario::marker::{Marker, MarkerError};
use crate::scenario::template::{expand_text, open};
use crate::scenario::{Client, Scenario, Start, Step};
use crate::setup::Setup;
use crate::target::journal::{Breach, Journal, Line};
use crate::target::{Harness, Server, StartError};

/// Limit for a server to accept a connection.
const ACCEPT_LIMIT: Duration = Duration::from_secs(1);

/// How long the suite waits for lines that should not come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Pace {
    /// Once, after the last scenario. Lines that are too many are then of any of them.
    Fast,
    /// After each scenario.
    Patient,
}

/// A server that is ready, with its journal.
pub(crate) struct Session<'a> {
    server: Server,
    start_lines: Vec<Line>,
    journal: Journal,
    patience: Duration,
    pace: Pace,
    eventually: Duration,
    /// Whether there were lines that belong to no request, or to another one.
    surplus: Cell<bool>,
    /// Whether the server leaves connections open despite `Connection: close`.
    ignores_close: Cell<bool>,
    lacks: &'a Lacks,
    directory: &'a Path,
    setup: &'a Setup,
}

impl<'a> Session<'a> {
    /// Starts a server; `warnings` is how many records at WARN it should log by the time it is ready.
    ///
    /// # Errors
    ///
    /// Those of the harness; a server that takes no connection.
    pub(crate) fn start(
        harness: &dyn Harness,
        setup: &'a Setup,
        lacks: &'a Lacks,
        directory: &'a Path,
        pace: Pace,
        eventually: Duration,
        warnings: usize,
    ) -> Result<Self, StartError> {
        let journal = Journal::of_server(setup, lacks);
        let server = harness.start(setup, &journal)?;
        let patience = harness.patience();
        let count = match pace {
            Pace::Fast => warnings,
            Pace::Patient => usize::MAX,
        };
        let start_lines = journal.take(count, patience);
        Connection::open(server.address(), ACCEPT_LIMIT)
            .map_err(|error| StartError::Failed(error.to_string()))?;
        Ok(Self {
            start_lines,
            server,
            journal,
            patience,
            pace,
            eventually,
            surplus: Cell::new(false),
            ignores_close: Cell::new(false),
            lacks,
            directory,
            setup,
        })
    }

    /// Ends the server. Returns whether there were lines that belong to no request, or to another one than expected,
    /// and the rules of the testee protocol that the server has broken.
    pub(crate) fn end(self) -> (bool, Vec<Breach>) {
        let has_surplus = self.surplus.get() || !self.journal.take(1, self.patience).is_empty();
        drop(self.server);
        (has_surplus, self.journal.breaches())
    }

    /// Whether the server still takes connections.
    pub(crate) fn accepts(&self) -> bool {
        Connection::open(self.server.address(), ACCEPT_LIMIT).is_ok()
    }

    /// Whether a request without checks gets any response.
    pub(crate) fn answers(&self, limit: Duration) -> bool {
        let url = self.setup.url();
        let request = Request {
            is_head: false,
            asks_to_close: true,
            bytes: format!("GET {url} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
                .into(),
        };
        exchange(self.server.address(), &request, limit).is_ok()
    }

    /// Runs a scenario; `limit` is that of each response.
    pub(crate) fn play(
        &self,
        scenario: &Scenario,
        limit: Duration,
        interrupt: &Interrupt,
    ) -> Finding {
        if scenario.start_warnings > 0 && !self.shows_exposure() {
            let why = "/tmp is not world-writable on this machine";
            return Finding::Skipped(why.to_owned());
        }
        if scenario.commands().next().is_some() && !self.server.takes_commands() {
            return Finding::Skipped("this server accepts no commands".to_owned());
        }
        let mut failures = Vec::from_iter(self.judge_start(scenario));
        let mut client =
            ClientBehaviour::new(self.server.address(), limit, self.ignores_close.get());
        let mut history = History::of(self.setup);
        history.covers_application = scenario.needs.contains(&Capability::Application);
        let mut number = 0;
        let mut marker = None;
        'scenario: for step in &scenario.steps {
            marker = step.marker.or(marker);
            // Requests that belong together are judged together, others one by one.
            let (rounds, step) = match step.client {
                Client::Alone | Client::ByteByByte => {
                    let times = 1;
                    (step.times, &Step { times, ..step.clone() })
                }
                _ => (1, step),
            };
            for _ in 0..rounds {
                if interrupt.is_set() {
                    break 'scenario;
                }
                number += 1;
                let mut moment = match marker {
                    None => format!("request {number}"),
                    Some(marker) => format!("request {number}, {marker} at the disablefile's path"),
                };
                for command in &step.commands {
                    moment += &format!(", {command}");
                }
                match self.take_step(&moment, step, &mut history, &mut client) {
                    Ok(None) => continue,
                    Ok(Some(failure)) => failures.push(failure),
                    Err(MarkerError::Unobservable(why)) if failures.is_empty() => {
                        self.tidy(scenario);
                        return Finding::Skipped(why.to_owned());
                    }
                    Err(error) => failures.push(Failure::of_marker(&moment, &error)),
                }
                // Without a response, the next request would not get one either.
                if failures.last().is_some_and(Failure::is_without_answer) {
                    break 'scenario;
                }
                break;
            }
        }
        self.ignores_close.set(client.ignores_close());
        drop(client);
        failures.extend(self.judge_end());
        self.tidy(scenario);
        if interrupt.is_set() {
            return Finding::Skipped("the run was interrupted".to_owned());
        }
        Finding::of(failures)
    }

    /// The default disablefile causes a warning only if its directory is world-writable.
    fn shows_exposure(&self) -> bool {
        self.setup.settings.contains_key("healthcheck.disablefile")
            || is_world_writable(Path::new("/tmp"))
    }

    fn judge_start(&self, scenario: &Scenario) -> Option<Failure> {
        let mut mismatches = Vec::new();
        judge_warnings(
            "log records at WARN before the first request",
            (scenario.start_warnings, scenario.start_warnings),
            self.setup,
            &self.start_lines,
            &mut mismatches,
        );
        let is_premature = |line: &&Line| match line {
            Line::Log { text, .. } => text.starts_with("Health response"),
            _ => true,
        };
        for line in self.start_lines.iter().filter(is_premature) {
            let expected = "no log record or check before the first request";
            mismatches.push(Mismatch::new("lines", expected, line.to_string()));
        }
        if scenario.start_checks > 0 {
            let count = scenario.start_checks;
            for (name, starts) in self.journal.background(count, self.eventually) {
                if starts < count {
                    let expected = format!("{name:?} {count} times without a request");
                    let got = format!("{starts} times");
                    mismatches.push(Mismatch::new("checks started", expected, got));
                }
            }
        }
        if scenario.start == Start::Refused {
            let expected = "an error that contains the setting";
            mismatches.push(Mismatch::new("start", expected, "a server that is ready"));
        }
        Failure::unless_empty("the start", mismatches)
    }

    /// Lines that come too late for their step, or surplus lines.
    fn judge_end(&self) -> Option<Failure> {
        let patience = match self.pace {
            Pace::Fast => Duration::ZERO,
            Pace::Patient => self.patience,
        };
        let mut late = Vec::new();
        // Twice, for lines in succession; a server that never stops writing is not waited for.
        for _ in 0..2 {
            let lines = self.journal.take(1, patience);
            if lines.is_empty() {
                break;
            }
            late.extend(lines);
        }
        self.surplus.set(self.surplus.get() || !late.is_empty());
        let late = late.iter().map(|line| {
            Mismatch::new(
                "lines",
                "no line without a request, or more than 500 ms late",
                line.to_string(),
            )
        });
        Failure::unless_empty("the end", late.collect())
    }

    fn disablefile(&self) -> Option<&Path> {
        let path = self.setup.settings.get("healthcheck.disablefile");
        path.map(Path::new)
    }

    fn place(&self, marker: Marker) -> Result<(), MarkerError> {
        self.disablefile().map_or(Ok(()), |path| marker.place(path))
    }

    /// Removes the marker for the next scenario.
    fn tidy(&self, scenario: &Scenario) {
        if scenario.has_marker() {
            // If this fails, the next scenario fails.
            let _ = self.place(Marker::None);
        }
    }
}

/// Judges rejected settings.
pub(crate) fn judge_refused(scenario: &Scenario, setup: &Setup, message: &str) -> Finding {
    let own = scenario.settings.keys().next().map(String::as_str);
    let setting = own.and_then(|key| setup.settings.get_key_value(key));
    match setting.filter(|_| scenario.start == Start::Refused) {
        Some((key, value)) => {
            let mismatches = judge_refusal(key, value, message);
            Finding::of(Vec::from_iter(Failure::unless_empty("the start", mismatches)))
        }
        None => Finding::Failed(vec![Failure::of_start(
            scenario.start,
            format!("rejected its settings: {message}"),
        )]),
    }
}

/// Replaces the placeholders in settings and messages.
pub(crate) fn expand_setup(setup: &Setup, directory: &Path) -> Setup {
    let mut setup = setup.clone();
    let messages = setup.checks.iter_mut().filter_map(|check| check.message.as_mut());
    for text in setup.settings.values_mut().chain(messages) {
        *text = expand_text(text, directory);
    }
    setup
}

/// Creates the world-writable directory of `{open}`.
#[cfg(unix)]
pub(crate) fn make_open_directory(directory: &Path) -> io::Result<()> {
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
pub(crate) fn make_open_directory(directory: &Path) -> io::Result<()> {
    fs::create_dir(open(directory))
}

#[cfg(not(unix))]
fn is_world_writable(_directory: &Path) -> bool {
    false
}

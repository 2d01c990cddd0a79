//! Log records and starts of checks that a server under test reports.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, Write as _};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::scenario::capability::{Capability, Lacks};
use crate::setup::{Check, Setup};

/// One line of the testee protocol.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Line {
    /// `LOG LEVEL text`: a record of the health endpoint.
    Log {
        /// `INFO`, `WARN` or `ERROR`.
        level: String,
        /// The text of the record.
        text: String,
    },
    /// `CHECK name`: a check starts.
    Check(String),
}

impl Line {
    /// Parses a line of the protocol. Returns `None` for any other line.
    pub fn parse(line: &str) -> Option<Self> {
        if let Some(record) = line.strip_prefix("LOG ") {
            let (level, text) = record.split_once(' ').unwrap_or((record, ""));
            return Some(Self::Log { level: level.to_owned(), text: text.to_owned() });
        }
        line.strip_prefix("CHECK ").map(|name| Self::Check(name.to_owned()))
    }
}

impl Line {
    /// The capability that it needs.
    fn capability(&self) -> Capability {
        match self {
            Self::Log { .. } => Capability::Log,
            Self::Check(_) => Capability::Checks,
        }
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Log { level, text } => write!(f, "LOG {level} {text}"),
            Self::Check(name) => write!(f, "CHECK {name}"),
        }
    }
}

/// The lines of a server under test. Clones share them.
#[derive(Debug, Clone)]
pub struct Journal(Sink);

#[derive(Debug, Clone)]
enum Sink {
    Memory(Arc<Memory>),
    StandardOutput,
}

#[derive(Debug, Default)]
struct Memory {
    /// Lines about these capabilities are dropped.
    ignored: Vec<Capability>,
    lines: Mutex<Vec<Line>>,
    /// Starts of each background check. They come at any time, and so belong to no request.
    background: Mutex<BTreeMap<String, usize>>,
    /// Rules of the testee protocol that the server breaks.
    breaches: Mutex<Vec<Breach>>,
    arrived: Condvar,
}

/// A rule of the testee protocol that a program breaks.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Breach {
    /// What the protocol requires.
    pub(crate) expected: String,
    /// What the program did.
    pub(crate) got: String,
}

impl Memory {
    fn lines(&self) -> MutexGuard<'_, Vec<Line>> {
        lock(&self.lines)
    }

    /// Counts the line if it is the start of a background check. Returns whether it is.
    fn counts(&self, line: &Line) -> bool {
        let Line::Check(name) = line else {
            return false;
        };
        match lock(&self.background).get_mut(name) {
            Some(count) => {
                *count += 1;
                true
            }
            None => false,
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Journal {
    /// A journal that keeps its lines for the suite.
    pub fn in_memory() -> Self {
        Self(Sink::Memory(Arc::default()))
    }

    /// The journal of a server for `setup`, which drops lines about capabilities that the server lacks.
    pub(crate) fn of_server(setup: &Setup, lacks: &Lacks) -> Self {
        let ignored = lacks.keys().copied().collect();
        let background = setup.checks.iter().filter(|check| check.is_in_background());
        let background = background.map(|Check { name, .. }| (name.clone(), 0));
        Self(Sink::Memory(Arc::new(Memory {
            ignored,
            background: Mutex::new(background.collect()),
            ..Memory::default()
        })))
    }

    /// A journal that prints its lines, for a testee program.
    pub fn standard_output() -> Self {
        Self(Sink::StandardOutput)
    }

    /// Adds a line.
    pub fn record(&self, line: Line) {
        match &self.0 {
            Sink::Memory(memory) if memory.ignored.contains(&line.capability()) => {}
            Sink::Memory(memory) => {
                let mut lines = memory.lines();
                if !memory.counts(&line) {
                    lines.push(line);
                }
                memory.arrived.notify_all();
            }
            // The suite has ended the test and closed the pipe.
            Sink::StandardOutput => drop(writeln!(io::stdout(), "{line}")),
        }
    }

    /// Records a rule of the testee protocol that the server breaks.
    pub(crate) fn record_breach(&self, expected: impl Into<String>, got: impl Into<String>) {
        if let Sink::Memory(memory) = &self.0 {
            let (expected, got) = (expected.into(), got.into());
            lock(&memory.breaches).push(Breach { expected, got });
        }
    }

    /// The rules that the server has broken so far.
    pub(crate) fn breaches(&self) -> Vec<Breach> {
        match &self.0 {
            Sink::Memory(memory) => lock(&memory.breaches).clone(),
            Sink::StandardOutput => Vec::new(),
        }
    }

    /// Removes and returns all lines as soon as there are `count`, or none has arrived for `patience`. Waits for four times
    /// `patience` at most.
    pub(crate) fn take(&self, count: usize, patience: Duration) -> Vec<Line> {
        let Sink::Memory(memory) = &self.0 else {
            return Vec::new();
        };
        let start = Instant::now();
        let mut lines = memory.lines();
        let (mut last, mut seen) = (start, lines.len());
        while lines.len() < count {
            if lines.len() > seen {
                (last, seen) = (Instant::now(), lines.len());
            }
            let quiet = patience.saturating_sub(last.elapsed());
            let left = quiet.min(patience.saturating_mul(4).saturating_sub(start.elapsed()));
            if left.is_zero() {
                break;
            }
            lines =
                memory.arrived.wait_timeout(lines, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        std::mem::take(&mut *lines)
    }

    /// Returns the starts of each background check as soon as all have started `count` times, or `limit` has passed.
    pub(crate) fn background(&self, count: usize, limit: Duration) -> BTreeMap<String, usize> {
        let Sink::Memory(memory) = &self.0 else {
            return BTreeMap::new();
        };
        let start = Instant::now();
        let mut lines = memory.lines();
        loop {
            let started = lock(&memory.background).clone();
            let left = limit.saturating_sub(start.elapsed());
            if left.is_zero() || started.values().all(|starts| *starts >= count) {
                return started;
            }
            lines =
                memory.arrived.wait_timeout(lines, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Journal, Line};
    use crate::scenario::capability::Lacks;
    use crate::setup::Setup;

    #[test]
    fn lines_of_the_protocol_read_back_and_others_are_none() {
        for text in ["LOG WARN two words", "LOG INFO ", "CHECK a name"] {
            assert_eq!(Line::parse(text).unwrap().to_string(), text);
        }
        for text in ["", "READY http://127.0.0.1:1", "LOGS x", "CHECK"] {
            assert_eq!(Line::parse(text), None);
        }
    }

    #[test]
    fn a_line_that_is_there_is_not_waited_for() {
        let journal = Journal::in_memory();
        journal.record(Line::Check("db".to_owned()));
        let taken = journal.take(1, std::time::Duration::MAX);
        assert_eq!(taken, [Line::Check("db".to_owned())]);
    }

    #[test]
    fn starts_in_the_background_are_counted_apart() {
        let setup = r#"{"checks":[{"name":"db","every":9},{"name":"queue"}]}"#;
        let setup: Setup = serde_json::from_str(setup).unwrap();
        let journal = Journal::of_server(&setup, &Lacks::new());
        for name in ["db", "queue", "db"] {
            journal.record(Line::Check(name.to_owned()));
        }
        let started = journal.background(2, std::time::Duration::MAX);
        assert_eq!(started, [("db".to_owned(), 2)].into());
        let taken = journal.take(1, std::time::Duration::MAX);
        assert_eq!(taken, [Line::Check("queue".to_owned())]);
    }
}

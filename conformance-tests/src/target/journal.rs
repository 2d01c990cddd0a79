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
    /// `WAITING`: a request of the application waits for `FINISH`.
    Waiting,
    /// `DRAINED`: the drain has ended.
    Drained,
    /// `DEADLINE`: the application is told that the time of the drain is over.
    Deadline,
}

impl Line {
    /// Parses a line of the protocol. Returns `None` for any other line.
    pub fn parse(line: &str) -> Option<Self> {
        if let Some(record) = line.strip_prefix("LOG ") {
            let (level, text) = record.split_once(' ').unwrap_or((record, ""));
            return Some(Self::Log { level: level.to_owned(), text: text.to_owned() });
        }
        match line {
            "WAITING" => Some(Self::Waiting),
            "DRAINED" => Some(Self::Drained),
            "DEADLINE" => Some(Self::Deadline),
            _ => line.strip_prefix("CHECK ").map(|name| Self::Check(name.to_owned())),
        }
    }
}

impl Line {
    /// The capability that it needs.
    fn capability(&self) -> Capability {
        match self {
            Self::Log { .. } => Capability::Log,
            Self::Check(_) => Capability::Checks,
            Self::Waiting => Capability::Application,
            Self::Drained | Self::Deadline => Capability::DrainEnd,
        }
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Log { level, text } => write!(f, "LOG {level} {text}"),
            Self::Check(name) => write!(f, "CHECK {name}"),
            Self::Waiting => f.write_str("WAITING"),
            Self::Drained => f.write_str("DRAINED"),
            Self::Deadline => f.write_str("DEADLINE"),
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
    /// When a drain ended; `None` if the setup has no time for it, and nothing may come.
    drain: Option<Mutex<DrainTimes>>,
    /// Rules of the testee protocol that the server breaks.
    breaches: Mutex<Vec<Breach>>,
    arrived: Condvar,
}

/// What a server has reported of its drain, and when it came.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct DrainTimes {
    /// The drain has ended.
    pub(crate) drained: Option<Instant>,
    /// The application was told that the time is over.
    pub(crate) deadline: Option<Instant>,
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

    /// Keeps a line that belongs to no request apart. Returns whether it is one.
    fn keeps_apart(&self, line: &Line) -> bool {
        match line {
            Line::Check(name) => match lock(&self.background).get_mut(name) {
                Some(count) => {
                    *count += 1;
                    true
                }
                None => false,
            },
            Line::Drained => self.keeps_time(|times| &mut times.drained),
            Line::Deadline => self.keeps_time(|times| &mut times.deadline),
            // The records of the drain itself.
            Line::Log { level, text } => {
                self.drain.is_some() && level == "INFO" && !text.starts_with("Health response: ")
            }
            Line::Waiting => false,
        }
    }

    /// Remembers that a moment has come. Returns whether it may, which is once.
    fn keeps_time(&self, time: impl Fn(&mut DrainTimes) -> &mut Option<Instant>) -> bool {
        let Some(times) = &self.drain else {
            return false;
        };
        time(&mut lock(times)).replace(Instant::now()).is_none()
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
            drain: setup.drain.map(|_| Mutex::default()),
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
                if !memory.keeps_apart(&line) {
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

    /// Removes and returns all lines as soon as there are `count`, or none has arrived for `patience`. Waits for four
    /// times `patience` at most.
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

    /// Returns what has come of the drain as soon as `is_enough`, or `limit` has passed.
    pub(crate) fn drain(
        &self,
        limit: Duration,
        is_enough: impl Fn(DrainTimes) -> bool,
    ) -> DrainTimes {
        let Sink::Memory(memory) = &self.0 else {
            return DrainTimes::default();
        };
        let start = Instant::now();
        let mut lines = memory.lines();
        loop {
            let times = memory.drain.as_ref().map(|times| *lock(times)).unwrap_or_default();
            let left = limit.saturating_sub(start.elapsed());
            if left.is_zero() || is_enough(times) {
                return times;
            }
            lines =
                memory.arrived.wait_timeout(lines, left).unwrap_or_else(PoisonError::into_inner).0;
        }
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
        for text in
            ["LOG WARN two words", "LOG INFO ", "CHECK a name", "WAITING", "DRAINED", "DEADLINE"]
        {
            assert_eq!(Line::parse(text).unwrap().to_string(), text);
        }
        for text in ["", "READY http://127.0.0.1:1", "LOGS x", "CHECK", "DRAINED at last"] {
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

    #[test]
    fn the_end_of_a_drain_is_kept_apart_once_and_so_are_its_records() {
        let setup: Setup = serde_json::from_str(r#"{"drain":{"at_least":9}}"#).unwrap();
        let journal = Journal::of_server(&setup, &Lacks::new());
        let log = |level: &str, text: &str| {
            journal.record(Line::Log { level: level.to_owned(), text: text.to_owned() });
        };
        log("INFO", "draining: it began");
        journal.record(Line::Drained);
        let times = journal.drain(std::time::Duration::MAX, |times| times.drained.is_some());
        assert_eq!(times.deadline, None);
        assert_eq!(journal.take(0, std::time::Duration::ZERO), []);
        log("INFO", "Health response: DRAINING");
        log("WARN", "draining: too long");
        journal.record(Line::Drained);
        assert_eq!(journal.take(3, std::time::Duration::ZERO).len(), 3);
        let without = Journal::of_server(&Setup::default(), &Lacks::new());
        without.record(Line::Deadline);
        assert_eq!(without.take(1, std::time::Duration::ZERO), [Line::Deadline]);
    }
}

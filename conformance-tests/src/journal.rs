//! What a server under test tells beside its answers: log records and starts of checks.

use std::fmt;
use std::io::{self, Write as _};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::capability::{Capability, Lacks};

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
    /// Reads a line of the protocol; `None` for any other.
    pub fn parse(line: &str) -> Option<Self> {
        if let Some(record) = line.strip_prefix("LOG ") {
            let (level, text) = record.split_once(' ').unwrap_or((record, ""));
            return Some(Self::Log {
                level: level.to_owned(),
                text: text.to_owned(),
            });
        }
        line.strip_prefix("CHECK ")
            .map(|name| Self::Check(name.to_owned()))
    }
}

impl Line {
    /// What it shows.
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

/// Where a server under test writes its lines. Clones share the same lines.
#[derive(Debug, Clone)]
pub struct Journal(Sink);

#[derive(Debug, Clone)]
enum Sink {
    Memory(Arc<Memory>),
    StandardOutput,
}

#[derive(Debug, Default)]
struct Memory {
    /// Lines about these are not kept.
    ignored: Vec<Capability>,
    lines: Mutex<Vec<Line>>,
    arrived: Condvar,
}

impl Memory {
    fn lines(&self) -> MutexGuard<'_, Vec<Line>> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Journal {
    /// A journal that keeps its lines, for the suite to read.
    pub fn in_memory() -> Self {
        Self(Sink::Memory(Arc::default()))
    }

    /// The same, but for lines about what a server is said to lack.
    pub(crate) fn in_memory_without(lacks: &Lacks) -> Self {
        let ignored = lacks.keys().copied().collect();
        Self(Sink::Memory(Arc::new(Memory {
            ignored,
            ..Memory::default()
        })))
    }

    /// A journal that prints its lines: that of a testee program.
    pub fn standard_output() -> Self {
        Self(Sink::StandardOutput)
    }

    /// Adds a line.
    pub fn record(&self, line: Line) {
        match &self.0 {
            Sink::Memory(memory) if memory.ignored.contains(&line.capability()) => {}
            Sink::Memory(memory) => {
                memory.lines().push(line);
                memory.arrived.notify_all();
            }
            // A suite that stopped reading has ended the test.
            Sink::StandardOutput => drop(writeln!(io::stdout(), "{line}")),
        }
    }

    /// Takes the lines there are, as soon as there are `count`, or none has come for as long as the `patience`;
    /// but never waits more than four times as long.
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
            lines = memory
                .arrived
                .wait_timeout(lines, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
        std::mem::take(&mut *lines)
    }
}

#[cfg(test)]
mod tests {
    use super::{Journal, Line};

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
}

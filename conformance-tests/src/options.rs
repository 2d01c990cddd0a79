//! How a run is done.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use wildmatch::WildMatch;

use crate::judge::known::KnownFailures;

/// How a run is done.
#[derive(Debug, Clone)]
pub struct Options {
    /// Which scenarios to run: those whose id matches one of these; `*` stands for any text. Default: all.
    pub run: Vec<String>,
    /// Which of these not to run. Default: none.
    pub skip: Vec<String>,
    /// How many servers run at once. Default: 1.
    pub jobs: usize,
    /// How long an answer may take. Default: 5 s.
    pub timeout: Duration,
    /// How long a server may take for what it does without a request: a check in the background, or the change that a
    /// step waits for. Default: 10 s.
    pub eventually: Duration,
    /// Whether a `should` that fails counts. Default: it does not.
    pub strict: bool,
    /// What the server is known to fail, and to lack. Default: nothing.
    pub known: KnownFailures,
    /// Ends the run early when it is set. Default: it never is.
    pub interrupt: Interrupt,
    /// What the report calls the server: a word, and perhaps its version. Default: nothing.
    pub name: String,
    /// The command that runs one scenario again, for the report; `{id}` stands for the scenario.
    /// Default: none.
    pub rerun: String,
}

/// Ends a run early: servers are stopped and disablefiles removed, and the scenarios that are left are skipped.
/// Clones are of the same one.
#[derive(Debug, Clone, Default)]
pub struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// Ends the run. Returns whether it was to end before.
    pub fn set(&self) -> bool {
        self.0.swap(true, Ordering::Relaxed)
    }

    /// Whether the run is to end.
    pub fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

impl Default for Options {
    fn default() -> Self {
        Self {
            run: vec!["*".to_owned()],
            skip: Vec::new(),
            jobs: 1,
            timeout: Duration::from_secs(5),
            eventually: Duration::from_secs(10),
            strict: false,
            known: KnownFailures::default(),
            interrupt: Interrupt::default(),
            name: String::new(),
            rerun: String::new(),
        }
    }
}

impl Options {
    /// Whether the scenario of this id is to be run.
    pub(crate) fn chooses(&self, id: &str) -> bool {
        let any = |patterns: &[String]| {
            patterns.iter().any(|pattern| WildMatch::new(pattern).matches(id))
        };
        any(&self.run) && !any(&self.skip)
    }
}

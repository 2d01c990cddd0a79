//! Options of a run.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use wildmatch::WildMatch;

use crate::judge::known::KnownFailures;

/// Options of a run.
#[derive(Debug, Clone)]
pub struct Options {
    /// Runs the scenarios whose id matches one of these patterns; `*` matches any text. Default: all.
    pub run: Vec<String>,
    /// Skips the scenarios whose id matches one of these patterns. Default: none.
    pub skip: Vec<String>,
    /// Number of servers that run at the same time. Default: 1.
    pub jobs: usize,
    /// Limit for a response. Default: 5 seconds.
    pub timeout: Duration,
    /// Limit for background checks to start, and for a state that a step waits for. Default: 10 seconds.
    pub eventually: Duration,
    /// Whether a failed `should` counts as a failure. Default: `false`.
    pub strict: bool,
    /// Known failures and missing capabilities of the server. Default: none.
    pub known: KnownFailures,
    /// Ends the run early when it is set. Default: never.
    pub interrupt: Interrupt,
    /// The name of the server in the report, optionally with its version. Default: empty.
    pub name: String,
    /// The command that runs one scenario again, for the report; `{id}` is replaced by the id of the scenario. Default: none.
    pub rerun: String,
}

/// Ends a run early: servers are stopped, disablefiles are removed, and the remaining scenarios are skipped. Clones share
/// their state.
#[derive(Debug, Clone, Default)]
pub struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// Ends the run. Returns whether it was already interrupted.
    pub fn set(&self) -> bool {
        self.0.swap(true, Ordering::Relaxed)
    }

    /// Whether the run is interrupted.
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
    /// Whether to run the scenario with this id.
    pub(crate) fn chooses(&self, id: &str) -> bool {
        let any = |patterns: &[String]| {
            patterns.iter().any(|pattern| WildMatch::new(pattern).matches(id))
        };
        any(&self.run) && !any(&self.skip)
    }
}

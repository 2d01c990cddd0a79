//! How a run is done.

use std::time::Duration;

use wildmatch::WildMatch;

use crate::known::KnownFailures;

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
    /// Whether a `should` that fails counts. Default: it does not.
    pub strict: bool,
    /// What the server is known to fail, and to lack. Default: nothing.
    pub known: KnownFailures,
    /// What the report calls the server: a word, and perhaps its version. Default: nothing.
    pub name: String,
    /// The command that runs one scenario again, for the report; `{id}` stands for the scenario.
    /// Default: none.
    pub rerun: String,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            run: vec!["*".to_owned()],
            skip: Vec::new(),
            jobs: 1,
            timeout: Duration::from_secs(5),
            strict: false,
            known: KnownFailures::default(),
            name: String::new(),
            rerun: String::new(),
        }
    }
}

impl Options {
    /// Whether the scenario of this id is to be run.
    pub(crate) fn chooses(&self, id: &str) -> bool {
        let any = |patterns: &[String]| {
            patterns
                .iter()
                .any(|pattern| WildMatch::new(pattern).matches(id))
        };
        any(&self.run) && !any(&self.skip)
    }
}

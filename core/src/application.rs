//! The way of a request: observe, decide, respond, record.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::config::HealthConfig;
use crate::decision::{Condition, Decision, Step};
use crate::endpoint::{CheckMode, HealthResponse, Reply, Resolved, RunChecks, Table};
use crate::lifecycle::{Drain, Gate};
use crate::log::{LogMemory, LogPolicy, LogRecord};
use crate::maintenance::Maintenance;
use crate::run::{Dispatcher, Engine, start_background};

/// What all clones share.
#[derive(Debug)]
pub(crate) struct Parts {
    pub(crate) config: HealthConfig,
    pub(crate) maintenance: Maintenance,
    pub(crate) gate: Gate,
    pub(crate) drain: Drain,
    /// How long a process has from the signal to the kill.
    pub(crate) termination_grace_period: Duration,
    pub(crate) engine: Arc<Engine>,
    /// Whether the background checks are.
    pub(crate) is_started: AtomicBool,
    /// The one of the settings first.
    pub(crate) endpoints: Vec<Served>,
    pub(crate) log_policy: LogPolicy,
    pub(crate) warnings: Vec<LogRecord>,
}

impl Drop for Parts {
    fn drop(&mut self) {
        self.engine.stopped.set(());
    }
}

impl Parts {
    pub(crate) fn start(&self) {
        let Self {
            is_started, engine, ..
        } = self;
        if !is_started.load(Ordering::Relaxed) && !is_started.swap(true, Ordering::Relaxed) {
            start_background(engine);
        }
    }
}

/// What came of one request: the response to send, and the records that belong in the log with it.
#[derive(Debug, Clone)]
#[must_use = "the response has to be sent, and the records logged"]
pub struct Answer {
    pub(crate) response: HealthResponse,
    pub(crate) warnings: Vec<LogRecord>,
    pub(crate) record: Option<LogRecord>,
}

impl Answer {
    /// What to send.
    pub fn response(&self) -> HealthResponse {
        self.response
    }

    /// What to log, in order: a WARN about the disablefile (H4) and each maintenance source (H19) of which an episode
    /// begins, and one record unless the answer is OK (H8), or as the [policy](crate::LogPolicy) says.
    pub fn records(&self) -> impl Iterator<Item = &LogRecord> {
        self.warnings.iter().chain(&self.record)
    }
}

/// An endpoint without the application that it is part of.
#[derive(Debug)]
pub(crate) struct Served {
    path: String,
    run_checks: RunChecks,
    table: Table<Reply>,
    dispatcher: Arc<Dispatcher>,
    memory: LogMemory,
}

impl Served {
    /// All endpoints of an application. Those that choose the same checks share their runs (H7).
    pub(crate) fn all(endpoints: Vec<Resolved>, engine: &Arc<Engine>) -> Vec<Self> {
        let mut served: Vec<Self> = Vec::new();
        for Resolved {
            path,
            checks,
            run_checks,
            table,
        } in endpoints
        {
            let mut dispatchers = served.iter().map(|other| &other.dispatcher);
            let same = dispatchers
                .find(|other| other.checks() == &*checks)
                .cloned();
            served.push(Self {
                path,
                run_checks,
                table,
                dispatcher: same
                    .unwrap_or_else(|| Arc::new(Dispatcher::new(engine.clone(), checks))),
                memory: LogMemory::default(),
            });
        }
        served
    }

    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    pub(crate) fn table(&self) -> Table<Reply> {
        self.table
    }

    pub(crate) async fn respond(&self, parts: &Parts, query: &str) -> HealthResponse {
        let (condition, warnings) = self.observe(parts).await;
        // Before the checks: a client that leaves while they run must not take the warnings with it.
        warnings.iter().for_each(LogRecord::emit);
        let decision = self.decide(parts, condition, query).await;
        if let Some(record) = self.record(parts, &decision) {
            record.emit();
        }
        self.response(&decision)
    }

    pub(crate) async fn answer(&self, parts: &Parts, query: &str) -> Answer {
        let (condition, warnings) = self.observe(parts).await;
        let decision = self.decide(parts, condition, query).await;
        Answer {
            response: self.response(&decision),
            warnings,
            record: self.record(parts, &decision),
        }
    }

    /// The gravest of what holds whatever the checks say, and what there is to warn of (H17). What the endpoint ignores is
    /// not even looked at.
    async fn observe(&self, parts: &Parts) -> (Condition, Vec<LogRecord>) {
        parts.start();
        if self.is_draining(parts) {
            return (Condition::Draining, Vec::new());
        }
        let mut warnings = Vec::new();
        if self.table.maintenance.is_some() {
            let observation = parts.maintenance.observe(parts.engine.runtime()).await;
            warnings = observation.warnings;
            if observation.is_active {
                return (Condition::Maintenance, warnings);
            }
        }
        let start = self.table.starting.and_then(|_| parts.gate.unreleased());
        (start.map_or(Condition::Open, Condition::Start), warnings)
    }

    async fn decide(&self, parts: &Parts, condition: Condition, query: &str) -> Decision {
        let mode = match self.run_checks {
            RunChecks::Always => CheckMode::Run,
            RunChecks::OnRequest => CheckMode::from_query(query),
        };
        let decision = match Step::choose(condition, mode) {
            Step::Decided(decision) => decision,
            // Boxed: an answer without checks need not carry room for a run.
            Step::RunChecks(permit) => {
                Decision::Checked(Box::pin(self.dispatcher.outcome(permit)).await)
            }
        };
        // What was found before must not call it back (H20).
        match self.is_draining(parts) {
            true => Decision::Drain,
            false => decision,
        }
    }

    fn is_draining(&self, parts: &Parts) -> bool {
        self.table.draining.is_some() && parts.drain.has_begun()
    }

    fn record(&self, parts: &Parts, decision: &Decision) -> Option<LogRecord> {
        let now = || parts.engine.now();
        parts.log_policy.record(decision, &self.memory, now)
    }

    /// A state that the endpoint ignores is none that it finds; should it be, it fails.
    fn response(&self, decision: &Decision) -> HealthResponse {
        let state = decision.state();
        let says = self.table.get(state).unwrap_or(self.table.failing);
        HealthResponse::new(state, says)
    }
}

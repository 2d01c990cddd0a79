//! An endpoint as it is served: what it decides for a request.

use std::sync::Arc;

use http::StatusCode;

use crate::decision::{Condition, Decision, Step};
use crate::dispatch::Dispatcher;
use crate::endpoint::{Resolved, Says, Table, When};
use crate::engine::Engine;
use crate::health::{Answer, Health, Parts};
use crate::log::{LogMemory, LogRecord};
use crate::request::CheckMode;
use crate::response::HealthResponse;
use crate::state::{State, Word};

/// One endpoint, to be mounted at its path. Cheap to clone.
///
/// [`Health::endpoints`] lists them, for an adapter, or for a page that describes them:
///
/// ```
/// use health_core::{Endpoint, Health};
///
/// let health = Health::builder().endpoint(Endpoint::strict("/up")).build()?;
/// for endpoint in health.endpoints() {
///     println!("{}", endpoint.path());
///     for (state, code, word) in endpoint.answers() {
///         println!("  {state}: {code} {word}");
///     }
/// }
/// # Ok::<(), health_core::BuildError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Mounted {
    health: Health,
    index: usize,
}

impl Mounted {
    pub(crate) fn new(health: Health, index: usize) -> Self {
        Self { health, index }
    }

    fn served(&self) -> &Served {
        &self.health.parts().endpoints[self.index]
    }

    /// Where it is to be mounted: a request has to have exactly this path (H1).
    pub fn path(&self) -> &str {
        self.served().path()
    }

    /// What it says in each state that it does not ignore, the least grave first.
    pub fn answers(&self) -> impl Iterator<Item = (State, StatusCode, Word)> {
        let table = self.served().table;
        State::ALL.into_iter().filter_map(move |state| {
            let Says { code, word, .. } = table.get(state)?;
            Some((state, code, word))
        })
    }

    /// Answers one request and logs what H4, H8, H19 and H21 ask for.
    ///
    /// `query` is the raw query string without its `?`, empty when there is none. A run of the
    /// checks that this starts goes on without it: to drop the future half-way harms nobody who waits for the
    /// same run (H7). Never panics, unless the program's own log subscriber does.
    pub async fn respond(&self, query: &str) -> HealthResponse {
        self.served().respond(self.health.parts(), query).await
    }

    /// Decides as [`Mounted::respond`] does, and leaves the logging to the caller.
    ///
    /// Await it to its end: a warning about the disablefile or a maintenance source, due once an episode, is lost with
    /// a future that is dropped half-way.
    pub async fn answer(&self, query: &str) -> Answer {
        self.served().answer(self.health.parts(), query).await
    }
}

/// An endpoint without the application that it is part of.
#[derive(Debug)]
pub(crate) struct Served {
    path: String,
    when: When,
    table: Table<Says>,
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
            when,
            table,
        } in endpoints
        {
            let mut dispatchers = served.iter().map(|other| &other.dispatcher);
            let same = dispatchers
                .find(|other| other.checks() == &*checks)
                .cloned();
            served.push(Self {
                path,
                when,
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
        let mode = match self.when {
            When::Always => CheckMode::Run,
            When::OnRequest => CheckMode::from_query(query),
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

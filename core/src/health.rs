//! The handle that wires the parts.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::background;
use crate::build::HealthBuilder;
use crate::config::HealthConfig;
use crate::decision::{Decision, Step};
use crate::dispatch::Dispatcher;
use crate::engine::Engine;
use crate::log::LogRecord;
use crate::maintenance::{Maintenance, MaintenanceState, Observation};
use crate::request::CheckMode;
use crate::response::HealthResponse;
use crate::runtime::Runtime;

/// The health endpoint: settings, maintenance switch and checks. Cheap to clone; clones share all.
#[derive(Debug, Clone)]
pub struct Health(Arc<Parts>);

#[derive(Debug)]
struct Parts {
    config: HealthConfig,
    maintenance: Maintenance,
    engine: Arc<Engine>,
    dispatcher: Dispatcher,
    /// Whether the background checks are.
    is_started: AtomicBool,
    warnings: Vec<LogRecord>,
}

impl Drop for Parts {
    fn drop(&mut self) {
        self.engine.stopped.set(());
    }
}

impl Health {
    pub(crate) fn new(
        config: HealthConfig,
        maintenance: Maintenance,
        engine: Engine,
        warnings: Vec<LogRecord>,
    ) -> Self {
        let engine = Arc::new(engine);
        Self(Arc::new(Parts {
            config,
            maintenance,
            dispatcher: Dispatcher::new(engine.clone()),
            engine,
            is_started: AtomicBool::new(false),
            warnings,
        }))
    }

    /// Starts a description of the endpoint: default settings, no checks.
    pub fn builder() -> HealthBuilder {
        HealthBuilder::default()
    }

    /// The settings it was built with; an adapter mounts at their [`url`](HealthConfig::url).
    pub fn config(&self) -> &HealthConfig {
        &self.0.config
    }

    /// Whether `path`, as it stands in the request and without the query, is this endpoint's (H1).
    pub fn serves(&self, path: &str) -> bool {
        self.0.config.url() == path
    }

    /// Starts the background checks (H14), now and once, on `runtime`, unless the builder was given
    /// another or a request has come before; what runs later runs there too.
    ///
    /// Adapters do it when they mount the endpoint. Without it, the first request does it, on
    /// [`ThreadRuntime`](crate::ThreadRuntime).
    pub fn start_on(&self, runtime: impl Runtime) {
        self.offer_runtime(runtime);
        self.start();
    }

    pub(crate) fn offer_runtime(&self, runtime: impl Runtime) {
        self.0.engine.offer_runtime(runtime);
    }

    pub(crate) fn start(&self) {
        let Parts {
            is_started, engine, ..
        } = &*self.0;
        if !is_started.load(Ordering::Relaxed) && !is_started.swap(true, Ordering::Relaxed) {
            background::start(engine);
        }
    }

    /// Answers one request and logs what H8 and H4 ask for.
    ///
    /// `query` is the raw query string without its `?`, empty when there is none. A run of the
    /// checks that this starts goes on without it: to drop the future half-way harms nobody who waits for the
    /// same run (H7). Never panics, unless the program's own log subscriber does.
    pub async fn respond(&self, query: &str) -> HealthResponse {
        let (state, warning) = self.observe().await;
        // Before the checks: a client that leaves while they run must not take the warning with it.
        if let Some(warning) = warning {
            warning.emit();
        }
        let decision = self.decide(state, query).await;
        if let Some(record) = LogRecord::of(&decision) {
            record.emit();
        }
        HealthResponse::of(&decision, &self.0.config)
    }

    /// Decides as [`Health::respond`] does, and leaves the logging to the caller.
    ///
    /// Await it to its end: a warning about the disablefile, due once an episode, is lost with a
    /// future that is dropped half-way.
    pub async fn answer(&self, query: &str) -> Answer {
        let (state, warning) = self.observe().await;
        let decision = self.decide(state, query).await;
        Answer {
            response: HealthResponse::of(&decision, &self.0.config),
            warning,
            record: LogRecord::of(&decision),
        }
    }

    /// Looks for the disablefile, and says what the look gives reason to log (H4).
    async fn observe(&self) -> (MaintenanceState, Option<LogRecord>) {
        self.start();
        let maintenance = &self.0.maintenance;
        let Observation { state, trouble } = maintenance.observe(self.0.engine.runtime()).await;
        let warning = trouble.map(|trouble| trouble.record(maintenance, state));
        (state, warning)
    }

    async fn decide(&self, state: MaintenanceState, query: &str) -> Decision {
        match Step::choose(state, CheckMode::from_query(query)) {
            Step::Decided(decision) => decision,
            // Boxed: an answer without checks need not carry room for a run.
            Step::RunChecks(permit) => {
                Decision::Checked(Box::pin(self.0.dispatcher.outcome(permit)).await)
            }
        }
    }

    /// What was worth a warning when this was built, and was logged then: a disablefile that any local
    /// user could create, and each unknown environment variable (H11).
    pub fn warnings(&self) -> &[LogRecord] {
        &self.0.warnings
    }
}

/// What came of one request: the response to send, and the records that belong in the log with it.
#[derive(Debug, Clone)]
#[must_use = "the response has to be sent, and the records logged"]
pub struct Answer {
    response: HealthResponse,
    warning: Option<LogRecord>,
    record: Option<LogRecord>,
}

impl Answer {
    /// What to send.
    pub fn response(&self) -> HealthResponse {
        self.response
    }

    /// What to log, in order: at most one WARN about the disablefile (H4), and one record unless the
    /// answer is OK (H8).
    pub fn records(&self) -> impl Iterator<Item = &LogRecord> {
        self.warning.iter().chain(&self.record)
    }
}

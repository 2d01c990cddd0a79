//! The handle that wires the parts.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::background;
use crate::build::HealthBuilder;
use crate::config::HealthConfig;
use crate::drain::Drain;
use crate::engine::Engine;
use crate::log::{LogPolicy, LogRecord};
use crate::maintenance::{Maintenance, MaintenanceSwitch};
use crate::mounted::{Mounted, Served};
use crate::response::HealthResponse;
use crate::runtime::Runtime;
use crate::startup::Gate;

/// The health endpoints of an application: settings, maintenance and checks. Cheap to clone; clones share all.
#[derive(Debug, Clone)]
pub struct Health(Arc<Parts>);

/// What all clones share.
#[derive(Debug)]
pub(crate) struct Parts {
    pub(crate) config: HealthConfig,
    pub(crate) maintenance: Maintenance,
    pub(crate) gate: Gate,
    pub(crate) drain: Drain,
    /// How long a process has from the signal to the kill.
    pub(crate) stop_grace: Duration,
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

impl Health {
    pub(crate) fn new(parts: Parts) -> Self {
        Self(Arc::new(parts))
    }

    /// Starts a description of the endpoints: default settings, no checks.
    pub fn builder() -> HealthBuilder {
        HealthBuilder::default()
    }

    pub(crate) fn parts(&self) -> &Parts {
        &self.0
    }

    /// The settings it was built with.
    pub fn config(&self) -> &HealthConfig {
        &self.0.config
    }

    /// All endpoints, the one of [`healthcheck.url`](HealthConfig::url) first: what an adapter mounts.
    pub fn endpoints(&self) -> impl Iterator<Item = Mounted> {
        (0..self.0.endpoints.len()).map(|index| Mounted::new(self.clone(), index))
    }

    /// The endpoint at `path`, as it stands in the request and without the query; `None` where there is none
    /// (H1).
    pub fn at(&self, path: &str) -> Option<Mounted> {
        let mut endpoints = self.0.endpoints.iter();
        let index = endpoints.position(|endpoint| endpoint.path() == path)?;
        Some(Mounted::new(self.clone(), index))
    }

    /// Starts the background checks (H14), now and once, on `runtime`, unless the builder was given
    /// another or a request has come before; what runs later runs there too.
    ///
    /// Adapters do it when they mount the endpoints. Without it, the first request does it, on
    /// [`ThreadRuntime`](crate::ThreadRuntime).
    pub fn start_on(&self, runtime: impl Runtime) {
        self.offer_runtime(runtime);
        self.0.start();
    }

    pub(crate) fn offer_runtime(&self, runtime: impl Runtime) {
        self.0.engine.offer_runtime(runtime);
    }

    /// Answers one request to the endpoint of [`healthcheck.url`](HealthConfig::url): see
    /// [`Mounted::respond`].
    pub async fn respond(&self, query: &str) -> HealthResponse {
        self.0.endpoints[0].respond(&self.0, query).await
    }

    /// Decides as [`Health::respond`] does, and leaves the logging to the caller: see
    /// [`Mounted::answer`].
    pub async fn answer(&self, query: &str) -> Answer {
        self.0.endpoints[0].answer(&self.0, query).await
    }

    /// What begins and ends a maintenance by a call (H19).
    pub fn maintenance_switch(&self) -> MaintenanceSwitch {
        self.0.maintenance.switch().clone()
    }

    /// What was worth a warning when this was built, and was logged then: a disablefile that any local
    /// user could create, and each unknown environment variable (H11).
    pub fn warnings(&self) -> &[LogRecord] {
        &self.0.warnings
    }
}

impl Parts {
    pub(crate) fn start(&self) {
        let Self {
            is_started, engine, ..
        } = self;
        if !is_started.load(Ordering::Relaxed) && !is_started.swap(true, Ordering::Relaxed) {
            background::start(engine);
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

//! The handle that wires the parts.

use std::collections::HashSet;
use std::fmt;
use std::future::Future;
use std::sync::Arc;

use crate::check::{HealthSubscriber, Registered};
use crate::config::{ConfigError, HealthConfig};
use crate::decision::{Decision, Step};
use crate::dispatch;
use crate::event::HealthCheckEvent;
use crate::log::LogRecord;
use crate::maintenance::{self, Maintenance, MaintenanceState, Observation};
use crate::request::CheckMode;
use crate::response::HealthResponse;

/// The health endpoint: settings, maintenance switch and checks. Cheap to clone; clones share all.
#[derive(Debug, Clone)]
pub struct Health(Arc<Parts>);

#[derive(Debug)]
struct Parts {
    config: HealthConfig,
    maintenance: Maintenance,
    subscribers: Vec<Registered>,
    warnings: Vec<LogRecord>,
}

impl Health {
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

    /// Answers one request and logs what H8 and H4 ask for.
    ///
    /// `query` is the raw query string without its `?`, empty when there is none. Needs no runtime
    /// of its own; checks may need the application's. Never panics, unless the program's own log
    /// subscriber does.
    pub async fn respond(&self, query: &str) -> HealthResponse {
        let (state, warning) = self.observe();
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
        let (state, warning) = self.observe();
        let decision = self.decide(state, query).await;
        Answer {
            response: HealthResponse::of(&decision, &self.0.config),
            warning,
            record: LogRecord::of(&decision),
        }
    }

    /// Looks for the disablefile, and says what the look gives reason to log (H4).
    fn observe(&self) -> (MaintenanceState, Option<LogRecord>) {
        let maintenance = &self.0.maintenance;
        let Observation { state, trouble } = maintenance.observe();
        let warning = maintenance
            .disablefile()
            .zip(trouble)
            .map(|(path, error)| LogRecord::disablefile_unreadable(path, &error));
        (state, warning)
    }

    async fn decide(&self, state: MaintenanceState, query: &str) -> Decision {
        match Step::choose(state, CheckMode::from_query(query)) {
            Step::Decided(decision) => decision,
            // Boxed: an answer without checks need not carry room for a run.
            Step::RunChecks(permit) => {
                Decision::judge(Box::pin(dispatch::run(permit, &self.0.subscribers)).await)
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

/// Describes a [`Health`].
///
/// ```
/// use health_core::{Health, HealthConfig};
/// # struct Pool;
/// # impl Pool { async fn ping(&self) -> Result<(), std::io::Error> { Ok(()) } }
/// # let pool = std::sync::Arc::new(Pool);
///
/// let health = Health::builder()
///     .config(HealthConfig::default().with_disablefile("/run/shop/maintenance"))
///     .check("database", move || {
///         let pool = pool.clone();
///         async move { pool.ping().await }
///     })
///     .subscribe(|event| event.report("disk", "OK", Some("61 % used")))
///     .build()?;
/// # Ok::<(), health_core::BuildError>(())
/// ```
#[derive(Debug, Default)]
#[must_use = "a description does nothing until it is built"]
pub struct HealthBuilder {
    config: HealthConfig,
    subscribers: Vec<Registered>,
    check_names: Vec<String>,
}

impl HealthBuilder {
    /// Takes `config` for settings. Default: [`HealthConfig::default`], which reads no environment.
    pub fn config(mut self, config: HealthConfig) -> Self {
        self.config = config;
        self
    }

    /// Adds a check: an asynchronous closure that says `Ok(())` or an error to show in the log.
    ///
    /// It is called for every request that asks for checks. A panic, also in the error's `Display`,
    /// is an ERROR of this check alone (H12).
    pub fn check<F, Fut, E>(mut self, name: impl Into<String>, check: F) -> Self
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), E>> + Send + 'static,
        E: fmt::Display + 'static,
    {
        let name = name.into();
        self.check_names.push(name.clone());
        self.subscribers.push(Registered::check(name, check));
        self
    }

    /// Adds a closure that reports any number of results to the event it is given.
    ///
    /// It must not block: the other checks wait for it.
    pub fn subscribe<F>(mut self, subscriber: F) -> Self
    where
        F: Fn(&mut HealthCheckEvent) + Send + Sync + 'static,
    {
        self.subscribers.push(Registered::closure(subscriber));
        self
    }

    /// Adds a subscriber that is a type of its own.
    pub fn subscriber(mut self, subscriber: impl HealthSubscriber) -> Self {
        self.subscribers.push(Registered::subscriber(subscriber));
        self
    }

    /// Builds the endpoint, and logs its [warnings](Health::warnings) at WARN; so set up the log first.
    ///
    /// # Errors
    ///
    /// Two checks share a name.
    pub fn build(self) -> Result<Health, BuildError> {
        let mut seen = HashSet::new();
        if let Some(name) = self.check_names.iter().find(|name| !seen.insert(*name)) {
            return Err(BuildError::DuplicateCheck { name: name.clone() });
        }

        let exposed = self.config.disablefile();
        let exposed = exposed.filter(|path| maintenance::is_exposed(path));
        let unknown = self.config.unknown_variables().iter();
        let unknown = unknown.map(|name| LogRecord::unknown_variable(name));
        let warnings: Vec<_> = unknown
            .chain(exposed.map(LogRecord::disablefile_exposed))
            .collect();
        warnings.iter().for_each(LogRecord::emit);

        Ok(Health(Arc::new(Parts {
            maintenance: Maintenance::new(self.config.disablefile()),
            config: self.config,
            subscribers: self.subscribers,
            warnings,
        })))
    }
}

/// Why an endpoint could not be built.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// A setting was refused. [`HealthBuilder::build`] is handed settings that were checked before: this
    /// is for functions that read settings and build.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// Two checks were registered under one name, so that their results could not be told apart.
    #[error(
        "two checks are named {name:?}: give each its own name \
         (an event subscriber may report one name several times)"
    )]
    DuplicateCheck {
        /// The name.
        name: String,
    },
}

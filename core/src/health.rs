//! The handle to all endpoints of an application.

mod active;
mod alive;
mod builder;
mod drain;
mod drain_file;
mod endpoint_handle;
mod endpoints;
mod shutdown;
#[cfg(all(feature = "systemd", unix))]
mod systemd;
#[cfg(feature = "tokio")]
mod tokio;

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::Ordering;

pub use self::active::ActiveRequest;
pub use self::builder::HealthBuilder;
pub use self::endpoint_handle::EndpointHandle;
pub use self::endpoints::Endpoints;
pub(crate) use self::shutdown::Phases;
pub use self::shutdown::{Ended, ServerOutput};
use crate::check::CheckInfo;
use crate::config::HealthConfig;
use crate::endpoint::{HealthRequest, HealthResponse};
use crate::flow::{Answer, Application, Watch};
use crate::log::LogRecord;
use crate::maintenance::MaintenanceSwitch;
use crate::run::{CheckFinished, RegisteredCheck};
use crate::runtime::Runtime;

/// The health endpoints of an application, with their settings, maintenance and checks. Clones are cheap and share all
/// state.
///
/// Dropping the last clone without mounting an endpoint on a server logs a warning.
#[derive(Debug, Clone)]
#[must_use = "the endpoints respond only when they are mounted on a server"]
pub struct Health(Arc<Application>);

impl Health {
    pub(crate) fn new(application: Application) -> Self {
        let application = Arc::new(application);
        application.watches.follow(&application);
        Self(application)
    }

    /// Describes the endpoints, starting with default settings and no checks.
    pub fn builder() -> HealthBuilder {
        HealthBuilder::default()
    }

    #[inline]
    pub(crate) fn application(&self) -> &Application {
        &self.0
    }

    /// The settings.
    pub fn config(&self) -> &HealthConfig {
        &self.0.config
    }

    /// All endpoints, for an adapter to mount. The endpoint of [`healthcheck.url`](HealthConfig::url) is the first.
    pub fn endpoints(&self) -> impl Iterator<Item = EndpointHandle> {
        (0..self.0.endpoints.len()).map(|index| EndpointHandle::new(self.clone(), index))
    }

    /// The endpoint at `path`, if there is one. `path` is the path of a request without the query, as received
    /// ([H1](crate::contract#h1)).
    pub fn at(&self, path: &str) -> Option<EndpointHandle> {
        let mut endpoints = self.0.endpoints.iter();
        let index = endpoints.position(|served| *served.endpoint.path == *path)?;
        Some(EndpointHandle::new(self.clone(), index))
    }

    /// Starts the background checks ([H14](crate::contract#h14)), once, on `runtime`, unless the builder has set a
    /// runtime or a request has come before. Later runs use the same runtime.
    ///
    /// Custom servers call it before they serve. Otherwise the first request starts the background checks, on
    /// [`ThreadRuntime`](crate::ThreadRuntime). Adapters start them when they mount the endpoints.
    pub fn start_on(&self, runtime: impl Runtime) {
        self.offer_runtime(runtime);
        self.0.start();
    }

    pub(crate) fn offer_runtime(&self, runtime: impl Runtime) {
        self.0.is_mounted.store(true, Ordering::Relaxed);
        self.0.engine.offer_runtime(runtime);
    }

    /// Responds to one request to the endpoint of [`healthcheck.url`](HealthConfig::url), like
    /// [`EndpointHandle::respond`].
    pub fn respond<'a>(
        &'a self,
        request: impl Into<HealthRequest<'a>>,
    ) -> impl Future<Output = HealthResponse> + Send + 'a {
        let request = request.into();
        let main = &self.0.endpoints[0];
        self.0.respond(main, request, |record| record.emit())
    }

    /// Like [`respond`](Self::respond), but leaves the logging to the caller: see [`EndpointHandle::answer`].
    pub fn answer<'a>(
        &'a self,
        request: impl Into<HealthRequest<'a>>,
    ) -> impl Future<Output = Answer> + Send + 'a {
        self.0.answer(&self.0.endpoints[0], request.into())
    }

    /// Watches the state of the endpoint of [`healthcheck.url`](HealthConfig::url), like [`EndpointHandle::watch`].
    ///
    /// ```
    /// use health_core::{Health, StartupLatch, State};
    ///
    /// let cache = StartupLatch::new("cache");
    /// let health = Health::builder().latch(&cache).build()?;
    /// std::thread::spawn(move || cache.release());
    /// # futures::executor::block_on(async {
    /// assert!(health.watch().wait_for(State::Ok).await);
    /// # });
    /// # Ok::<(), health_core::BuildError>(())
    /// ```
    pub fn watch(&self) -> Watch {
        Watch::new(self.0.watches.clone(), 0)
    }

    /// What is known about each check before it runs, in the order of registration.
    pub fn checks(&self) -> impl Iterator<Item = &CheckInfo> {
        self.0.engine.checks.iter().map(|check| &*check.info)
    }

    /// The last result of every check that has run, in the order of registration. Use it for an internal page or a
    /// test; messages may contain secrets.
    ///
    /// ```
    /// use health_core::{CheckResult, Health};
    ///
    /// let health = Health::builder()
    ///     .check("queue", || async { CheckResult::error("87 jobs behind") })
    ///     .build()?;
    /// assert!(health.last_results().is_empty());
    ///
    /// # futures::executor::block_on(async {
    /// health.respond("checks=all").await;
    /// # });
    /// let [queue] = &health.last_results()[..] else { panic!() };
    /// assert_eq!(queue.reports[0].message(), Some("87 jobs behind"));
    /// # Ok::<(), health_core::BuildError>(())
    /// ```
    pub fn last_results(&self) -> Vec<CheckFinished> {
        self.0
            .engine
            .checks
            .iter()
            .filter_map(|check| RegisteredCheck::last_result(check))
            .collect()
    }

    /// The switch that begins and ends maintenance ([H19](crate::contract#h19)).
    pub fn maintenance_switch(&self) -> MaintenanceSwitch {
        self.0.maintenance.switch().clone()
    }

    /// The warnings that were logged when the endpoints were built: settings that are accepted but probably mistakes,
    /// for example a disablefile that any local user can create, and unknown environment variables
    /// ([H11](crate::contract#h11)).
    pub fn warnings(&self) -> &[LogRecord] {
        &self.0.warnings
    }
}

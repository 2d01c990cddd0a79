//! The handle to all endpoints of an application.

mod builder;
mod drain;
mod endpoint_handle;
#[cfg(feature = "tokio")]
mod tokio;

use std::sync::Arc;

pub use self::builder::HealthBuilder;
pub use self::endpoint_handle::EndpointHandle;
use crate::application::{Answer, Parts};
use crate::config::HealthConfig;
use crate::endpoint::HealthResponse;
use crate::log::LogRecord;
use crate::maintenance::MaintenanceSwitch;
use crate::runtime::Runtime;

/// The health endpoints of an application: settings, maintenance and checks. Cheap to clone; clones share all.
#[derive(Debug, Clone)]
pub struct Health(Arc<Parts>);

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
    pub fn endpoints(&self) -> impl Iterator<Item = EndpointHandle> {
        (0..self.0.endpoints.len()).map(|index| EndpointHandle::new(self.clone(), index))
    }

    /// The endpoint at `path`, as it stands in the request and without the query; `None` where there is none
    /// (H1).
    pub fn at(&self, path: &str) -> Option<EndpointHandle> {
        let mut endpoints = self.0.endpoints.iter();
        let index = endpoints.position(|endpoint| endpoint.path() == path)?;
        Some(EndpointHandle::new(self.clone(), index))
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
    /// [`EndpointHandle::respond`].
    pub async fn respond(&self, query: &str) -> HealthResponse {
        self.0.endpoints[0].respond(&self.0, query).await
    }

    /// Decides as [`Health::respond`] does, and leaves the logging to the caller: see
    /// [`EndpointHandle::answer`].
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

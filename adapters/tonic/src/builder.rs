//! Names the services.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use health_core::{EndpointHandle, Endpoints, Purpose, RunChecks, State};

use crate::services::Services;
use crate::{HealthServer, ServiceError};

/// Describes a [`HealthServer`]. [`HealthServer::builder`] returns it.
///
/// ```
/// use health_tonic::{Endpoint, Health, HealthServer};
///
/// let health = Health::builder()
///     .endpoint(Endpoint::readiness("/ready"))
///     .endpoint(Endpoint::readiness("/orders").no_checks())
///     .build()?;
/// let server = HealthServer::builder(&health)
///     .service("", "/ready") // necessary here: both could be meant
///     .service("shop.Orders", "/orders") // or `OrdersServer::<Orders>::NAME` of the generated code
///     .build()?;
/// let names: Vec<_> = server.services().map(|(name, _)| name).collect();
/// assert_eq!(names, ["", "/health", "/orders", "/ready", "shop.Orders"]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
#[must_use = "a description does nothing until it is built"]
pub struct HealthServerBuilder {
    endpoints: Endpoints,
    /// Of each service the name, and the path of its endpoint.
    named: Vec<(String, String)>,
}

impl HealthServerBuilder {
    pub(crate) fn new(endpoints: Endpoints) -> Self {
        Self { endpoints, named: Vec::new() }
    }

    /// Adds the service `name`, which shows the endpoint at `path`. The name `""` is the one that clients ask for by
    /// default. An endpoint can have several names.
    pub fn service(mut self, name: impl Into<String>, path: impl Into<String>) -> Self {
        self.named.push((name.into(), path.into()));
        self
    }

    /// Returns the service, and starts the background checks of the endpoints on the runtime of tokio.
    ///
    /// # Errors
    ///
    /// Those of [`service`](crate::service), except that `""` needs no endpoint that fits if it was
    /// [named](Self::service). If the path of a service is that of no endpoint, or two services have the same name.
    pub fn build(self) -> Result<HealthServer, ServiceError> {
        let endpoints = self.endpoints.iter().filter(|endpoint| endpoint.check().is_none());
        let endpoints: Vec<_> = endpoints.cloned().collect();
        let by_path = endpoints.iter().map(|endpoint| endpoint.path().to_owned()).enumerate();
        let mut names = BTreeMap::new();
        for (index, path) in by_path {
            insert(&mut names, path, index)?;
        }
        for (name, path) in self.named {
            let Some(index) = endpoints.iter().position(|endpoint| endpoint.path() == path) else {
                let paths = paths(&endpoints);
                return Err(ServiceError::UnknownEndpoint { service: name, path, paths });
            };
            insert(&mut names, name, index)?;
        }
        if !names.contains_key("") {
            names.insert(String::new(), readiness(&endpoints)?);
        }
        self.endpoints.start_on_tokio();
        Ok(HealthServer::new(Services::new(endpoints, names)))
    }
}

fn insert(
    names: &mut BTreeMap<String, usize>,
    name: String,
    index: usize,
) -> Result<(), ServiceError> {
    match names.entry(name) {
        Entry::Vacant(entry) => {
            entry.insert(index);
            Ok(())
        }
        Entry::Occupied(entry) => {
            Err(ServiceError::DuplicateService { service: entry.key().clone() })
        }
    }
}

/// The endpoint of the service `""`, if nothing else was said.
fn readiness(endpoints: &[EndpointHandle]) -> Result<usize, ServiceError> {
    let fits = |index: &usize| is_readiness(&endpoints[*index]);
    let (of_settings, others): (Vec<_>, Vec<_>) =
        (0..endpoints.len()).filter(fits).partition(|index| is_of_settings(&endpoints[*index]));
    let fitting = if others.is_empty() { of_settings } else { others };
    match fitting[..] {
        [index] => Ok(index),
        [] => Err(ServiceError::NoReadiness { paths: paths(endpoints) }),
        [..] => Err(ServiceError::SeveralReadiness {
            paths: fitting.iter().map(|index| endpoints[*index].path().to_owned()).collect(),
        }),
    }
}

fn is_readiness(endpoint: &EndpointHandle) -> bool {
    let shown: Vec<_> = endpoint.responses().map(|(state, ..)| state).collect();
    let shows_all = State::ALL.iter().all(|state| shown.contains(state));
    let steers_traffic = endpoint.purpose() == Purpose::SteersTraffic;
    shows_all && steers_traffic && endpoint.run_checks() != RunChecks::Never
}

fn is_of_settings(endpoint: &EndpointHandle) -> bool {
    endpoint.path() == endpoint.health().config().url()
}

fn paths(endpoints: &[EndpointHandle]) -> Vec<String> {
    endpoints.iter().map(|endpoint| endpoint.path().to_owned()).collect()
}

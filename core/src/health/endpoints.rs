//! The endpoints that an adapter mounts: all, or some.

use std::sync::Arc;

use super::{EndpointHandle, Health};

/// The endpoints that an adapter mounts in one place: all of a [`Health`], or the [handles](EndpointHandle) that the
/// application chose. Clones are cheap.
///
/// Each adapter's mounting function takes anything that converts into this, so that a public listener can serve fewer
/// endpoints than an internal one:
///
/// ```
/// use health_core::{Endpoint, Endpoints, Health};
///
/// let health = Health::builder()
///     .endpoint(Endpoint::liveness("/live"))
///     .endpoint(Endpoint::readiness("/ready"))
///     .build()?;
/// let all = Endpoints::from(&health);
/// assert!(all.route("GET", "/health").is_some());
/// assert!(all.route("GET", "/health/").is_none());
/// assert!(all.route("CONNECT", "/health").is_none());
///
/// let ready = health.at("/ready").ok_or("no such endpoint")?;
/// let public = Endpoints::from([ready]);
/// assert!(public.route("GET", "/ready").is_some());
/// assert!(public.route("GET", "/health").is_none());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct Endpoints(Arc<[Route]>);

/// An endpoint next to its path, with which every request of the application is compared.
#[derive(Debug)]
struct Route {
    path: Box<str>,
    endpoint: EndpointHandle,
}

impl Endpoints {
    fn of(endpoints: impl IntoIterator<Item = EndpointHandle>) -> Self {
        let route = |endpoint: EndpointHandle| Route { path: endpoint.path().into(), endpoint };
        Self(endpoints.into_iter().map(route).collect())
    }

    /// The endpoint that responds to a request, or `None` if the request is for the application.
    ///
    /// `path` is that of the request as it was sent, without the query ([H1](crate::contract#h1)). No endpoint
    /// responds to `CONNECT`, which asks for a tunnel ([H2](crate::contract#h2)).
    #[inline]
    pub fn route(&self, method: impl AsRef<str>, path: &str) -> Option<&EndpointHandle> {
        let route = self.0.iter().find(|route| *route.path == *path)?;
        (method.as_ref() != "CONNECT").then_some(&route.endpoint)
    }

    /// The endpoints, for frameworks with a route for each path.
    pub fn iter(&self) -> impl Iterator<Item = &EndpointHandle> {
        self.0.iter().map(|route| &route.endpoint)
    }

    /// The application whose active requests an adapter counts that covers an application: that of the first endpoint.
    #[inline]
    pub fn health(&self) -> &Health {
        self.0[0].endpoint.health()
    }

    /// [`Health::start_on_tokio`] of each endpoint: adapters call this when they mount the endpoints.
    #[cfg(feature = "tokio")]
    pub fn start_on_tokio(&self) {
        self.iter().for_each(|endpoint| endpoint.health().start_on_tokio());
    }
}

impl From<Health> for Endpoints {
    fn from(health: Health) -> Self {
        Self::from(&health)
    }
}

impl From<&Health> for Endpoints {
    fn from(health: &Health) -> Self {
        Self::of(health.endpoints())
    }
}

impl From<EndpointHandle> for Endpoints {
    fn from(endpoint: EndpointHandle) -> Self {
        Self::from([endpoint])
    }
}

/// An empty array does not compile, because mounting no endpoint is a mistake.
impl<const N: usize> From<[EndpointHandle; N]> for Endpoints {
    fn from(endpoints: [EndpointHandle; N]) -> Self {
        const { assert!(N > 0, "no endpoint to mount") }
        Self::of(endpoints)
    }
}

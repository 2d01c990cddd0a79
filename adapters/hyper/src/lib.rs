//! A health endpoint for [hyper] and tower: `GET /health` says `OK`, or `MAINTENANCE` while a marker file
//! exists, and runs the application's checks when asked with `?checks=all`.
//!
//! This crate decides nothing: it lets the endpoints answer at their paths for every method, passes the raw
//! query in, and copies the answer out. It sets no timeout and touches no other path.
//!
//! ```
//! use std::convert::Infallible;
//!
//! use health_hyper::Health;
//! use hyper::body::Incoming;
//! use hyper::service::service_fn;
//! use hyper::{Request, Response};
//!
//! let health = Health::builder()
//!     .check("database", || async { Ok::<(), std::io::Error>(()) })
//!     .build()?;
//! let app = service_fn(async |_: Request<Incoming>| {
//!     Ok::<_, Infallible>(Response::new("the application".to_owned()))
//! });
//! let app = health_hyper::service(health, app);
//! # Ok::<(), health_hyper::BuildError>(())
//! ```
//!
//! The crate re-exports [`health_core`], so that an application depends on this crate alone.
//!
//! # Features
//!
//! - `signal` and `serde` (off by default): [those of the core](health_core#features).
//! - `tower` (off by default): [`service`] makes a service for tower as well, and `HealthLayer` is a layer.
//! - `listener` (off by default): `listen` answers on an address of its own, for an application on any framework, and
//!   `agent_check` answers HAProxy's.

mod body;
mod future;
#[cfg(feature = "listener")]
mod listener;
#[cfg(feature = "tower")]
mod tower;

#[doc(no_inline)]
pub use health_core::*;
use hyper::ext::ReasonPhrase;
use hyper::service::Service;
use hyper::{Request, Response};

pub use crate::body::HealthBody;
pub use crate::future::HealthFuture;
#[cfg(all(feature = "listener", unix))]
pub use crate::listener::listen_unix;
#[cfg(feature = "listener")]
pub use crate::listener::{Listener, agent_check, listen};
#[cfg(feature = "tower")]
pub use crate::tower::{HealthLayer, Oneshot};

/// A service that answers every method but `CONNECT` at exactly the path of each health endpoint, and hands every other
/// request on to `inner`.
///
/// Takes a [`Health`], an [`EndpointHandle`] or an array of these. Make it once and clone it for each connection, or make
/// it anew for each: both are cheap. It comes before every path of the application, and hides one at an endpoint's path.
/// What is laid over it sees the health endpoints too.
///
/// ```
/// # use health_hyper::{Endpoint, Health};
/// # use hyper::{Request, Response, body::Incoming, service::service_fn};
/// # let app = service_fn(async |_: Request<Incoming>| Ok::<_, hyper::Error>(Response::new(String::new())));
/// let health = Health::builder().endpoint(Endpoint::readiness("/ready")).build()?;
/// let ready = health.at("/ready").ok_or("no such endpoint")?;
/// let public = health_hyper::service(ready, app.clone());
/// let internal = health_hyper::service(health, app);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn service<S>(endpoints: impl Into<Endpoints>, inner: S) -> HealthService<S> {
    let endpoints = endpoints.into();
    endpoints.start_on_tokio();
    HealthService { endpoints, inner }
}

/// See [`service`].
#[derive(Debug, Clone)]
pub struct HealthService<S> {
    endpoints: Endpoints,
    inner: S,
}

impl<S> HealthService<S> {
    /// The answer, if the request is an endpoint's; otherwise what `inner` makes of the request.
    fn route<B, F>(
        &self,
        request: Request<B>,
        inner: impl FnOnce(&S, Request<B>) -> F,
    ) -> HealthFuture<F> {
        let (method, uri) = (request.method(), request.uri());
        let Some(endpoint) = self.endpoints.route(method.as_str(), uri.path()) else {
            return HealthFuture::theirs(inner(&self.inner, request));
        };
        let (endpoint, query) = (endpoint.clone(), uri.query().unwrap_or_default().to_owned());
        HealthFuture::ours(async move { endpoint.respond(&query).await })
    }
}

impl<S, B, R> Service<Request<B>> for HealthService<S>
where
    S: Service<Request<B>, Response = Response<R>>,
    R: hyper::body::Body,
{
    type Response = Response<HealthBody<R>>;
    type Error = S::Error;
    type Future = HealthFuture<S::Future>;

    fn call(&self, request: Request<B>) -> Self::Future {
        self.route(request, S::call)
    }
}

/// The core's response as hyper's, with its reason phrase: for a handler of the application's own. `B` may be `String`,
/// `Full<Bytes>` or any other body that is made of text.
///
/// ```
/// use health_hyper::Health;
/// use hyper::Response;
///
/// async fn health(health: &Health) -> Response<String> {
///     health_hyper::response(health.respond("checks=all").await)
/// }
/// ```
pub fn response<B: From<&'static str>>(answer: HealthResponse) -> Response<B> {
    let mut response = Response::from(answer).map(B::from);
    if let Some(reason) = answer.custom_reason() {
        let reason = ReasonPhrase::from_static(reason.as_bytes());
        response.extensions_mut().insert(reason);
    }
    response
}

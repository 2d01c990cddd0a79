//! A health endpoint for [hyper] and tower: `GET /health` says `OK`, or `MAINTENANCE` while a marker file
//! exists, and runs the application's checks when asked with `?checks=all`.
//!
//! This crate decides nothing: it lets [`Health`] answer at its paths for every method, passes the raw
//! query in, and copies the answer out. It sets no timeout and touches no other path.
//!
//! ```
//! use std::convert::Infallible;
//!
//! use health_core::Health;
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
//! # Ok::<(), health_core::BuildError>(())
//! ```
//!
//! # Features
//!
//! - `tower` (off by default): [`service`] makes a service for tower as well, and `layer` a layer.
//! - `listener` (off by default): `listen` answers on an address of its own, for an application on any framework, and
//!   `agent_check` answers HAProxy's.

mod body;
mod future;
#[cfg(feature = "listener")]
mod listener;
#[cfg(feature = "tower")]
mod tower;

use health_core::{Health, HealthResponse};
use hyper::body::Body;
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
pub use crate::tower::{HealthLayer, Oneshot, layer};

/// A service that answers every method at exactly [`HealthConfig::url`](health_core::HealthConfig::url) and the path
/// of each [`Endpoint`](health_core::Endpoint), and hands every other request on to `inner`.
///
/// Make it once and clone it for each connection, or make it anew for each: both are cheap. It comes before every
/// path of the application, one at an endpoint's path included. What is laid over it sees the health endpoints too.
pub fn service<S>(health: Health, inner: S) -> HealthService<S> {
    health.start_on_tokio();
    HealthService { health, inner }
}

/// See [`service`].
#[derive(Debug, Clone)]
pub struct HealthService<S> {
    health: Health,
    inner: S,
}

impl<S> HealthService<S> {
    /// The answer, if the request is the endpoint's; otherwise what `inner` makes of the request.
    fn route<B, F>(
        &self,
        request: Request<B>,
        inner: impl FnOnce(&S, Request<B>) -> F,
    ) -> HealthFuture<F> {
        let uri = request.uri();
        let Some(endpoint) = self.health.at(uri.path()) else {
            return HealthFuture::theirs(inner(&self.inner, request));
        };
        let query = uri.query().unwrap_or_default().to_owned();
        HealthFuture::ours(async move { endpoint.respond(&query).await })
    }
}

impl<S, B, R> Service<Request<B>> for HealthService<S>
where
    S: Service<Request<B>, Response = Response<R>>,
    R: Body,
{
    type Response = Response<HealthBody<R>>;
    type Error = S::Error;
    type Future = HealthFuture<S::Future>;

    fn call(&self, request: Request<B>) -> Self::Future {
        self.route(request, S::call)
    }
}

fn response<R>(answer: HealthResponse) -> Response<HealthBody<R>> {
    let mut response = Response::from(answer).map(HealthBody::ours);
    if let Some(reason) = answer.custom_reason() {
        let reason = ReasonPhrase::from_static(reason.as_bytes());
        response.extensions_mut().insert(reason);
    }
    response
}

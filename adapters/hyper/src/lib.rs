#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(any(feature = "listener", feature = "serve"))]
#[cfg_attr(
    not(feature = "serve"),
    expect(
        dead_code,
        unreachable_pub,
        reason = "only `serve` closes a listener, and exports the trait"
    )
)]
mod accept;
mod body;
mod cover;
mod future;
#[cfg(feature = "listener")]
mod listener;
#[cfg(feature = "serve")]
mod serve;
#[cfg(feature = "tower")]
mod tower;

use std::borrow::Cow;

#[doc(no_inline)]
pub use health_core::*;
use hyper::ext::ReasonPhrase;
use hyper::service::Service;
use hyper::{Request, Response};

#[cfg(feature = "serve")]
pub use crate::accept::Accept;
pub use crate::body::HealthBody;
pub use crate::cover::{ClientAddress, cover, health_request};
pub use crate::future::HealthFuture;
#[cfg(feature = "listener")]
pub use crate::listener::{Listener, agent_check, listen};
#[cfg(all(feature = "listener", unix))]
pub use crate::listener::{listen_control, listen_unix};
#[cfg(feature = "serve")]
pub use crate::serve::serve;
#[cfg(feature = "tower")]
pub use crate::tower::{HealthLayer, Oneshot};

/// Returns a service that responds to every method except `CONNECT` at exactly the path of each health endpoint, and
/// passes every other request to `inner`.
///
/// Accepts a [`Health`], an [`EndpointHandle`] or an array of these. Clone the service for each connection, or create
/// one for each: both are cheap. The endpoints take precedence over the paths of `inner`. A service around this one
/// also covers the endpoints.
///
/// It also covers the application ([H26](https://docs.rs/health-core/latest/health_core/contract/index.html#h26)): each
/// request is [active](Health::active_requests) until the body of its response has ended, and during a drain every
/// response over HTTP/1 gets `Connection: close`. If the endpoints belong to several [`Health`]s, the first one counts.
/// The address of a poller is only known if the request has a [`ClientAddress`].
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

/// The service that [`service`] returns.
#[derive(Debug, Clone)]
pub struct HealthService<S> {
    endpoints: Endpoints,
    inner: S,
}

impl<S, B, R> Service<Request<B>> for HealthService<S>
where
    S: Service<Request<B>, Response = Response<R>>,
    R: hyper::body::Body,
{
    type Response = Response<HealthBody<R>>;
    type Error = S::Error;
    type Future = HealthFuture<S::Future>;

    #[inline]
    fn call(&self, request: Request<B>) -> Self::Future {
        cover(&self.endpoints, request, ClientAddress::of, |request| self.inner.call(request))
    }
}

/// Converts the response of an endpoint into hyper's, including the reason phrase. Use it in the application's
/// handlers. `B` is `String`, `Full<Bytes>` or any other body that implements `From<Cow<'static, str>>`.
///
/// ```
/// use health_hyper::Health;
/// use hyper::Response;
///
/// async fn health(health: &Health) -> Response<String> {
///     health_hyper::response(health.respond("checks=all").await)
/// }
/// ```
pub fn response<B: From<Cow<'static, str>>>(answer: HealthResponse) -> Response<B> {
    response_of_text(answer).map(B::from)
}

/// [`response`] with the body as the core has it.
pub(crate) fn response_of_text(answer: HealthResponse) -> Response<Cow<'static, str>> {
    let reason = answer.custom_reason();
    let mut response = Response::from(answer);
    if let Some(reason) = reason {
        response.extensions_mut().insert(ReasonPhrase::from_static(reason.as_bytes()));
    }
    response
}

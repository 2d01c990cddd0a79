#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod cover;
mod route;
#[cfg(feature = "serve")]
mod serve;

use std::borrow::Cow;

#[doc(no_inline)]
pub use health_core::*;
use hyper::ext::ReasonPhrase;
use warp::reply::{Reply, Response};
use warp::{Filter, Rejection};

pub use crate::cover::{MayReject, wrap};
use crate::route::{Found, route};
#[cfg(feature = "serve")]
pub use crate::serve::serve;

/// Returns a filter that responds to every method except `CONNECT` at exactly the path of each health endpoint. It
/// rejects every other request as not found.
///
/// Accepts a [`Health`], an [`EndpointHandle`] or an array of these. The filter compares the whole path of the request,
/// including the part that an earlier filter has matched. warp tries filters in order: put this one before any other
/// that matches the path of an endpoint.
///
/// This only mounts the endpoints. [`wrap`] also covers the application, for a drain that loses no request.
///
/// ```
/// # use health_warp::{Endpoint, Health};
/// let health = Health::builder().endpoint(Endpoint::readiness("/ready")).build()?;
/// let ready = health.at("/ready").ok_or("no such endpoint")?;
/// let public = health_warp::filter(ready);
/// let internal = health_warp::filter(health);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn filter(
    endpoints: impl Into<Endpoints>,
) -> impl Filter<Extract = (Response,), Error = Rejection> + Clone + Send + Sync + 'static {
    let endpoints = endpoints.into();
    endpoints.start_on_tokio();
    respond_to(route(endpoints))
}

fn respond_to(
    found: impl Filter<Extract = (Found,), Error = Rejection> + Clone + Send + Sync + 'static,
) -> impl Filter<Extract = (Response,), Error = Rejection> + Clone + Send + Sync + 'static {
    // `raw` rejects a request without a query.
    let query = warp::query::raw().or(warp::any().map(String::new)).unify();
    found.and(query).then(async |found: Found, query: String| {
        response(found.endpoint.respond(found.request(&query)).await)
    })
}

/// Converts the response of an endpoint into warp's, including the reason phrase. Use it in the application's handlers.
///
/// ```
/// use health_warp::Health;
/// use warp::Filter;
///
/// # let health = Health::builder().build()?;
/// let deep = warp::path!("deep").then(move || {
///     let health = health.clone();
///     async move { health_warp::response(health.respond("checks=all").await) }
/// });
/// # Ok::<(), health_warp::BuildError>(())
/// ```
pub fn response(answer: HealthResponse) -> Response {
    let reason = answer.custom_reason();
    let (head, body) = warp::http::Response::from(answer).into_parts();
    let mut response = match body {
        Cow::Borrowed(word) => warp::http::Response::from_parts(head, word).into_response(),
        Cow::Owned(text) => warp::http::Response::from_parts(head, text).into_response(),
    };
    if let Some(reason) = reason {
        response.extensions_mut().insert(ReasonPhrase::from_static(reason.as_bytes()));
    }
    response
}

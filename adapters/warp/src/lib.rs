#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

use std::cell::Cell;
use std::future::ready;

#[doc(no_inline)]
pub use health_core::*;
use hyper::ext::ReasonPhrase;
use warp::reply::{Reply, Response};
use warp::{Filter, Rejection};

/// Returns a filter that responds to every method except `CONNECT` at exactly the path of each health endpoint. It rejects
/// every other request as not found.
///
/// Accepts a [`Health`], an [`EndpointHandle`] or an array of these. The filter compares the whole path of the request,
/// including the part that an earlier filter has matched. warp tries filters in order: put this one before any other that
/// matches the path of an endpoint.
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
    // `raw` rejects a request without a query.
    let query = warp::query::raw().or(warp::any().map(String::new)).unify();
    route(endpoints).and(query).then(async |endpoint: EndpointHandle, query: String| {
        response(endpoint.respond(&query).await)
    })
}

thread_local! {
    /// Passes the endpoint from one closure of [`route`] to the next, within one poll.
    static FOUND: Cell<Option<EndpointHandle>> = const { Cell::new(None) };
}

/// Extracts the endpoint of a request.
///
/// [`warp::path::full`] would extract the path, but it panics for a target without one, such as `CONNECT localhost:80`
/// (warp 0.4.3 with http 1.5). Only the logging of warp also sees the whole path of every request.
fn route(
    endpoints: Endpoints,
) -> impl Filter<Extract = (EndpointHandle,), Error = Rejection> + Clone + Send + Sync + 'static {
    let find = warp::log::custom(move |request| {
        let endpoint = endpoints.route(request.method().as_str(), request.path());
        FOUND.set(endpoint.cloned());
    });
    let request = warp::any().map(warp::reply).with(find);
    request.and_then(|_| ready(FOUND.take().ok_or_else(warp::reject::not_found)))
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
    let mut response = warp::http::Response::from(answer).into_response();
    if let Some(reason) = answer.custom_reason() {
        response.extensions_mut().insert(ReasonPhrase::from_static(reason.as_bytes()));
    }
    response
}

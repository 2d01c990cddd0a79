//! A health endpoint for [warp]: `GET /health` says `OK`, or `MAINTENANCE` while a marker file exists,
//! and runs the application's checks when asked with `?checks=all`.
//!
//! This crate decides nothing: it lets the endpoints answer at their paths for every method, passes the raw
//! query in, and copies the answer out. It sets no timeout and touches no other path.
//!
//! ```
//! use health_warp::Health;
//! use warp::Filter;
//!
//! let health = Health::builder()
//!     .check("database", || async { Ok::<(), std::io::Error>(()) })
//!     .build()?;
//! let app = health_warp::filter(health)
//!     .or(warp::path::end().map(|| "the application"));
//! # Ok::<(), health_warp::BuildError>(())
//! ```
//!
//! The crate re-exports [`health_core`], so that an application depends on this crate alone.
//!
//! # Features
//!
//! `signal` and `serde`, both off by default, are [those of the core](health_core#features).

use std::cell::Cell;
use std::future::ready;

#[doc(no_inline)]
pub use health_core::*;
use hyper::ext::ReasonPhrase;
use warp::reply::{Reply, Response};
use warp::{Filter, Rejection};

/// A filter that answers every method but `CONNECT` at exactly the path of each health endpoint, and rejects every other
/// request as not found.
///
/// Takes a [`Health`], an [`EndpointHandle`] or an array of these. The whole path of the request is compared, as text
/// (H1): a prefix in front of this filter has to be part of the endpoints' paths. warp tries filters in order: put this
/// before any filter that matches one of these paths.
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
    // `raw` rejects a request that has no query at all.
    let query = warp::query::raw().or(warp::any().map(String::new)).unify();
    route(endpoints).and(query).then(async |endpoint: EndpointHandle, query: String| {
        response(endpoint.respond(&query).await)
    })
}

thread_local! {
    /// From one closure of [`route`] to the next, within one poll.
    static FOUND: Cell<Option<EndpointHandle>> = const { Cell::new(None) };
}

/// The endpoint that a request is for.
///
/// [`warp::path::full`] would say the path, but panics for a target without one, such as `CONNECT localhost:80`
/// (warp 0.4.3 with http 1.5). Nothing else that warp has sees the whole path of every request but its logging.
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

/// The core's response as warp's, with its reason phrase: for a handler of the application's own.
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
        let reason = ReasonPhrase::from_static(reason.as_bytes());
        response.extensions_mut().insert(reason);
    }
    response
}

//! A health endpoint for [warp]: `GET /health` says `OK`, or `MAINTENANCE` while a marker file exists,
//! and runs the application's checks when asked with `?checks=all`.
//!
//! This crate decides nothing: it lets [`Health`] answer at its path for every method, passes the raw
//! query in, and copies the answer out. It sets no timeout and touches no other path.
//!
//! ```
//! use health_core::Health;
//! use warp::Filter;
//!
//! let health = Health::builder()
//!     .check("database", || async { Ok::<(), std::io::Error>(()) })
//!     .build()?;
//! let app = health_warp::filter(health)
//!     .or(warp::path::end().map(|| "the application"));
//! # Ok::<(), health_core::BuildError>(())
//! ```

use health_core::{EndpointHandle, Health, HealthResponse};
use hyper::ext::ReasonPhrase;
use warp::filters::path::FullPath;
use warp::reply::{Reply, Response};
use warp::{Filter, Rejection};

/// A filter that answers every method at exactly
/// [`HealthConfig::url`](health_core::HealthConfig::url) and the path of each
/// [`Endpoint`](health_core::Endpoint), and rejects every other path as not found.
///
/// The whole path of the request is compared, as text: `warp::path!("health")` would let `/health/`
/// in (H1), and a prefix put in front of this filter has to be part of the paths.
pub fn filter(
    health: Health,
) -> impl Filter<Extract = (Response,), Error = Rejection> + Clone + Send + Sync + 'static {
    health.start_on_tokio();
    let endpoint = warp::path::full().and_then(move |path: FullPath| {
        let endpoint = health.at(path.as_str());
        async move { endpoint.ok_or_else(warp::reject::not_found) }
    });
    // `raw` rejects a request that has no query at all.
    let query = warp::query::raw().or(warp::any().map(String::new)).unify();
    endpoint
        .and(query)
        .then(async |endpoint: EndpointHandle, query: String| {
            response(endpoint.respond(&query).await)
        })
}

fn response(answer: HealthResponse) -> Response {
    let mut response = warp::http::Response::from(answer).into_response();
    if let Some(reason) = answer.custom_reason() {
        let reason = ReasonPhrase::from_static(reason.as_bytes());
        response.extensions_mut().insert(reason);
    }
    response
}

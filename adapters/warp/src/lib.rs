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

use health_core::{Health, HealthResponse};
use hyper::ext::ReasonPhrase;
use warp::filters::path::FullPath;
use warp::reply::{Reply, Response};
use warp::{Filter, Rejection};

/// A filter that answers every method at exactly
/// [`HealthConfig::url`](health_core::HealthConfig::url), and rejects every other path as not found.
///
/// The whole path of the request is compared, as text: `warp::path!("health")` would let `/health/`
/// in (H1), and a prefix put in front of this filter has to be part of the url.
pub fn filter(
    health: Health,
) -> impl Filter<Extract = (Response,), Error = Rejection> + Clone + Send + Sync + 'static {
    health.start_on_tokio();
    let endpoint = health.clone();
    let path = warp::path::full().and_then(move |path: FullPath| {
        let is_ours = endpoint.serves(path.as_str());
        async move { is_ours.then_some(()).ok_or_else(warp::reject::not_found) }
    });
    // `raw` rejects a request that has no query at all.
    let query = warp::query::raw().or(warp::any().map(String::new)).unify();
    path.untuple_one().and(query).then(move |query: String| {
        let health = health.clone();
        async move { response(health.respond(&query).await) }
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

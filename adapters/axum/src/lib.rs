//! A health endpoint for [axum]: `GET /health` says `OK`, or `MAINTENANCE` while a marker file exists,
//! and runs the application's checks when asked with `?checks=all`.
//!
//! This crate decides nothing: it mounts [`Health`] at its path for every method, passes the raw query
//! in, and copies the answer out. It sets no timeout and touches no other route.
//!
//! ```
//! use axum::{Router, routing::get};
//! use health_core::Health;
//!
//! let health = Health::builder()
//!     .check("database", || async { Ok::<(), std::io::Error>(()) })
//!     .build()?;
//! let app: Router = Router::new()
//!     .route("/", get(|| async { "the application" }))
//!     .merge(health_axum::router(health));
//! # Ok::<(), health_core::BuildError>(())
//! ```

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::Response;
use axum::routing::any;
use health_core::{Health, HealthResponse};
use hyper::ext::ReasonPhrase;

/// A router with one route for each health endpoint: [merge](Router::merge) it into the application's.
///
/// It answers every method at exactly [`HealthConfig::url`](health_core::HealthConfig::url) and the path of each
/// [`Endpoint`](health_core::Endpoint), and brings no fallback. [Nested](Router::nest), their paths start with
/// the prefix of the nest.
///
/// # Panics
///
/// `merge` panics if the application has a route of its own at one of these paths, as axum does for any route
/// that is added twice.
pub fn router<S>(health: Health) -> Router<S>
where
    S: Clone + Send + Sync + 'static,
{
    health.start_on_tokio();
    health.endpoints().fold(Router::new(), |router, endpoint| {
        let path = endpoint.path().to_owned();
        let answer = move |request: Request| async move {
            let query = request.uri().query().unwrap_or_default();
            response(endpoint.respond(query).await)
        };
        router.route(&path, any(answer))
    })
}

fn response(answer: HealthResponse) -> Response<Body> {
    let mut response = Response::from(answer).map(Body::from);
    if let Some(reason) = answer.custom_reason() {
        let reason = ReasonPhrase::from_static(reason.as_bytes());
        response.extensions_mut().insert(reason);
    }
    response
}

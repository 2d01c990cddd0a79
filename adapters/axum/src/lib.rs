//! A health endpoint for [axum]: `GET /health` says `OK`, or `MAINTENANCE` while a marker file exists,
//! and runs the application's checks when asked with `?checks=all`.
//!
//! This crate decides nothing: it mounts the endpoints at their paths for every method, passes the raw query
//! in, and copies the answer out. It sets no timeout and touches no other route.
//!
//! ```
//! use axum::{Router, routing::get};
//! use health_axum::Health;
//!
//! let health = Health::builder()
//!     .check("database", || async { Ok::<(), std::io::Error>(()) })
//!     .build()?;
//! let app: Router = Router::new()
//!     .route("/", get(|| async { "the application" }))
//!     .merge(health_axum::router(health));
//! # Ok::<(), health_axum::BuildError>(())
//! ```
//!
//! The crate re-exports [`health_core`], so that an application depends on this crate alone.
//!
//! # Features
//!
//! `signal` and `serde`, both off by default, are [those of the core](health_core#features).

use std::convert::Infallible;

use axum::Router;
use axum::extract::Request;
use axum::http;
use axum::response::{IntoResponse, Response};
#[doc(no_inline)]
pub use health_core::*;
use hyper::ext::ReasonPhrase;
use tower::service_fn;

/// A router with one route for each health endpoint: [merge](Router::merge) it into the application's.
///
/// Takes a [`Health`], an [`EndpointHandle`] or an array of these. The routes answer every method but `CONNECT` at exactly
/// the path of each endpoint, and there is no fallback. [Nested](Router::nest), the paths start with the prefix of the
/// nest.
///
/// ```
/// # use axum::Router;
/// # use health_axum::{Endpoint, Health};
/// let health = Health::builder().endpoint(Endpoint::readiness("/ready")).build()?;
/// let ready = health.at("/ready").ok_or("no such endpoint")?;
/// let public: Router = Router::new().merge(health_axum::router(ready));
/// let internal: Router = health_axum::router(health);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Panics
///
/// `merge` panics if the application has a route at one of these paths, in either order and for whatever methods. The
/// message names the path; remove that route, or give the endpoint another path. A route with a parameter, such as
/// `/{page}`, is no such route: the endpoint, whose path is more specific, takes precedence.
pub fn router<S>(endpoints: impl Into<Endpoints>) -> Router<S>
where
    S: Clone + Send + Sync + 'static,
{
    let endpoints = endpoints.into();
    endpoints.start_on_tokio();
    endpoints.iter().fold(Router::new(), |router, endpoint| {
        let (path, endpoint) = (endpoint.path().to_owned(), endpoint.clone());
        let respond = service_fn(move |request: Request| {
            let endpoint = endpoint.clone();
            async move {
                if request.method() == http::Method::CONNECT {
                    return Ok::<_, Infallible>(http::StatusCode::NOT_FOUND.into_response());
                }
                let query = request.uri().query().unwrap_or_default();
                Ok(response(endpoint.respond(query).await))
            }
        });
        // As a service, because axum would merge `any` with a `get` of the application's.
        router.route_service(&path, respond)
    })
}

/// The core's response as axum's, with its reason phrase: for a handler of the application's own.
///
/// ```
/// use axum::extract::State;
/// use axum::response::Response;
/// use health_axum::Health;
///
/// async fn health(State(health): State<Health>) -> Response {
///     health_axum::response(health.respond("checks=all").await)
/// }
/// ```
pub fn response(answer: HealthResponse) -> Response {
    let mut response = Response::from(answer).map(axum::body::Body::from);
    if let Some(reason) = answer.custom_reason() {
        let reason = ReasonPhrase::from_static(reason.as_bytes());
        response.extensions_mut().insert(reason);
    }
    response
}

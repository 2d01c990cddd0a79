#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod layer;
#[cfg(feature = "serve")]
mod serve;

use std::convert::Infallible;

use axum::Router;
use axum::extract::Request;
use axum::http;
use axum::response::{IntoResponse, Response};
#[doc(no_inline)]
pub use health_core::*;
pub use health_hyper::ClientAddress;
use tower::service_fn;

use self::layer::client;
pub use self::layer::{HealthLayer, HealthService, ResponseFuture, layer};
#[cfg(feature = "serve")]
pub use self::serve::{serve, serve_with_connect_info};

/// Returns a router with one route for each health endpoint. [Merge](Router::merge) it into the application's router.
/// To also cover the application, use [`layer`] instead.
///
/// Accepts a [`Health`], an [`EndpointHandle`] or an array of these. Each route responds to every method at exactly the
/// path of its endpoint, except to `CONNECT`, which gets a 404. The router has no fallback. Inside [`Router::nest`],
/// the prefix comes before the path of the endpoint.
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
/// `merge` panics if the application has a route for any method at the path of an endpoint. The message names the path.
/// Remove that route or change the path of the endpoint. A route with a parameter, such as `/{page}`, does not
/// conflict: the endpoint takes precedence.
pub fn router<S>(endpoints: impl Into<Endpoints>) -> Router<S>
where
    S: Clone + Send + Sync + 'static,
{
    let endpoints = endpoints.into();
    endpoints.start_on_tokio();
    endpoints.iter().fold(Router::new(), |router, endpoint| {
        let path = endpoint.path();
        let endpoint = endpoint.clone();
        let respond = service_fn(move |request: Request| {
            let endpoint = endpoint.clone();
            async move {
                if request.method() == http::Method::CONNECT {
                    return Ok::<_, Infallible>(http::StatusCode::NOT_FOUND.into_response());
                }
                if !endpoint.reads_headers() {
                    let query = request.uri().query().unwrap_or_default();
                    return Ok(response(endpoint.respond(query).await));
                }
                let (parts, _) = request.into_parts();
                let request = health_hyper::health_request(&endpoint, &parts, client);
                Ok(response(endpoint.respond(request).await))
            }
        });
        // axum would merge `any` with a `get` of the application. It rejects a second route if this one is a service.
        router.route_service(path, respond)
    })
}

/// Converts the response of an endpoint into axum's, including the reason phrase. Use it in the application's handlers.
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
    health_hyper::response(answer)
}

//! A health endpoint for [actix-web](actix_web): `GET /health` says `OK`, or `MAINTENANCE` while a
//! marker file exists, and runs the application's checks when asked with `?checks=all`.
//!
//! This crate decides nothing: it mounts the endpoints at their paths for every method, passes the raw query
//! in, and copies the answer out. It sets no timeout and touches no other route.
//!
//! ```
//! use actix_web::{App, web};
//! use health_actix_web::Health;
//!
//! let health = Health::builder()
//!     .check("database", || async { Ok::<(), std::io::Error>(()) })
//!     .build()?;
//! let app = App::new()
//!     .service(health_actix_web::service(health))
//!     .route("/", web::get().to(|| async { "the application" }));
//! # Ok::<(), health_actix_web::BuildError>(())
//! ```
//!
//! In the factory closure of `HttpServer`, which runs once for each worker, pass a clone; all clones
//! are one endpoint. Checks run on threads of the library's own, and find the runtime of the worker that
//! was asked. Background checks find that of the first worker: call `health.start_on_tokio()` in `main`, and
//! they find that of `main`, which no request can block.
//!
//! The crate re-exports [`health_core`], so that an application depends on this crate alone.
//!
//! # Features
//!
//! `signal` and `serde`, both off by default, are [those of the core](health_core#features).

use std::borrow::Cow;

use actix_web::dev::{HttpServiceFactory, ServiceRequest, fn_service};
use actix_web::guard::{self, GuardContext};
use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::{HttpResponse, http, web};
#[doc(no_inline)]
pub use health_core::*;

/// A service for each health endpoint: pass it to [`App::service`](actix_web::App::service), or to
/// that of a scope or a `ServiceConfig`.
///
/// Takes a [`Health`], an [`EndpointHandle`] or an array of these. They answer every method but `CONNECT` at
/// exactly the path of each endpoint; actix-web decodes a path before it compares, so `/%68ealth` is `/health`. In a scope,
/// the paths start with the prefix of the scope.
///
/// actix-web takes the first service that matches: put this before any other that matches one of these paths, such as a
/// catch-all, or the endpoint is never reached.
///
/// ```
/// # use actix_web::App;
/// # use health_actix_web::{Endpoint, Health};
/// let health = Health::builder().endpoint(Endpoint::readiness("/ready")).build()?;
/// let ready = health.at("/ready").ok_or("no such endpoint")?;
/// let public = App::new().service(health_actix_web::service(ready));
/// let internal = App::new().service(health_actix_web::service(health));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn service(endpoints: impl Into<Endpoints>) -> impl HttpServiceFactory {
    let endpoints = endpoints.into();
    endpoints.start_on_tokio();
    let service = |endpoint: &EndpointHandle| {
        let (path, endpoint) = (endpoint.path().to_owned(), endpoint.clone());
        let respond = move |request: ServiceRequest| {
            let endpoint = endpoint.clone();
            async move {
                let answer = endpoint.respond(request.query_string()).await;
                Ok::<_, actix_web::Error>(request.into_response(response(answer)))
            }
        };
        web::service(path).guard(guard::fn_guard(is_not_connect)).finish(fn_service(respond))
    };
    endpoints.iter().map(service).collect::<Vec<_>>()
}

/// No endpoint responds to `CONNECT` (H2). The guards of actix-web for a method note it for each request.
fn is_not_connect(context: &GuardContext<'_>) -> bool {
    context.head().method != http::Method::CONNECT
}

/// Names that need not be parsed for each response.
const KNOWN_NAMES: [HeaderName; 3] =
    [header::CONTENT_TYPE, header::CACHE_CONTROL, header::X_CONTENT_TYPE_OPTIONS];

/// The core's response as actix-web's, with its reason phrase: for a handler of the application's own.
///
/// ```
/// use actix_web::{HttpResponse, web::Data};
/// use health_actix_web::Health;
///
/// async fn health(health: Data<Health>) -> HttpResponse {
///     health_actix_web::response(health.respond("checks=all").await)
/// }
/// ```
// actix-web is on an older major of the `http` crate: codes travel as numbers, headers as text, and the
// reason is always told, because it knows fewer of them.
pub fn response(answer: HealthResponse) -> HttpResponse {
    let status = http::StatusCode::from_u16(answer.status().as_u16())
        .unwrap_or(http::StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = HttpResponse::with_body(status, answer.body());
    response.head_mut().reason = Some(answer.reason());
    for (name, value) in answer.headers() {
        // actix-web ignores it, and writes the length of the body.
        if name == header::CONTENT_LENGTH.as_str() {
            continue;
        }
        let value = match value {
            Cow::Borrowed(value) => Ok(HeaderValue::from_static(value)),
            Cow::Owned(value) => HeaderValue::try_from(value),
        };
        if let Ok(value) = value {
            let known = KNOWN_NAMES.into_iter().find(|known| known.as_str() == name);
            let name = known.unwrap_or_else(|| HeaderName::from_static(name));
            response.headers_mut().insert(name, value);
        }
    }
    response.map_into_boxed_body()
}

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

use actix_web::dev::HttpServiceFactory;
use actix_web::guard;
use actix_web::{HttpRequest, HttpResponse, http, web};
#[doc(no_inline)]
pub use health_core::*;

/// A service with one resource for each health endpoint: pass it to [`App::service`](actix_web::App::service), or to
/// that of a scope or a `ServiceConfig`.
///
/// Takes a [`Health`], an [`EndpointHandle`] or an array of these. The resources answer every method but `CONNECT` at
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
    let resource = |endpoint: &EndpointHandle| {
        let (path, endpoint) = (endpoint.path().to_owned(), endpoint.clone());
        let answer = move |request: HttpRequest| {
            let endpoint = endpoint.clone();
            async move { response(endpoint.respond(request.query_string()).await) }
        };
        web::resource(path)
            .guard(guard::Not(guard::Connect()))
            .to(answer)
    };
    endpoints.iter().map(resource).collect::<Vec<_>>()
}

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
    let mut response = HttpResponse::build(status);
    for (name, value) in answer.headers() {
        response.insert_header((name, &*value));
    }
    response.reason(answer.reason());
    response.body(answer.body())
}

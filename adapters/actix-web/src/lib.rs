//! A health endpoint for [actix-web](actix_web): `GET /health` says `OK`, or `MAINTENANCE` while a
//! marker file exists, and runs the application's checks when asked with `?checks=all`.
//!
//! This crate decides nothing: it mounts [`Health`] at its path for every method, passes the raw query
//! in, and copies the answer out. It sets no timeout and touches no other route.
//!
//! ```
//! use actix_web::{App, web};
//! use health_core::Health;
//!
//! let health = Health::builder()
//!     .check("database", || async { Ok::<(), std::io::Error>(()) })
//!     .build()?;
//! let app = App::new()
//!     .configure(health_actix_web::service(health))
//!     .route("/", web::get().to(|| async { "the application" }));
//! # Ok::<(), health_core::BuildError>(())
//! ```
//!
//! In the factory closure of `HttpServer`, which runs once for each worker, pass a clone; all clones
//! are one endpoint. Checks run on threads of the library's own, and find the runtime of the worker that
//! was asked. Background checks find that of the first worker: call `health.start_on_tokio()` in `main`, and
//! they find that of `main`, which no request can block.

use actix_web::http::StatusCode;
use actix_web::web::{self, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use health_core::{Health, HealthResponse};

/// Configuration that adds one resource for each health endpoint: pass it to
/// [`App::configure`](actix_web::App::configure).
///
/// It answers every method at exactly [`HealthConfig::url`](health_core::HealthConfig::url) and the path of each
/// [`Endpoint`](health_core::Endpoint); actix-web decodes a path before it compares, so `/%68ealth` is `/health`.
/// actix-web takes the first resource that matches: put this before a catch-all. In a scope, the paths start with
/// the prefix of the scope.
pub fn service(health: Health) -> impl FnOnce(&mut ServiceConfig) {
    move |app| {
        health.start_on_tokio();
        for endpoint in health.endpoints() {
            let path = endpoint.path().to_owned();
            let answer = move |request: HttpRequest| {
                let endpoint = endpoint.clone();
                async move { response(endpoint.respond(request.query_string()).await) }
            };
            app.service(web::resource(path).to(answer));
        }
    }
}

/// actix-web is on an older major of the `http` crate: codes travel as numbers, headers as text, and the
/// reason is always told, because it knows fewer of them.
fn response(answer: HealthResponse) -> HttpResponse {
    let status =
        StatusCode::from_u16(answer.status().as_u16()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = HttpResponse::build(status);
    for (name, value) in answer.headers() {
        response.insert_header((name, &*value));
    }
    response.reason(answer.reason());
    response.body(answer.body())
}

//! A health endpoint for [poem]: `GET /health` says `OK`, or `MAINTENANCE` while a marker file exists,
//! and runs the application's checks when asked with `?checks=all`.
//!
//! This crate decides nothing: it lets [`Health`] answer at its path for every method, passes the raw
//! query in, and copies the answer out. It sets no timeout and touches no other path.
//!
//! ```
//! use health_core::Health;
//! use poem::endpoint::make_sync;
//! use poem::{EndpointExt, Route};
//!
//! let health = Health::builder()
//!     .check("database", || async { Ok::<(), std::io::Error>(()) })
//!     .build()?;
//! let app = Route::new()
//!     .at("/", make_sync(|_| "the application"))
//!     .with(health_poem::middleware(health));
//! # Ok::<(), health_core::BuildError>(())
//! ```

use health_core::{Health, HealthResponse};
use hyper::ext::ReasonPhrase;
use poem::{Endpoint, IntoResponse, Middleware, Request, Response, Result, http};

/// A middleware that answers every method at exactly
/// [`HealthConfig::url`](health_core::HealthConfig::url) and the path of each
/// [`Endpoint`](health_core::Endpoint), and hands every other path on: lay it [over](poem::EndpointExt::with) the
/// application's routes.
///
/// It is no endpoint for [`Route::at`](poem::Route::at), to which the `:` in a url of `/app:health`
/// would be the start of a parameter.
///
/// It comes before every route, one of the application's own at such a path included. Middleware laid
/// over it, that is added after it, sees the health endpoints too. [Nested](poem::Route::nest), their
/// paths start with the prefix of the nest.
pub fn middleware<E: Endpoint>(
    health: Health,
) -> impl Middleware<E, Output = impl Endpoint<Output = Response>> {
    HealthMiddleware { health }
}

struct HealthMiddleware {
    health: Health,
}

impl<E: Endpoint> Middleware<E> for HealthMiddleware {
    type Output = HealthEndpoint<E>;

    fn transform(&self, app: E) -> HealthEndpoint<E> {
        let health = self.health.clone();
        health.start_on_tokio();
        HealthEndpoint { health, app }
    }
}

struct HealthEndpoint<E> {
    health: Health,
    app: E,
}

impl<E: Endpoint> Endpoint for HealthEndpoint<E> {
    type Output = Response;

    async fn call(&self, request: Request) -> Result<Response> {
        let uri = request.uri();
        if let Some(endpoint) = self.health.at(uri.path()) {
            let query = uri.query().unwrap_or_default();
            return Ok(response(endpoint.respond(query).await));
        }
        self.app.call(request).await.map(E::Output::into_response)
    }
}

fn response(answer: HealthResponse) -> Response {
    let (head, body) = http::Response::from(answer).into_parts();
    let mut response = Response::from((head.status, body));
    *response.headers_mut() = head.headers;
    if let Some(reason) = answer.custom_reason() {
        response.set_data(ReasonPhrase::from_static(reason.as_bytes()));
    }
    response
}

//! A health endpoint for [poem]: `GET /health` says `OK`, or `MAINTENANCE` while a marker file exists,
//! and runs the application's checks when asked with `?checks=all`.
//!
//! This crate decides nothing: it lets the endpoints answer at their paths for every method, passes the raw
//! query in, and copies the answer out. It sets no timeout and touches no other path.
//!
//! ```
//! use health_poem::Health;
//! use poem::endpoint::make_sync;
//! use poem::{EndpointExt, Route};
//!
//! let health = Health::builder()
//!     .check("database", || async { Ok::<(), std::io::Error>(()) })
//!     .build()?;
//! let app = Route::new()
//!     .at("/", make_sync(|_| "the application"))
//!     .with(health_poem::middleware(health));
//! # Ok::<(), health_poem::BuildError>(())
//! ```
//!
//! The crate re-exports [`health_core`], so that an application depends on this crate alone.
//!
//! # Features
//!
//! `signal` and `serde`, both off by default, are [those of the core](health_core#features).

#[doc(no_inline)]
pub use health_core::*;
use hyper::ext::ReasonPhrase;
use poem::{IntoResponse, Middleware, Request, Response, Result, http};

/// A middleware that answers every method but `CONNECT` at exactly the path of each health endpoint, and hands every
/// other request on: lay it [over](poem::EndpointExt::with) the application's routes.
///
/// Takes a [`Health`], an [`EndpointHandle`] or an array of these.
///
/// It is no endpoint for [`Route::at`](poem::Route::at), to which the `:` in a url of `/app:health`
/// would be the start of a parameter.
///
/// It comes before every route, and hides one of the application's own at such a path. Middleware laid
/// over it, that is added after it, sees the health endpoints too. [Nested](poem::Route::nest), their
/// paths start with the prefix of the nest.
///
/// ```
/// # use health_poem::{Endpoint, Health};
/// # use poem::{EndpointExt, Route};
/// let health = Health::builder().endpoint(Endpoint::readiness("/ready")).build()?;
/// let ready = health.at("/ready").ok_or("no such endpoint")?;
/// let public = Route::new().with(health_poem::middleware(ready));
/// let internal = Route::new().with(health_poem::middleware(health));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn middleware<E: poem::Endpoint>(
    endpoints: impl Into<Endpoints>,
) -> impl Middleware<E, Output = impl poem::Endpoint<Output = Response>> {
    let endpoints = endpoints.into();
    endpoints.start_on_tokio();
    HealthMiddleware { endpoints }
}

struct HealthMiddleware {
    endpoints: Endpoints,
}

impl<E: poem::Endpoint> Middleware<E> for HealthMiddleware {
    type Output = HealthEndpoint<E>;

    fn transform(&self, app: E) -> HealthEndpoint<E> {
        let endpoints = self.endpoints.clone();
        HealthEndpoint { endpoints, app }
    }
}

struct HealthEndpoint<E> {
    endpoints: Endpoints,
    app: E,
}

impl<E: poem::Endpoint> poem::Endpoint for HealthEndpoint<E> {
    type Output = Response;

    async fn call(&self, request: Request) -> Result<Response> {
        let (method, uri) = (request.method(), request.uri());
        if let Some(endpoint) = self.endpoints.route(method.as_str(), uri.path()) {
            let query = uri.query().unwrap_or_default();
            return Ok(response(endpoint.respond(query).await));
        }
        self.app.call(request).await.map(E::Output::into_response)
    }
}

/// The core's response as poem's, with its reason phrase: for a handler of the application's own.
///
/// ```
/// use health_poem::Health;
/// use poem::{Response, handler, web::Data};
///
/// #[handler]
/// async fn health(health: Data<&Health>) -> Response {
///     health_poem::response(health.respond("checks=all").await)
/// }
/// ```
pub fn response(answer: HealthResponse) -> Response {
    let (head, body) = http::Response::from(answer).into_parts();
    let mut response = Response::from((head.status, body));
    *response.headers_mut() = head.headers;
    if let Some(reason) = answer.custom_reason() {
        response.set_data(ReasonPhrase::from_static(reason.as_bytes()));
    }
    response
}

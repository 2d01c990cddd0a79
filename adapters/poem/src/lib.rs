#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod body;
#[cfg(feature = "serve")]
mod serve;

use std::borrow::Cow;
use std::future::Future;

#[doc(no_inline)]
pub use health_core::*;
use hyper::ext::ReasonPhrase;
use poem::http::header::{CONNECTION, HeaderValue};
use poem::{IntoResponse as _, Middleware, Request, Response, Result, http};

#[cfg(feature = "serve")]
pub use crate::serve::serve;

/// Returns a middleware that responds to every method except `CONNECT` at exactly the path of each health endpoint, and
/// passes every other request to the application. Add it [with](poem::EndpointExt::with) the application's routes,
/// last.
///
/// Accepts a [`Health`], an [`EndpointHandle`] or an array of these. The endpoints take precedence over a route at the
/// same path. Middleware that is added later also covers the endpoints. Inside [`Route::nest`](poem::Route::nest), the
/// prefix comes before the path of the endpoint.
///
/// The middleware also covers the application for a [drain](Health::drain_when): it counts the [active
/// requests](Health::active_requests), until the end of their bodies, and while draining it adds `Connection: close` to
/// HTTP/1 responses, after which the server closes their connections
/// ([H26](https://docs.rs/health-core/latest/health_core/contract/index.html#h26)). So an error of the application
/// becomes its response here: add middleware that handles errors, such as
/// [`catch_error`](poem::EndpointExt::catch_error), before this one.
///
/// It is not an endpoint for [`Route::at`](poem::Route::at), because that reads the `:` of a path such as `/app:health`
/// as the start of a parameter.
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
        HealthEndpoint { endpoints: self.endpoints.clone(), app }
    }
}

struct HealthEndpoint<E> {
    endpoints: Endpoints,
    app: E,
}

impl<E: poem::Endpoint> poem::Endpoint for HealthEndpoint<E> {
    type Output = Response;

    #[expect(clippy::manual_async_fn, reason = "its future would move the request once more")]
    fn call(&self, request: Request) -> impl Future<Output = Result<Response>> + Send {
        async move {
            let active = self.endpoints.health().track();
            let version = request.version();
            let path = request.uri().path();
            let mut response = match self.endpoints.route(request.method(), path) {
                Some(endpoint) => response(endpoint.respond(facts(endpoint, &request)).await),
                // Not `get_response`, whose future moves the request once more.
                None => match self.app.call(request).await {
                    Ok(response) => response.into_response(),
                    Err(error) => error.into_response(),
                },
            };
            if version <= http::Version::HTTP_11
                && active.closes_connection(response.status().as_u16())
            {
                response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
                // hyper, below poem, adds `keep-alive` to a response in HTTP/1.1 to a client of HTTP/1.0.
                response.set_version(version);
            }
            body::keep_active(&mut response, active);
            Ok(response)
        }
    }
}

/// What the endpoint needs to know of a request.
fn facts<'a>(endpoint: &EndpointHandle, request: &'a Request) -> HealthRequest<'a> {
    let facts = HealthRequest::new(request.uri().query().unwrap_or_default());
    if !endpoint.reads_headers() {
        return facts;
    }
    let address = request.remote_addr().as_socket_addr().map(|address| address.ip());
    let headers = request.headers().iter().map(|(name, value)| (name.as_str(), value.as_bytes()));
    facts.client(address).headers(headers)
}

/// Converts the response of an endpoint into poem's, including the reason phrase. Use it in the application's handlers.
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
    let reason = answer.custom_reason();
    let (head, body) = http::Response::from(answer).into_parts();
    let body = match body {
        Cow::Borrowed(word) => poem::Body::from(word),
        Cow::Owned(text) => poem::Body::from(text),
    };
    let mut response = Response::from((head.status, body));
    *response.headers_mut() = head.headers;
    if let Some(reason) = reason {
        response.set_data(ReasonPhrase::from_static(reason.as_bytes()));
    }
    response
}

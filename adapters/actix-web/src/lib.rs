#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod middleware;
mod serve;

use std::borrow::Cow;

use actix_web::dev::{HttpServiceFactory, ServiceRequest, fn_service};
use actix_web::guard::{self, GuardContext};
use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::{HttpResponse, http, web};
#[doc(no_inline)]
pub use health_core::*;

pub use crate::middleware::{HealthFuture, HealthMiddleware, HealthService, middleware};
pub use crate::serve::serve;

/// Returns a service for the health endpoints. Pass it to [`App::service`](actix_web::App::service), or to the method
/// of the same name of a [`Scope`](actix_web::Scope) or a [`ServiceConfig`](actix_web::web::ServiceConfig).
///
/// Accepts a [`Health`], an [`EndpointHandle`] or an array of these. The service responds to every method except
/// `CONNECT` at exactly the path of each endpoint. actix-web decodes a path before it compares: `/%68ealth` is
/// `/health`. Inside a scope, the prefix comes before the path of the endpoint.
///
/// This only mounts the endpoints. [`middleware`] also covers the application, for a drain that loses no request.
///
/// actix-web calls the first service that matches. Register this one before any other that matches the path of an
/// endpoint, such as a catch-all, or no request reaches the endpoint.
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
        let path = endpoint.path().to_owned();
        let endpoint = endpoint.clone();
        let respond = move |request: ServiceRequest| {
            let endpoint = endpoint.clone();
            async move {
                let answer = endpoint.respond(facts(&endpoint, &request)).await;
                Ok::<_, actix_web::Error>(request.into_response(response(answer)))
            }
        };
        web::service(path).guard(guard::fn_guard(is_not_connect)).finish(fn_service(respond))
    };
    endpoints.iter().map(service).collect::<Vec<_>>()
}

/// No endpoint responds to `CONNECT` (rule H2). A closure is cheaper here than `guard::Not(guard::Connect())`.
fn is_not_connect(context: &GuardContext<'_>) -> bool {
    context.head().method != http::Method::CONNECT
}

/// What the endpoint needs to know of a request.
fn facts<'a>(endpoint: &EndpointHandle, request: &'a ServiceRequest) -> HealthRequest<'a> {
    let facts = HealthRequest::new(request.query_string());
    if !endpoint.reads_headers() {
        return facts;
    }
    let address = request.peer_addr().map(|address| address.ip());
    let headers = request.headers().iter().map(|(name, value)| (name.as_str(), value.as_bytes()));
    facts.client(address).headers(headers)
}

/// The names of the headers that most responses have. [`response`] does not parse them.
const KNOWN_NAMES: [HeaderName; 3] =
    [header::CONTENT_TYPE, header::CACHE_CONTROL, header::X_CONTENT_TYPE_OPTIONS];

/// Converts the response of an endpoint into actix-web's, including the reason phrase. Use it in the application's
/// handlers.
///
/// ```
/// use actix_web::{HttpResponse, web::Data};
/// use health_actix_web::Health;
///
/// async fn health(health: Data<Health>) -> HttpResponse {
///     health_actix_web::response(health.respond("checks=all").await)
/// }
/// ```
// actix-web uses an older major version of the `http` crate: the status is converted as a number and headers as text.
// The reason phrase is always set, because that version does not know all of them.
pub fn response(answer: HealthResponse) -> HttpResponse {
    let status = http::StatusCode::from_u16(answer.status().as_u16())
        .unwrap_or(http::StatusCode::INTERNAL_SERVER_ERROR);
    let (reason, headers) = (answer.reason(), answer.headers());
    let mut response = match answer.into_body() {
        Cow::Borrowed(word) => HttpResponse::with_body(status, word).map_into_boxed_body(),
        Cow::Owned(text) => HttpResponse::with_body(status, text).map_into_boxed_body(),
    };
    response.head_mut().reason = Some(reason);
    for (name, value) in headers {
        // actix-web ignores this header and sends the length of the body.
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
    response
}

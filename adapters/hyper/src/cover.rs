//! Responds to the requests of the endpoints, and covers those of the application (H26).

use std::net::IpAddr;

use health_core::{ActiveRequest, EndpointHandle, Endpoints, HealthRequest};
use hyper::http::Extensions;
use hyper::http::request::Parts;
use hyper::{Method, Request, Uri};

use crate::HealthFuture;
use crate::future::BoxedAnswer;

/// Responds if `request` is for one of `endpoints`, and covers the application otherwise: the request is
/// [active](crate::Health::active_requests) from now on, and the response says that the connection closes if a drain
/// has begun. Returns the future of either response.
///
/// [`service`](crate::service) does this. Call it in a service or middleware of your own. `client` finds the address of
/// the client among the extensions of a request for an endpoint, such as [`ClientAddress::of`]. It is called only if
/// a [`Drain`](crate::Drain) needs the address.
///
/// The future makes no allocation for a request of the application.
#[inline]
pub fn cover<B, F>(
    endpoints: &Endpoints,
    request: Request<B>,
    client: impl FnOnce(&Extensions) -> Option<IpAddr> + Send + 'static,
    application: impl FnOnce(Request<B>) -> F,
) -> HealthFuture<F> {
    let version = request.version();
    // Before the application is called: if it panics, the request is dropped.
    let (active, endpoint) = begin(endpoints, request.method(), request.uri());
    match endpoint {
        None => HealthFuture::theirs(application(request), active, version),
        Some(endpoint) => HealthFuture::ours(answer(endpoint, request, client), active, version),
    }
}

/// Begins a request: it is active, and for the endpoint, if any responds. Not inline, so that the code around it is
/// small enough to be.
pub(crate) fn begin<'a>(
    endpoints: &'a Endpoints,
    method: &Method,
    uri: &Uri,
) -> (ActiveRequest, Option<&'a EndpointHandle>) {
    (endpoints.health().track(), endpoints.route(method, uri.path()))
}

/// The response of an endpoint.
#[inline]
pub(crate) fn answer<B>(
    endpoint: &EndpointHandle,
    request: Request<B>,
    client: impl FnOnce(&Extensions) -> Option<IpAddr> + Send + 'static,
) -> BoxedAnswer {
    let endpoint = endpoint.clone();
    if endpoint.reads_headers() {
        return answer_whole(endpoint, request, client);
    }
    // Most requests have no query, and a small future is cheaper to move.
    answer_query(endpoint, request.uri().query().unwrap_or_default().to_owned())
}

#[inline(never)]
fn answer_whole<B>(
    endpoint: EndpointHandle,
    request: Request<B>,
    client: impl FnOnce(&Extensions) -> Option<IpAddr> + Send + 'static,
) -> BoxedAnswer {
    let (parts, _) = request.into_parts();
    Box::pin(async move { endpoint.respond(health_request(&endpoint, &parts, client)).await })
}

fn answer_query(endpoint: EndpointHandle, query: String) -> BoxedAnswer {
    Box::pin(async move { endpoint.respond(&query).await })
}

/// What `endpoint` needs to know of a request: its query, and the address of the client and the headers if the endpoint
/// [reads](EndpointHandle::reads_headers) them. `client` finds the address among the extensions.
pub fn health_request<'a>(
    endpoint: &EndpointHandle,
    parts: &'a Parts,
    client: impl FnOnce(&Extensions) -> Option<IpAddr>,
) -> HealthRequest<'a> {
    let request = HealthRequest::new(parts.uri.query().unwrap_or_default());
    if !endpoint.reads_headers() {
        return request;
    }
    let headers = parts.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes()));
    request.client(client(&parts.extensions)).headers(headers)
}

/// The address of the client, an extension of a request. A [`Drain`](crate::Drain) that may end early tells pollers
/// apart by it. A server inserts it; without it, pollers are told apart by their `User-Agent` alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClientAddress(pub IpAddr);

impl ClientAddress {
    /// The address among the extensions of a request.
    pub fn of(extensions: &Extensions) -> Option<IpAddr> {
        extensions.get().map(|&Self(address)| address)
    }
}

//! Which endpoint a request is for.

use std::cell::Cell;
use std::future::ready;
use std::net::IpAddr;

use health_core::{EndpointHandle, Endpoints, HealthRequest};
use warp::http::HeaderMap;
use warp::log::Info;
use warp::{Filter, Rejection};

/// The endpoint that a request is for.
pub(crate) struct Found {
    pub(crate) endpoint: EndpointHandle,
    /// Only for an endpoint that reads headers.
    head: Option<Box<Head>>,
}

/// Who sent a request, and its headers.
struct Head {
    address: Option<IpAddr>,
    headers: HeaderMap,
}

impl Found {
    /// What the endpoint needs to know of the request.
    pub(crate) fn request<'a>(&'a self, query: &'a str) -> HealthRequest<'a> {
        let request = HealthRequest::new(query);
        let Some(head) = &self.head else {
            return request;
        };
        let headers = head.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes()));
        request.client(head.address).headers(headers)
    }
}

thread_local! {
    /// Passes it from [`find`] to [`found`], within one poll.
    static FOUND: Cell<Option<Found>> = const { Cell::new(None) };
}

/// Extracts the endpoint of a request.
///
/// [`warp::path::full`] would extract the path, but it panics for a target without one, such as `CONNECT localhost:80`
/// (warp 0.4.3 with http 1.5). Only the logging of warp also sees the whole path of every request.
pub(crate) fn route(
    endpoints: Endpoints,
) -> impl Filter<Extract = (Found,), Error = Rejection> + Clone + Send + Sync + 'static {
    let find = warp::log::custom(move |request| find(&endpoints, &request));
    let request = warp::any().map(warp::reply).with(find);
    request.map(drop).untuple_one().and(found())
}

/// Looks for the endpoint of a request.
pub(crate) fn find(endpoints: &Endpoints, request: &Info<'_>) {
    let endpoint = endpoints.route(request.method().as_str(), request.path());
    FOUND.set(endpoint.map(|endpoint| {
        let head = || {
            Box::new(Head {
                address: request.remote_addr().map(|address| address.ip()),
                headers: request.request_headers().clone(),
            })
        };
        Found { endpoint: endpoint.clone(), head: endpoint.reads_headers().then(head) }
    }));
}

/// Extracts the endpoint that [`find`] has found in the same poll, and rejects other requests.
pub(crate) fn found()
-> impl Filter<Extract = (Found,), Error = Rejection> + Clone + Send + Sync + 'static {
    warp::any().and_then(|| ready(FOUND.take().ok_or_else(warp::reject::not_found)))
}

//! The service of one connection.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use health_core::Endpoints;
use hyper::body::Body;
use hyper::service::Service;
use hyper::{Request, Response, Version};

use crate::{HealthBody, HealthFuture, cover};

/// Which requests a connection has had.
#[derive(Clone, Default)]
pub(super) struct Seen(Arc<AtomicU8>);

const HTTP_1: u8 = 1;
const HTTP_2: u8 = 2;

impl Seen {
    /// Whether there was a request.
    pub(super) fn any(&self) -> bool {
        self.0.load(Ordering::Relaxed) != 0
    }

    /// Whether there was a request over HTTP/2.
    pub(super) fn http2(&self) -> bool {
        self.0.load(Ordering::Relaxed) == HTTP_2
    }

    fn note(&self, version: Version) {
        if !self.any() {
            let seen = if version == Version::HTTP_2 { HTTP_2 } else { HTTP_1 };
            self.0.store(seen, Ordering::Relaxed);
        }
    }
}

/// Covers the requests of one connection, and notes that there are any.
pub(super) struct Watched<S> {
    pub(super) inner: S,
    pub(super) endpoints: Endpoints,
    pub(super) client: Option<IpAddr>,
    pub(super) seen: Seen,
}

impl<S, B, R> Service<Request<B>> for Watched<S>
where
    S: Service<Request<B>, Response = Response<R>>,
    R: Body,
{
    type Response = Response<HealthBody<R>>;
    type Error = S::Error;
    type Future = HealthFuture<S::Future>;

    fn call(&self, request: Request<B>) -> Self::Future {
        self.seen.note(request.version());
        let client = self.client;
        cover(&self.endpoints, request, move |_| client, |request| self.inner.call(request))
    }
}

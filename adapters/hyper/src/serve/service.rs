//! The service of one connection.

use std::borrow::Borrow;
use std::net::IpAddr;

use health_core::{ActiveRequest, Endpoints};
use hyper::body::{Body, Bytes};
use hyper::service::Service;
use hyper::{Request, Response};

use super::activity::{Active, Activity};
use crate::cover::{answer, begin};
use crate::{HealthBody, HealthFuture};

/// Covers the requests of one connection, and notes them.
pub(super) struct Watched<S> {
    pub(super) inner: S,
    pub(super) endpoints: Endpoints,
    pub(super) client: Option<IpAddr>,
    pub(super) activity: Activity,
}

/// An active request of a connection.
pub(super) struct Tracked {
    active: ActiveRequest,
    _on_connection: Active,
}

impl Borrow<ActiveRequest> for Tracked {
    fn borrow(&self) -> &ActiveRequest {
        &self.active
    }
}

impl<S, B, R> Service<Request<B>> for Watched<S>
where
    S: Service<Request<B>, Response = Response<R>>,
    R: Body<Data: From<Bytes>>,
{
    type Response = Response<HealthBody<R, Tracked>>;
    type Error = S::Error;
    type Future = HealthFuture<S::Future, Tracked>;

    // Not `cover`, whose closure would move the request once more.
    #[inline]
    fn call(&self, request: Request<B>) -> Self::Future {
        let version = request.version();
        let (active, endpoint) = begin(&self.endpoints, request.method(), request.uri());
        let tracked = Tracked { active, _on_connection: self.activity.begin(version) };
        match endpoint {
            None => HealthFuture::theirs(self.inner.call(request), tracked, version),
            Some(endpoint) => {
                let client = self.client;
                let answer = answer(endpoint, request, move |_| client);
                HealthFuture::ours(answer, tracked, version)
            }
        }
    }
}

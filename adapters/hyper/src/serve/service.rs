//! The service of one connection.

use std::future::Future;
use std::net::IpAddr;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use health_core::Endpoints;
use hyper::body::{Body, Bytes, Frame, SizeHint};
use hyper::service::Service;
use hyper::{Request, Response};
use pin_project_lite::pin_project;

use super::activity::{Active, Activity};
use crate::{HealthBody, HealthFuture, cover};

/// Covers the requests of one connection, and notes them.
pub(super) struct Watched<S> {
    pub(super) inner: S,
    pub(super) endpoints: Endpoints,
    pub(super) client: Option<IpAddr>,
    pub(super) activity: Activity,
}

impl<S, B, R> Service<Request<B>> for Watched<S>
where
    S: Service<Request<B>, Response = Response<R>>,
    R: Body<Data: From<Bytes>>,
{
    type Response = Response<During<HealthBody<R>>>;
    type Error = S::Error;
    type Future = During<HealthFuture<S::Future>>;

    fn call(&self, request: Request<B>) -> Self::Future {
        let active = self.activity.begin(request.version());
        let client = self.client;
        let response =
            cover(&self.endpoints, request, move |_| client, |request| self.inner.call(request));
        During { inner: response, active: Some(active) }
    }
}

pin_project! {
    /// The future of a response, or its body. The request is active as long as this exists.
    pub(super) struct During<T> {
        #[pin]
        inner: T,
        active: Option<Active>,
    }
}

impl<F, R, E> Future for During<F>
where
    F: Future<Output = Result<Response<R>, E>>,
{
    type Output = Result<Response<During<R>>, E>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let response = ready!(this.inner.poll(context))?;
        let active = this.active.take();
        Poll::Ready(Ok(response.map(|inner| During { inner, active })))
    }
}

impl<B: Body> Body for During<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        self.project().inner.poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

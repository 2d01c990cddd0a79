//! The future of a response: that of a health endpoint or of the application.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use health_core::{ActiveRequest, HealthResponse};
use hyper::header::{CONNECTION, HeaderValue};
use hyper::{Response, Version};
use pin_project_lite::pin_project;

use crate::body::HealthBody;
use crate::response;

pin_project! {
    /// The future of a response: that of a health endpoint, or `F`, that of the application.
    pub struct HealthFuture<F> {
        #[pin]
        kind: Kind<F>,
        request: Option<ActiveRequest>,
        version: Version,
    }
}

pin_project! {
    #[project = KindPinned]
    enum Kind<F> {
        // Boxed, so that the future of a request for the application stays small.
        Ours { answer: Pin<Box<dyn Future<Output = HealthResponse> + Send>> },
        Theirs { #[pin] future: F },
    }
}

impl<F> HealthFuture<F> {
    pub(crate) fn ours(
        answer: impl Future<Output = HealthResponse> + Send + 'static,
        request: ActiveRequest,
        version: Version,
    ) -> Self {
        Self { kind: Kind::Ours { answer: Box::pin(answer) }, request: Some(request), version }
    }

    pub(crate) fn theirs(future: F, request: ActiveRequest, version: Version) -> Self {
        Self { kind: Kind::Theirs { future }, request: Some(request), version }
    }
}

impl<F, R, E> Future for HealthFuture<F>
where
    F: Future<Output = Result<Response<R>, E>>,
{
    type Output = Result<Response<HealthBody<R>>, E>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        Poll::Ready(Ok(match this.kind.project() {
            KindPinned::Ours { answer } => {
                let mut response = response(ready!(answer.as_mut().poll(context)));
                close_if_draining(&mut response, this.request.take().as_ref(), *this.version);
                response.map(HealthBody::ours)
            }
            KindPinned::Theirs { future } => {
                let mut response = ready!(future.poll(context))?;
                let request = this.request.take();
                close_if_draining(&mut response, request.as_ref(), *this.version);
                response.map(|body| HealthBody::theirs(body, request))
            }
        }))
    }
}

/// Adds `Connection: close` if a drain has begun (H26). HTTP/2 does not allow the header.
fn close_if_draining<R>(
    response: &mut Response<R>,
    request: Option<&ActiveRequest>,
    version: Version,
) {
    let status = response.status().as_u16();
    if version <= Version::HTTP_11
        && request.is_some_and(|request| request.closes_connection(status))
    {
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        // hyper adds `keep-alive` to a response in HTTP/1.1 for a client that asked for it in HTTP/1.0.
        *response.version_mut() = version;
    }
}

impl<F> fmt::Debug for HealthFuture<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HealthFuture").finish_non_exhaustive()
    }
}

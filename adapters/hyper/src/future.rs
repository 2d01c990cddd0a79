//! The future of a response: that of a health endpoint or of the application.

use std::borrow::Borrow;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use health_core::{ActiveRequest, HealthResponse};
use hyper::body::Body;
use hyper::header::{CONNECTION, HeaderValue};
use hyper::{Response, Version};
use pin_project_lite::pin_project;

use crate::body::HealthBody;
use crate::response;

pin_project! {
    /// The future of a response: that of a health endpoint, or `F`, that of the application. The request is
    /// [active](crate::Health::active_requests) as long as there is a `G`.
    pub struct HealthFuture<F, G = ActiveRequest> {
        #[pin]
        kind: Kind<F>,
        request: Option<G>,
        version: Version,
    }
}

pin_project! {
    #[project = KindPinned]
    enum Kind<F> {
        // Boxed, so that the future of a request for the application stays small.
        Ours { answer: BoxedAnswer },
        Theirs { #[pin] future: F },
    }
}

pub(crate) type BoxedAnswer = Pin<Box<dyn Future<Output = HealthResponse> + Send>>;

impl<F, G> HealthFuture<F, G> {
    #[inline]
    pub(crate) fn ours(answer: BoxedAnswer, request: G, version: Version) -> Self {
        Self { kind: Kind::Ours { answer }, request: Some(request), version }
    }

    #[inline]
    pub(crate) fn theirs(future: F, request: G, version: Version) -> Self {
        Self { kind: Kind::Theirs { future }, request: Some(request), version }
    }
}

impl<F, R, E, G> Future for HealthFuture<F, G>
where
    G: Borrow<ActiveRequest>,
    F: Future<Output = Result<Response<R>, E>>,
{
    type Output = Result<Response<HealthBody<R, G>>, E>;

    #[inline]
    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        match this.kind.project() {
            KindPinned::Theirs { future } => {
                let mut response = ready!(future.poll(context))?;
                let request = this.request.take();
                close_if_draining(&mut response, request.as_ref(), *this.version);
                Poll::Ready(Ok(response.map(|body| HealthBody::theirs(body, request))))
            }
            KindPinned::Ours { answer } => {
                poll_ours(answer, context, this.request, *this.version).map(Ok)
            }
        }
    }
}

impl<F, R, E> HealthFuture<F>
where
    F: Future<Output = Result<Response<R>, E>>,
    R: Body + Default,
{
    /// Like [`poll`](Future::poll), for adapters that box bodies: `box_body` boxes one. The body of the application is
    /// boxed once more only if it is not complete; otherwise its response is not even moved.
    ///
    /// A body cannot tell whether it is complete. It counts as complete if its length is known and at most 64 KiB. Then
    /// the request is no longer active.
    #[inline]
    pub fn poll_boxed(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        box_body: impl FnOnce(HealthBody<R>) -> R,
    ) -> Poll<Result<Response<R>, E>> {
        let this = self.project();
        match this.kind.project() {
            KindPinned::Theirs { future } => {
                let mut polled = future.poll(context);
                if let Poll::Ready(Ok(response)) = &mut polled {
                    let request = this.request.take();
                    close_if_draining(response, request.as_ref(), *this.version);
                    let body = response.body_mut();
                    if body.size_hint().exact().is_none_or(|length| length > ONE_PIECE) {
                        *body = box_body(HealthBody::theirs(std::mem::take(body), request));
                    }
                }
                polled
            }
            KindPinned::Ours { answer } => {
                let response = ready!(poll_ours(answer, context, this.request, *this.version));
                Poll::Ready(Ok(response.map(box_body)))
            }
        }
    }
}

/// A body of known length is in one piece if it is not longer, in bytes.
const ONE_PIECE: u64 = 64 * 1024;

/// Not inline, so that the response of the application is moved less often.
#[inline(never)]
fn poll_ours<R, G: Borrow<ActiveRequest>>(
    answer: &mut BoxedAnswer,
    context: &mut Context<'_>,
    request: &mut Option<G>,
    version: Version,
) -> Poll<Response<HealthBody<R, G>>> {
    let mut response = response(ready!(answer.as_mut().poll(context)));
    let request = request.take();
    close_if_draining(&mut response, request.as_ref(), version);
    Poll::Ready(response.map(|text| HealthBody::ours(text, request)))
}

/// Adds `Connection: close` if a drain has begun (H26). HTTP/2 does not allow the header.
#[inline]
fn close_if_draining<R, G: Borrow<ActiveRequest>>(
    response: &mut Response<R>,
    request: Option<&G>,
    version: Version,
) {
    if let Some(request) =
        request.map(Borrow::borrow).filter(|active| active.health().is_draining())
    {
        close(response, request, version);
    }
}

#[cold]
fn close<R>(response: &mut Response<R>, request: &ActiveRequest, version: Version) {
    if version <= Version::HTTP_11 && request.closes_connection(response.status().as_u16()) {
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        // hyper adds `keep-alive` to a response in HTTP/1.1 for a client that asked for it in HTTP/1.0.
        *response.version_mut() = version;
    }
}

impl<F, G> fmt::Debug for HealthFuture<F, G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HealthFuture").finish_non_exhaustive()
    }
}

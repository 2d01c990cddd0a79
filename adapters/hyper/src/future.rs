//! The future of a response: that of a health endpoint or of the application.

use std::borrow::Borrow;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use health_core::{ActiveRequest, HealthResponse};
use hyper::body::Body;
use hyper::header::{CONNECTION, HeaderValue};
use hyper::http::response::Parts;
use hyper::{Response, Version};
use pin_project_lite::pin_project;

use crate::body::HealthBody;
use crate::response_of_text;

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
                // In parts, because a compiler moves a whole response more often.
                let (mut head, body) = ready!(future.poll(context))?.into_parts();
                let request = this.request.take();
                if let Some(active) = if_draining(&request) {
                    close(&mut head, active, *this.version);
                }
                Poll::Ready(Ok(Response::from_parts(head, HealthBody::theirs(body, request))))
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
                    if let Some(active) = if_draining(&request) {
                        let (mut head, body) = std::mem::take(response).into_parts();
                        close(&mut head, active, *this.version);
                        *response = Response::from_parts(head, body);
                    }
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
    let (mut head, text) = response_of_text(ready!(answer.as_mut().poll(context))).into_parts();
    let request = request.take();
    if let Some(active) = if_draining(&request) {
        close(&mut head, active, version);
    }
    Poll::Ready(Response::from_parts(head, HealthBody::ours(text, request)))
}

/// The request, if a drain has begun.
#[inline]
fn if_draining<G: Borrow<ActiveRequest>>(request: &Option<G>) -> Option<&ActiveRequest> {
    let request = request.as_ref().map(Borrow::borrow);
    request.filter(|active| active.health().is_draining())
}

/// Adds `Connection: close` (H26). HTTP/2 does not allow the header.
#[cold]
fn close(head: &mut Parts, request: &ActiveRequest, version: Version) {
    if version <= Version::HTTP_11 && request.closes_connection(head.status.as_u16()) {
        head.headers.insert(CONNECTION, HeaderValue::from_static("close"));
        // hyper adds `keep-alive` to a response in HTTP/1.1 for a client that asked for it in HTTP/1.0.
        head.version = version;
    }
}

impl<F, G> fmt::Debug for HealthFuture<F, G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HealthFuture").finish_non_exhaustive()
    }
}

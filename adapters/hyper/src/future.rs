//! The future of a response: that of a health endpoint or of the application.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use health_core::HealthResponse;
use hyper::Response;
use pin_project_lite::pin_project;

use crate::body::HealthBody;
use crate::response;

pin_project! {
    /// The future of a response: that of a health endpoint, or `F`, that of the application.
    pub struct HealthFuture<F> {
        #[pin]
        kind: Kind<F>,
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
    pub(crate) fn ours(answer: impl Future<Output = HealthResponse> + Send + 'static) -> Self {
        Self { kind: Kind::Ours { answer: Box::pin(answer) } }
    }

    pub(crate) fn theirs(future: F) -> Self {
        Self { kind: Kind::Theirs { future } }
    }
}

impl<F, R, E> Future for HealthFuture<F>
where
    F: Future<Output = Result<Response<R>, E>>,
{
    type Output = Result<Response<HealthBody<R>>, E>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project().kind.project() {
            KindPinned::Ours { answer } => answer
                .as_mut()
                .poll(context)
                .map(|answer| Ok(response(answer).map(HealthBody::ours))),
            KindPinned::Theirs { future } => {
                future.poll(context).map_ok(|response| response.map(HealthBody::theirs))
            }
        }
    }
}

impl<F> fmt::Debug for HealthFuture<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HealthFuture").finish_non_exhaustive()
    }
}

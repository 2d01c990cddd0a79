//! The body of a response: that of a health endpoint or of the application.

use std::borrow::Cow;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use health_core::ActiveRequest;
use hyper::body::{Body, Bytes, Frame, SizeHint};
use pin_project_lite::pin_project;

pin_project! {
    /// The body of a response: that of a health endpoint, or `B`, that of the application.
    ///
    /// The request of the application is [active](crate::Health::active_requests) until the body has ended or is
    /// dropped.
    #[derive(Debug)]
    pub struct HealthBody<B> {
        #[pin]
        kind: Kind<B>,
    }
}

pin_project! {
    #[derive(Debug)]
    #[project = KindPinned]
    enum Kind<B> {
        Ours { text: Cow<'static, str> },
        Theirs { #[pin] body: B, request: Option<ActiveRequest> },
    }
}

impl<B> HealthBody<B> {
    pub(crate) fn ours(text: Cow<'static, str>) -> Self {
        Self { kind: Kind::Ours { text } }
    }

    pub(crate) fn theirs(body: B, request: Option<ActiveRequest>) -> Self {
        Self { kind: Kind::Theirs { body, request } }
    }
}

/// A body of known length is in one piece if it is not longer, in bytes.
const ONE_PIECE: u64 = 64 * 1024;

impl<B: Body> HealthBody<B> {
    /// The body of the application, if that is complete, so that the request no longer needs to be active. For adapters
    /// that box bodies: only what this returns as an error needs another box.
    ///
    /// A body cannot tell whether it is complete. It counts as complete if its length is known and at most 64 KiB.
    ///
    /// # Errors
    ///
    /// The body is a stream, or that of an endpoint.
    pub fn into_inner(self) -> Result<B, Self> {
        match self.kind {
            Kind::Theirs { body, .. }
                if body.size_hint().exact().is_some_and(|length| length <= ONE_PIECE) =>
            {
                Ok(body)
            }
            kind => Err(Self { kind }),
        }
    }
}

impl<B> Body for HealthBody<B>
where
    B: Body<Data: From<Bytes>>,
{
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        match self.project().kind.project() {
            KindPinned::Ours { text } => {
                let bytes = match std::mem::take(text) {
                    Cow::Borrowed(text) => Bytes::from_static(text.as_bytes()),
                    Cow::Owned(text) => Bytes::from(text),
                };
                Poll::Ready((!bytes.is_empty()).then(|| Ok(Frame::data(bytes.into()))))
            }
            KindPinned::Theirs { body, request } => {
                let frame = ready!(body.poll_frame(context));
                if frame.is_none() {
                    *request = None;
                }
                Poll::Ready(frame)
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.kind {
            Kind::Ours { text } => text.is_empty(),
            Kind::Theirs { body, .. } => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.kind {
            Kind::Ours { text } => SizeHint::with_exact(text.len() as u64),
            Kind::Theirs { body, .. } => body.size_hint(),
        }
    }
}

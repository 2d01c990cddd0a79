//! The body of a response: that of a health endpoint or of the application.

use std::borrow::Cow;
use std::pin::Pin;
use std::task::{Context, Poll};

use health_core::ActiveRequest;
use hyper::body::{Body, Bytes, Frame, SizeHint};
use pin_project_lite::pin_project;

pin_project! {
    /// The body of a response: that of a health endpoint, or `B`, that of the application.
    ///
    /// The request of the application is [active](crate::Health::active_requests) until the body has ended or is
    /// dropped.
    #[derive(Debug)]
    pub struct HealthBody<B, G = ActiveRequest> {
        #[pin]
        kind: Kind<B, G>,
    }
}

pin_project! {
    #[derive(Debug)]
    #[project = KindPinned]
    enum Kind<B, G> {
        Ours { text: Cow<'static, str>, request: Option<G> },
        Theirs { #[pin] body: B, request: Option<G> },
    }
}

impl<B, G> HealthBody<B, G> {
    pub(crate) fn ours(text: Cow<'static, str>, request: Option<G>) -> Self {
        Self { kind: Kind::Ours { text, request } }
    }

    #[inline]
    pub(crate) fn theirs(body: B, request: Option<G>) -> Self {
        Self { kind: Kind::Theirs { body, request } }
    }
}

impl<B, G> Body for HealthBody<B, G>
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
            KindPinned::Ours { text, request } => {
                *request = None;
                let bytes = match std::mem::take(text) {
                    Cow::Borrowed(text) => Bytes::from_static(text.as_bytes()),
                    Cow::Owned(text) => Bytes::from(text),
                };
                Poll::Ready((!bytes.is_empty()).then(|| Ok(Frame::data(bytes.into()))))
            }
            KindPinned::Theirs { body, request } => {
                let frame = body.poll_frame(context);
                if matches!(frame, Poll::Ready(None)) {
                    *request = None;
                }
                frame
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.kind {
            Kind::Ours { text, .. } => text.is_empty(),
            Kind::Theirs { body, .. } => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.kind {
            Kind::Ours { text, .. } => SizeHint::with_exact(text.len() as u64),
            Kind::Theirs { body, .. } => body.size_hint(),
        }
    }
}

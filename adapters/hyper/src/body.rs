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
        kind: Kind<B>,
        request: Option<G>,
    }
}

pin_project! {
    #[derive(Debug)]
    #[project = KindPinned]
    enum Kind<B> {
        // `None` if it is empty or was taken.
        Ours { bytes: Option<Bytes> },
        Theirs { #[pin] body: B },
    }
}

impl<B, G> HealthBody<B, G> {
    pub(crate) fn ours(text: Cow<'static, str>, request: Option<G>) -> Self {
        let bytes = match text {
            Cow::Borrowed(text) => Bytes::from_static(text.as_bytes()),
            Cow::Owned(text) => Bytes::from(text),
        };
        let bytes = (!bytes.is_empty()).then_some(bytes);
        Self { kind: Kind::Ours { bytes }, request }
    }

    #[inline]
    pub(crate) fn theirs(body: B, request: Option<G>) -> Self {
        Self { kind: Kind::Theirs { body }, request }
    }
}

impl<B, G> Body for HealthBody<B, G>
where
    B: Body<Data: From<Bytes>>,
{
    type Data = B::Data;
    type Error = B::Error;

    #[inline]
    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let this = self.project();
        let frame = match this.kind.project() {
            KindPinned::Ours { bytes } => {
                Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes.into()))))
            }
            KindPinned::Theirs { body } => body.poll_frame(context),
        };
        if matches!(frame, Poll::Ready(None)) {
            *this.request = None;
        }
        frame
    }

    #[inline]
    fn is_end_stream(&self) -> bool {
        match &self.kind {
            Kind::Ours { bytes } => bytes.is_none(),
            Kind::Theirs { body } => body.is_end_stream(),
        }
    }

    #[inline]
    fn size_hint(&self) -> SizeHint {
        match &self.kind {
            Kind::Ours { bytes } => {
                SizeHint::with_exact(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64))
            }
            Kind::Theirs { body } => body.size_hint(),
        }
    }
}

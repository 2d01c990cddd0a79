//! The body of a response: that of a health endpoint or of the application.

use std::pin::Pin;
use std::task::{Context, Poll};

use hyper::body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

pin_project! {
    /// The body of a response: that of a health endpoint, or `B`, that of the application.
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
        Ours { word: &'static str },
        Theirs { #[pin] body: B },
    }
}

impl<B> HealthBody<B> {
    pub(crate) fn ours(word: &'static str) -> Self {
        Self { kind: Kind::Ours { word } }
    }

    pub(crate) fn theirs(body: B) -> Self {
        Self { kind: Kind::Theirs { body } }
    }
}

impl<B> Body for HealthBody<B>
where
    B: Body<Data: From<&'static [u8]>>,
{
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        match self.project().kind.project() {
            KindPinned::Ours { word } => Poll::Ready(match std::mem::take(word) {
                "" => None,
                word => Some(Ok(Frame::data(word.as_bytes().into()))),
            }),
            KindPinned::Theirs { body } => body.poll_frame(context),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.kind {
            Kind::Ours { word } => word.is_empty(),
            Kind::Theirs { body } => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.kind {
            Kind::Ours { word } => SizeHint::with_exact(word.len() as u64),
            Kind::Theirs { body } => body.size_hint(),
        }
    }
}

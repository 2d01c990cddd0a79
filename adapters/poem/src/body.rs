//! The body of a response whose request is active until its end.

use std::pin::Pin;
use std::task::{Context, Poll};

use health_core::ActiveRequest;
use http_body_util::combinators::BoxBody;
use hyper::body::{Body, Frame, SizeHint};
use poem::Response;

/// The largest body that is not wrapped, in bytes: the wrapper would be the only allocation that the middleware adds.
const BUFFER_SIZE: u64 = 64 * 1024;

/// Keeps the request active until the end of the body, unless that is so short that the server takes it with the head.
pub(crate) fn keep_active(response: &mut Response, active: ActiveRequest) {
    let body = BoxBody::from(response.take_body());
    let is_short = body.size_hint().exact().is_some_and(|size| size <= BUFFER_SIZE);
    let body = if is_short { body } else { BoxBody::new(ActiveBody { body, _active: active }) };
    response.set_body(body);
}

struct ActiveBody<B> {
    body: B,
    _active: ActiveRequest,
}

impl<B: Body + Unpin> Body for ActiveBody<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        Pin::new(&mut self.get_mut().body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

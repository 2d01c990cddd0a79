//! What covers an application (H26).

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use health_core::ActiveRequest;
use rocket::Response;
use rocket::response::Body;
use rocket::route::BoxFuture;
use rocket::tokio::io::{AsyncRead, AsyncSeek, ReadBuf};

/// The largest body that is not wrapped, in bytes: the wrapper would be the only allocation that the fairing adds.
const BUFFER_SIZE: usize = 64 * 1024;

/// A future that is ready and has no size, so that its box needs no memory.
pub(crate) fn nothing<'a>() -> BoxFuture<'a, ()> {
    Box::pin(poll_fn(|_| Poll::Ready(())))
}

/// Keeps the request active until the end of the body, unless that is short.
#[inline]
pub(crate) fn keep_active<'r, 'a>(
    response: &'a mut Response<'r>,
    active: ActiveRequest,
) -> BoxFuture<'a, ()> {
    let body = response.body();
    if body.is_none() || body.preset_size().is_some_and(|size| size <= BUFFER_SIZE) {
        return nothing();
    }
    Box::pin(wrap(response, active))
}

async fn wrap(response: &mut Response<'_>, active: ActiveRequest) {
    let max_chunk = response.body().max_chunk_size();
    // The length of a file, which is sent as `Content-Length`.
    let size = response.body_mut().size().await;
    let body = ActiveBody { body: response.body_mut().take(), _active: active };
    match size {
        Some(size) => response.set_sized_body(size, body),
        None => response.set_streamed_body(body),
    }
    response.set_max_chunk_size(max_chunk);
}

/// A body whose request is active until this is dropped.
struct ActiveBody<'r> {
    body: Body<'r>,
    _active: ActiveRequest,
}

impl AsyncRead for ActiveBody<'_> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().body).poll_read(context, buffer)
    }
}

/// Rocket requires it of a body with a length, and seeks only in one whose length it does not know.
impl AsyncSeek for ActiveBody<'_> {
    fn start_seek(self: Pin<&mut Self>, _: io::SeekFrom) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn poll_complete(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<u64>> {
        Poll::Ready(Err(io::ErrorKind::Unsupported.into()))
    }
}

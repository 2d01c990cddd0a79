//! What happens on a connection, as far as its end depends on it.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicUsize, Ordering};
use std::task::{Context, Poll};

use hyper::Version;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Shared by a connection, its byte stream and its requests.
#[derive(Clone, Default)]
pub(super) struct Activity(Arc<Shared>);

#[derive(Default)]
struct Shared {
    /// Of the first request.
    version: AtomicU8,
    /// How many requests have no response yet, or one whose body has not ended.
    active: AtomicUsize,
    /// Whether bytes of a response wait for the client to read.
    is_blocked: AtomicBool,
    /// Whether anything, or the end, was received since the client was told that the connection closes.
    has_answered: AtomicBool,
}

const HTTP_1: u8 = 1;
const HTTP_2: u8 = 2;

impl Activity {
    /// Whether there was a request.
    pub(super) fn any(&self) -> bool {
        self.0.version.load(Ordering::Relaxed) != 0
    }

    /// Whether there was a request over HTTP/2.
    pub(super) fn http2(&self) -> bool {
        self.0.version.load(Ordering::Relaxed) == HTTP_2
    }

    /// Notes a request. It is active until the returned value is dropped.
    pub(super) fn begin(&self, version: Version) -> Active {
        if !self.any() {
            let version = if version == Version::HTTP_2 { HTTP_2 } else { HTTP_1 };
            self.0.version.store(version, Ordering::Relaxed);
        }
        self.0.active.fetch_add(1, Ordering::Relaxed);
        Active(self.clone())
    }

    /// Notes that the client is now told that the connection closes.
    pub(super) fn expect_answer(&self) {
        self.0.has_answered.store(false, Ordering::Relaxed);
    }

    /// Whether a request has arrived whose response the client has not been sent.
    pub(super) fn is_unfinished(&self) -> bool {
        self.0.active.load(Ordering::Relaxed) > 0
            || self.0.is_blocked.load(Ordering::Relaxed)
            // hyper can hold the rest of a response until the client has room for it. It closes a connection without
            // any as soon as the client has answered.
            || self.http2() && self.0.has_answered.load(Ordering::Relaxed)
    }

    fn note_write<T>(&self, written: Poll<T>) -> Poll<T> {
        self.0.is_blocked.store(written.is_pending(), Ordering::Relaxed);
        written
    }
}

/// An active request.
pub(super) struct Active(Activity);

impl Drop for Active {
    fn drop(&mut self) {
        self.0.0.active.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The byte stream of a connection.
pub(super) struct Observed<I> {
    pub(super) io: I,
    pub(super) activity: Activity,
}

impl<I: AsyncRead + Unpin> AsyncRead for Observed<I> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let read = Pin::new(&mut self.io).poll_read(context, buffer);
        if read.is_ready() {
            self.activity.0.has_answered.store(true, Ordering::Relaxed);
        }
        read
    }
}

impl<I: AsyncWrite + Unpin> AsyncWrite for Observed<I> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.io).poll_write(context, bytes);
        self.activity.note_write(written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.io).poll_write_vectored(context, bytes);
        self.activity.note_write(written)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.io).poll_flush(context);
        self.activity.note_write(flushed)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let shut_down = Pin::new(&mut self.io).poll_shutdown(context);
        self.activity.note_write(shut_down)
    }
}

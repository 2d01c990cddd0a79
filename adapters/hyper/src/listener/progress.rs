//! How far a connection is, and how long it may stay there.

use std::future::{Future, poll_fn};
use std::io::{self, IoSlice};
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, sleep_until};

use super::Stream;

/// How long a client may take to send the head of a request, to read a response, and to close the connection. The
/// time starts with the connection, or with the first byte of a further request, and further bytes do not extend it.
pub(super) const CLIENT_TIMEOUT: Duration = Duration::from_secs(5);

/// How long a connection may be idle between two requests: longer than the period of most pollers, so that they can
/// keep their connection.
pub(super) const IDLE_TIMEOUT: Duration = Duration::from_secs(75);

/// The states of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// The head of a request is expected.
    Reading,
    /// The endpoint works on the response.
    Responding,
    /// The response is being sent.
    Writing,
    /// The response has been sent, and no byte of a next request has been received.
    Idle,
    /// The client is expected to close.
    Closing,
}

impl Phase {
    /// How long it may last. The endpoint limits the time of a response itself: each check has a timeout.
    fn limit(self) -> Option<Duration> {
        match self {
            Self::Reading | Self::Writing | Self::Closing => Some(CLIENT_TIMEOUT),
            Self::Idle => Some(IDLE_TIMEOUT),
            Self::Responding => None,
        }
    }
}

/// The phase of one connection, shared by the task that serves it and by the list of all connections.
#[derive(Debug, Clone)]
pub(super) struct Progress(Arc<Mutex<(Phase, Instant)>>);

impl Progress {
    /// That of a new connection.
    pub(super) fn new() -> Self {
        Self(Arc::new(Mutex::new((Phase::Reading, Instant::now()))))
    }

    /// The phase, and when it began.
    pub(super) fn phase(&self) -> (Phase, Instant) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn enter(&self, phase: Phase) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = (phase, Instant::now());
    }

    fn advance(&self, from: Phase, to: Phase) {
        if self.phase().0 == from {
            self.enter(to);
        }
    }

    fn deadline(&self) -> Option<Instant> {
        let (phase, since) = self.phase();
        Some(since + phase.limit()?)
    }

    /// Polls `connection` until it ends, or until a phase has lasted too long. The phase changes only while `connection`
    /// is polled.
    pub(super) async fn limit(self, connection: impl Future<Output = ()>) {
        let mut connection = pin!(connection);
        let mut timer = pin!(sleep_until(Instant::now()));
        poll_fn(|context| {
            if connection.as_mut().poll(context).is_ready() {
                return Poll::Ready(());
            }
            let Some(deadline) = self.deadline() else {
                return Poll::Pending;
            };
            if timer.deadline() != deadline {
                timer.as_mut().reset(deadline);
            }
            timer.as_mut().poll(context)
        })
        .await;
    }
}

/// A stream that advances the progress of its connection: from idle when bytes are received, and from writing when
/// they have been sent.
pub(super) struct Tracked<S> {
    stream: S,
    progress: Progress,
}

impl<S: Stream> Tracked<S> {
    pub(super) fn new(stream: S, progress: Progress) -> Self {
        Self { stream, progress }
    }
}

impl<S: Stream> AsyncRead for Tracked<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(context, buffer);
        if buffer.filled().len() > before {
            self.progress.advance(Phase::Idle, Phase::Reading);
        }
        read
    }
}

impl<S: Stream> AsyncWrite for Tracked<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, bytes)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    /// hyper flushes once it has written all it has.
    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(context);
        if flushed.is_ready() {
            self.progress.advance(Phase::Writing, Phase::Idle);
        }
        flushed
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use tokio::time::{Duration, Instant, timeout};

    use super::{Phase, Progress};

    /// How long a connection is kept that stays in `phase`; `None` if it is kept for a day.
    async fn kept(phase: Phase) -> Option<Duration> {
        let start = Instant::now();
        let progress = Progress::new();
        let connection = async {
            progress.enter(phase);
            pending().await
        };
        let day = Duration::from_secs(24 * 60 * 60);
        let ended = timeout(day, progress.clone().limit(connection)).await;
        ended.ok().map(|()| start.elapsed())
    }

    #[tokio::test(start_paused = true)]
    async fn each_phase_that_depends_on_the_client_has_its_limit() {
        let (timeout, idle_timeout) = (Duration::from_secs(5), Duration::from_secs(75));
        for phase in [Phase::Reading, Phase::Writing, Phase::Closing] {
            assert_eq!(kept(phase).await, Some(timeout), "{phase:?}");
        }
        assert_eq!(kept(Phase::Idle).await, Some(idle_timeout));
    }

    #[tokio::test(start_paused = true)]
    async fn the_endpoint_takes_the_time_it_needs() {
        assert_eq!(kept(Phase::Responding).await, None);
    }
}

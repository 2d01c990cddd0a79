//! Accepts connections, and never stops.

use std::collections::VecDeque;
use std::io;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::task::AbortHandle;
use tokio::time::sleep;

use super::{Answerer, Stream};

/// How many connections there are side by side: half of the files that a process may usually have open.
const LIMIT: usize = 512;

/// How long it waits before it tries again where the system has no connection to give, as when there are too
/// many open files.
const PAUSE: Duration = Duration::from_millis(50);

pub(super) trait Accept: 'static {
    type Stream: Stream;

    async fn next(&self) -> io::Result<Self::Stream>;
}

impl Accept for TcpListener {
    type Stream = tokio::net::TcpStream;

    async fn next(&self) -> io::Result<Self::Stream> {
        let (stream, _) = self.accept().await?;
        Ok(stream)
    }
}

#[cfg(unix)]
impl Accept for tokio::net::UnixListener {
    type Stream = tokio::net::UnixStream;

    async fn next(&self) -> io::Result<Self::Stream> {
        let (stream, _) = self.accept().await?;
        Ok(stream)
    }
}

/// Has `answerer` answer on every connection. A new one is never refused: beyond the limit the oldest has to go,
/// so that clients who hold on to theirs keep nobody out.
pub(super) async fn accept(acceptor: &impl Accept, answerer: &impl Answerer) {
    let mut connections: VecDeque<AbortHandle> = VecDeque::new();
    loop {
        let Ok(stream) = acceptor.next().await else {
            sleep(PAUSE).await;
            continue;
        };
        connections.retain(|connection| !connection.is_finished());
        if connections.len() >= LIMIT {
            if let Some(oldest) = connections.pop_front() {
                oldest.abort();
            }
        }
        let connection = tokio::spawn(answerer.answer(stream));
        connections.push_back(connection.abort_handle());
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::future::{pending, ready};
    use std::io;
    use std::sync::mpsc;

    use tokio::io::{DuplexStream, duplex};
    use tokio::time::{Instant, timeout};

    use super::{Accept, Answerer, PAUSE, Stream, accept};

    /// Has no connection to give for so many times, then one, and then no other.
    struct Failing(Cell<u32>);

    impl Accept for Failing {
        type Stream = DuplexStream;

        async fn next(&self) -> io::Result<DuplexStream> {
            match self.0.replace(self.0.get().saturating_sub(1)) {
                0 => pending().await,
                1 => Ok(duplex(1).0),
                _ => Err(io::Error::other("too many open files")),
            }
        }
    }

    struct Tell(mpsc::Sender<Instant>);

    impl Answerer for Tell {
        fn answer(&self, _: impl Stream) -> impl Future<Output = ()> + Send + 'static {
            self.0.send(Instant::now()).unwrap();
            ready(())
        }
    }

    #[tokio::test(start_paused = true)]
    async fn failures_to_accept_neither_end_it_nor_make_it_spin() {
        let start = Instant::now();
        let (tell, told) = mpsc::channel();
        let failing = Failing(Cell::new(11));
        let ended = timeout(PAUSE * 100, accept(&failing, &Tell(tell))).await;
        assert!(ended.is_err());
        let accepted = told.try_recv().unwrap();
        assert!(accepted - start >= PAUSE * 10, "{:?}", accepted - start);
    }
}

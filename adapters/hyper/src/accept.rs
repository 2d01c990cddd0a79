//! Accepts connections.

use std::any::Any;
use std::future::Future;
use std::io;
use std::iter;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
#[cfg(unix)]
use tokio::net::{UnixListener, UnixStream, unix};
use tokio::time::Instant;

/// The time until the next attempt if the system has no descriptor for a connection and none can be freed.
pub(crate) const PAUSE: Duration = Duration::from_millis(50);

/// How long a trouble has to be absent before it is logged again.
pub(crate) const QUIET: Duration = Duration::from_secs(60);

/// A listener. Implement it for one that wraps connections, in TLS for example.
pub trait Accept: Send + 'static {
    /// A connection.
    type Io: AsyncRead + AsyncWrite + Unpin + Send + 'static;

    /// The address of a client. That of a poller is known if this is a [`SocketAddr`](std::net::SocketAddr) or an
    /// [`IpAddr`](std::net::IpAddr).
    type Address: Any + Send;

    /// Waits for the next connection. The server drops the future when it stops, possibly before it is ready. A
    /// connection that the future has taken from the system is lost then, so let it take one only when it returns that,
    /// like [`TcpListener::accept`].
    ///
    /// A handshake, such as that of TLS, delays all other connections here, and the stop can lose its connection. Let
    /// [`Io`](Self::Io) begin it when it is read first, or accept in a task of your own that hands over connections
    /// whose handshake is complete.
    ///
    /// # Errors
    ///
    /// The connection cannot be accepted. The server logs the error and tries again.
    fn accept(&mut self) -> impl Future<Output = io::Result<(Self::Io, Self::Address)>> + Send;

    /// Makes the system refuse new connections, if it can, and keep those that it has accepted. The server calls this when
    /// it stops, then goes on to [accept](Self::accept) for a while, and [closes](Self::close) the listener last. A
    /// listener that wraps a [`TcpListener`] calls its `refuse`, which is
    /// [`refuse_connections`](crate::refuse_connections). Default: does nothing.
    fn refuse(&self) {}

    /// Closes the listener. Returns the connections that the system has accepted for it: it resets those that are left,
    /// although their clients may have sent a request. A listener that wraps a [`TcpListener`] calls its `close`.
    /// Default: returns none.
    fn close(self) -> Vec<(Self::Io, Self::Address)>
    where
        Self: Sized,
    {
        Vec::new()
    }
}

/// The number of connections that [`Accept::close`] returns at most, in case clients connect faster than it accepts.
const MOST_AT_CLOSE: usize = 65_536;

impl Accept for TcpListener {
    type Io = TcpStream;
    type Address = SocketAddr;

    async fn accept(&mut self) -> io::Result<(TcpStream, SocketAddr)> {
        Self::accept(self).await
    }

    // Without it, the kernel can accept a connection between the last `accept` of `close` and the end of the listener.
    #[cfg(unix)]
    fn refuse(&self) {
        // Nothing is lost by an error but that.
        let _ = health_core::refuse_connections(self);
    }

    // The future of `accept` can be pending although a connection waits, until tokio has looked for events.
    fn close(self) -> Vec<(TcpStream, SocketAddr)> {
        let Ok(listener) = self.into_std() else {
            return Vec::new();
        };
        let accepted = all(|| listener.accept());
        // Before anything else, so that no other connection arrives.
        drop(listener);
        let streams = accepted.into_iter().filter_map(|(stream, address)| {
            stream.set_nonblocking(true).ok()?;
            Some((TcpStream::from_std(stream).ok()?, address))
        });
        streams.collect()
    }
}

#[cfg(unix)]
impl Accept for UnixListener {
    type Io = UnixStream;
    type Address = unix::SocketAddr;

    async fn accept(&mut self) -> io::Result<(UnixStream, unix::SocketAddr)> {
        Self::accept(self).await
    }

    fn close(self) -> Vec<(UnixStream, unix::SocketAddr)> {
        let Ok(listener) = self.into_std() else {
            return Vec::new();
        };
        let accepted = all(|| listener.accept());
        drop(listener);
        let streams = accepted.into_iter().filter_map(|(stream, _)| {
            stream.set_nonblocking(true).ok()?;
            let stream = UnixStream::from_std(stream).ok()?;
            let address = stream.peer_addr().ok()?;
            Some((stream, address))
        });
        streams.collect()
    }
}

/// What `accept` returns until it would have to wait, without the errors of one connection.
fn all<T>(mut accept: impl FnMut() -> io::Result<T>) -> Vec<T> {
    let accepted = iter::from_fn(|| {
        loop {
            match accept() {
                Err(error) if is_of_one_connection(&error) => {}
                accepted => return accepted.ok(),
            }
        }
    });
    accepted.take(MOST_AT_CLOSE).collect()
}

/// The address of a client, without the port.
pub(crate) fn ip(address: &dyn Any) -> Option<IpAddr> {
    let socket = address.downcast_ref().map(SocketAddr::ip);
    socket.or_else(|| address.downcast_ref().copied())
}

/// Whether the client closed the connection before it was accepted: the next one can be accepted at once.
pub(crate) fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};

    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

/// A trouble that is logged when it begins, and not again before it was absent for a while.
#[derive(Default)]
pub(crate) struct Episode {
    last: Option<Instant>,
}

impl Episode {
    /// Notes that there is trouble. Returns whether it begins.
    pub(crate) fn begins(&mut self) -> bool {
        let now = Instant::now();
        let last = self.last.replace(now);
        last.is_none_or(|last| now - last >= QUIET)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::io::{self, ErrorKind};

    use super::all;

    #[test]
    fn a_client_that_is_gone_does_not_keep_the_others_from_being_accepted_at_the_close() {
        let gone = || Err(ErrorKind::ConnectionAborted.into());
        let mut script = VecDeque::from([Ok(1), gone(), gone(), Ok(2)]);
        let wait = || io::Error::from(ErrorKind::WouldBlock);
        assert_eq!(all(|| script.pop_front().unwrap_or_else(|| Err(wait()))), [1, 2]);
    }
}

//! Listeners that serve only health endpoints, each on its own thread.

mod accept;
mod agent;
mod connections;
mod http;
mod progress;
mod tcp;
#[cfg(unix)]
mod unix;

use std::fmt;
use std::future::{Future, poll_fn};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::sync::mpsc;
use std::thread;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::runtime::{Builder, Handle};

use self::accept::accept;
pub use self::agent::agent_check;
pub use self::http::listen;
use self::progress::Progress;
#[cfg(unix)]
pub use self::unix::{listen_control, listen_unix};
use crate::accept::Accept;

/// A listener that responds until the process ends. Dropping this value does not stop it.
#[derive(Debug, Clone)]
pub struct Listener {
    address: SocketAddr,
}

impl Listener {
    /// The address it listens on. If port 0 was requested, this has the port that the system assigned.
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }
}

/// The byte stream of one connection.
trait Stream: AsyncRead + AsyncWrite + Unpin + Send + 'static {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send + 'static> Stream for S {}

/// The protocol that a listener speaks.
trait Protocol: Send + 'static {
    /// Serves one connection to its end, and keeps `progress` up to date: the time limits depend on it. `client` is the
    /// address of the client, if it has one.
    fn serve(
        &self,
        stream: impl Stream,
        client: Option<IpAddr>,
        progress: Progress,
    ) -> impl Future<Output = ()> + Send + 'static;
}

/// Starts a thread that binds with `bind` and then accepts connections until the process ends. Returns the address once
/// it is bound. Errors and log records call the listener `kind`.
///
/// The thread is detached: neither the application nor the end of the process waits for it.
fn spawn<A, T>(
    kind: &'static str,
    bind: impl AsyncFnOnce() -> io::Result<(A, T)> + Send + 'static,
    protocol: impl Protocol,
) -> io::Result<T>
where
    A: Accept,
    T: fmt::Display + Send + 'static,
{
    let (bound, is_bound) = mpsc::channel();
    let has_runtime = Context::current().0.is_some();
    let serve = move || {
        // Otherwise requests are served in the context of the application's runtime.
        if !has_runtime {
            health_core::this_thread_serves_only_health();
        }
        let runtime = match Builder::new_current_thread().enable_all().build() {
            Ok(runtime) => runtime,
            Err(error) => {
                let failed = format!("cannot start the runtime of the {kind}");
                return bound.send(Err(explained(error, failed)));
            }
        };
        let (mut acceptor, address) = match runtime.block_on(bind()) {
            Ok(bound) => bound,
            Err(error) => return bound.send(Err(error)),
        };
        let name = format!("{kind} on {address}");
        bound.send(Ok(address))?;
        runtime.block_on(accept(&name, &mut acceptor, &protocol));
        Ok(())
    };
    let thread = thread::Builder::new().name("health-listener".to_owned());
    thread
        .spawn(serve)
        .map_err(|error| explained(error, format_args!("cannot start the thread of the {kind}")))?;
    is_bound.recv().unwrap_or_else(|_| {
        let error = format!("the thread of the {kind} has ended");
        Err(io::Error::other(error))
    })
}

/// `error` with what failed in front of its text. The kind stays.
fn explained(error: io::Error, failed: impl fmt::Display) -> io::Error {
    io::Error::new(error.kind(), format!("{failed}: {error}"))
}

/// How many bytes [`close`] reads at most: a request that was rejected for its size has no more than this unread.
const UNREAD: u64 = 64 * 1024;

/// Closes the sending side, and reads until the client closes too. A connection that is closed with unread input is
/// reset, and the reset can overtake the response.
async fn close(mut stream: impl Stream) {
    // An error means that the client has closed the connection.
    if stream.shutdown().await.is_ok() {
        let mut unread = stream.take(UNREAD);
        let _ = tokio::io::copy(&mut unread, &mut tokio::io::sink()).await;
    }
}

/// The tokio runtime in which a listener was started, if any. Checks requested through the listener run in it, as they
/// would if they were requested through the application.
#[derive(Clone)]
struct Context(Option<Handle>);

impl Context {
    fn current() -> Self {
        Self(Handle::try_current().ok())
    }

    /// Polls `future` in this context.
    async fn within<F: Future>(self, future: F) -> F::Output {
        let mut future = pin!(future);
        poll_fn(|context| {
            let _inside = self.0.as_ref().map(Handle::enter);
            future.as_mut().poll(context)
        })
        .await
    }
}

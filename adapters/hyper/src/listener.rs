//! Listeners of the endpoint's own, on threads of their own.

mod accept;
mod agent;
mod http;
#[cfg(unix)]
mod unix;

use std::future::{Future, poll_fn};
use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::pin::pin;
use std::sync::mpsc;
use std::thread;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::runtime::{Builder, Handle};

use self::accept::{Accept, accept};
pub use self::agent::agent_check;
pub use self::http::listen;
#[cfg(unix)]
pub use self::unix::listen_unix;

/// A listener that answers until the process ends, whatever becomes of this.
#[derive(Debug, Clone)]
pub struct Listener {
    address: SocketAddr,
}

impl Listener {
    /// The address that it listens on: with the port that was found, where it was asked for port 0.
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }
}

/// What a connection is read from and written to.
trait Stream: AsyncRead + AsyncWrite + Unpin + Send + 'static {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send + 'static> Stream for S {}

/// Answers on one connection until that ends.
trait Answerer: Send + 'static {
    fn answer(&self, stream: impl Stream) -> impl Future<Output = ()> + Send + 'static;
}

fn open_tcp(address: impl ToSocketAddrs, answerer: impl Answerer) -> io::Result<Listener> {
    let socket = std::net::TcpListener::bind(address)?;
    socket.set_nonblocking(true)?;
    let address = socket.local_addr()?;
    open(|| tokio::net::TcpListener::from_std(socket), answerer)?;
    Ok(Listener { address })
}

/// Accepts on a thread of its own until the process ends; nobody waits for that thread.
fn open<A: Accept>(
    acceptor: impl FnOnce() -> io::Result<A> + Send + 'static,
    answerer: impl Answerer,
) -> io::Result<()> {
    let (tell, told) = mpsc::channel();
    let serve = move || {
        let runtime = match Builder::new_current_thread().enable_all().build() {
            Ok(runtime) => runtime,
            Err(error) => return tell.send(Err(error)),
        };
        let inside = runtime.enter();
        let acceptor = match acceptor() {
            Ok(acceptor) => acceptor,
            Err(error) => return tell.send(Err(error)),
        };
        drop(inside);
        tell.send(Ok(()))?;
        runtime.block_on(accept(&acceptor, &answerer));
        Ok(())
    };
    let thread = thread::Builder::new().name("health-listener".to_owned());
    thread.spawn(serve)?;
    told.recv().map_err(io::Error::other)?
}

/// The runtime that checks are to find: that of whoever opens the listener, as if they had been asked for by way of
/// the application.
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

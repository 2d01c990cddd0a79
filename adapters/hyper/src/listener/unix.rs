//! The endpoints on a Unix domain socket.

use std::convert::Infallible;
use std::fs;
use std::future::{Ready, ready};
use std::io;
use std::os::unix::fs::FileTypeExt as _;
use std::os::unix::net::UnixListener;
use std::path::Path;

use health_core::{Endpoints, Health};
use hyper::header::{self, HeaderValue};
use hyper::service::Service;
use hyper::{Method, Request, Response, StatusCode};
use tokio::net::UnixStream;

use super::http::{Http, NotFound, Other, empty};
use super::{Protocol, explained, spawn};

/// Like [`listen`](crate::listen), on a Unix domain socket.
///
/// A socket that an earlier process left behind is replaced: a listener lasts until its process ends, so each process
/// leaves one. The permissions of the directory determine which users can connect.
///
/// # Errors
///
/// The error names the path.
///
/// - Another process listens on the socket, which it may be too busy to accept from; kind
///   [`AddrInUse`](io::ErrorKind::AddrInUse).
/// - The path is a file of another kind; kind `AddrInUse`, too.
/// - The path cannot be bound: its directory does not exist, for example, or it has more than about 100 bytes.
/// - The system cannot start a thread.
pub fn listen_unix(path: impl AsRef<Path>, endpoints: impl Into<Endpoints>) -> io::Result<()> {
    listen(path.as_ref(), "health listener", Http::new(endpoints, NotFound))
}

/// Like [`listen_unix`], with all endpoints of `health`, and with the command `POST /drain`, which begins a
/// [drain](Health::drain). A `preStop` hook or an operator sends it:
///
/// ```sh
/// curl --unix-socket /run/shop/control.sock -X POST http://localhost/drain
/// ```
///
/// The response is 202 with the body `DRAINING`, also if the drain has begun before. Every user who can connect can
/// stop the application, so let the directory of the socket belong to the application's user, with the mode 0700. There
/// is no such command on a TCP address.
///
/// # Errors
///
/// Those of [`listen_unix`], and an endpoint that has the path `/drain`; kind
/// [`InvalidInput`](io::ErrorKind::InvalidInput).
pub fn listen_control(path: impl AsRef<Path>, health: &Health) -> io::Result<()> {
    if health.at(DRAIN).is_some() {
        let taken = format!(
            "an endpoint has the path {DRAIN}, which is that of the command: give the endpoint another path"
        );
        return Err(io::Error::new(io::ErrorKind::InvalidInput, taken));
    }
    listen(path.as_ref(), "control listener", Http::new(health, Commands(health.clone())))
}

/// The path of the command.
const DRAIN: &str = "/drain";

/// Executes the commands.
#[derive(Clone)]
struct Commands(Health);

impl Other for Commands {}

impl<B> Service<Request<B>> for Commands {
    type Response = Response<String>;
    type Error = Infallible;
    type Future = Ready<Result<Response<String>, Infallible>>;

    fn call(&self, request: Request<B>) -> Self::Future {
        let response = match (request.uri().path(), request.method()) {
            (DRAIN, &Method::POST) => {
                self.0.drain();
                let mut response = empty(StatusCode::ACCEPTED);
                *response.body_mut() = "DRAINING".to_owned();
                response
            }
            (DRAIN, _) => {
                let mut response = empty(StatusCode::METHOD_NOT_ALLOWED);
                response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("POST"));
                response
            }
            _ => empty(StatusCode::NOT_FOUND),
        };
        ready(Ok(response))
    }
}

/// Listens on `path`. Errors and log records call the listener `kind`.
fn listen(path: &Path, kind: &'static str, protocol: impl Protocol) -> io::Result<()> {
    let path = path.to_owned();
    let bind = async move || {
        let name = path.display().to_string();
        let socket = bind(&path)
            .await
            .map_err(|error| explained(error, format_args!("cannot listen on {name}")))?;
        socket.set_nonblocking(true)?;
        Ok((tokio::net::UnixListener::from_std(socket)?, name))
    };
    spawn(kind, bind, protocol)?;
    Ok(())
}

/// Binds `path`, also if an earlier process left its socket there.
async fn bind(path: &Path) -> io::Result<UnixListener> {
    match UnixListener::bind(path) {
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
            let in_use = |reason| io::Error::new(error.kind(), reason);
            if !fs::symlink_metadata(path)?.file_type().is_socket() {
                return Err(in_use("the file is not a socket"));
            }
            if has_listener(path).await {
                return Err(in_use("another process listens on it"));
            }
            fs::remove_file(path)?;
            UnixListener::bind(path)
        }
        bound => bound,
    }
}

/// Whether a process listens on the socket. Does not wait: tokio connects without blocking, so that a listener whose
/// queue is full is an error at once, of another kind than a socket that was left behind.
async fn has_listener(path: &Path) -> bool {
    match UnixStream::connect(path).await {
        Ok(_) => true,
        Err(error) => error.kind() != io::ErrorKind::ConnectionRefused,
    }
}

//! The endpoints on a Unix domain socket.

use std::fs;
use std::io;
use std::os::unix::fs::FileTypeExt as _;
use std::os::unix::net::UnixListener;
use std::path::Path;

use health_core::Endpoints;
use tokio::net::UnixStream;

use super::http::Http;
use super::{explained, spawn};

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
    let path = path.as_ref().to_owned();
    let bind = async move || {
        let name = path.display().to_string();
        let socket = bind(&path)
            .await
            .map_err(|error| explained(error, format_args!("cannot listen on {name}")))?;
        socket.set_nonblocking(true)?;
        Ok((tokio::net::UnixListener::from_std(socket)?, name))
    };
    spawn("health listener", bind, Http::new(endpoints))?;
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

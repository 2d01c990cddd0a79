//! The endpoint on a Unix domain socket.

use std::fs;
use std::io;
use std::os::unix::fs::FileTypeExt as _;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;

use health_core::Health;

use super::http::Http;
use super::spawn;

/// As [`listen`](crate::listen), on a Unix domain socket.
///
/// A socket that a process which has ended left behind is replaced: as the listener ends with the process, each
/// leaves its own. Who may connect is for the directory to say.
///
/// # Errors
///
/// The path cannot be bound, as when somebody listens there or it is another kind of file, or the system has no
/// thread to give.
pub fn listen_unix(path: impl AsRef<Path>, health: Health) -> io::Result<()> {
    let path = path.as_ref().to_owned();
    let bind = async move || {
        let socket = bind(&path)?;
        socket.set_nonblocking(true)?;
        let listener = tokio::net::UnixListener::from_std(socket)?;
        Ok((listener, path.display().to_string()))
    };
    spawn("health listener", bind, Http::new(health))?;
    Ok(())
}

/// Binds, also where a process that has ended left its socket behind.
fn bind(path: &Path) -> io::Result<UnixListener> {
    match UnixListener::bind(path) {
        Err(error) if error.kind() == io::ErrorKind::AddrInUse && is_left_behind(path)? => {
            fs::remove_file(path)?;
            UnixListener::bind(path)
        }
        bound => bound,
    }
}

/// Whether it is a socket, and nobody listens.
fn is_left_behind(path: &Path) -> io::Result<bool> {
    if !fs::symlink_metadata(path)?.file_type().is_socket() {
        return Ok(false);
    }
    let refused = UnixStream::connect(path).err();
    Ok(refused.is_some_and(|error| error.kind() == io::ErrorKind::ConnectionRefused))
}

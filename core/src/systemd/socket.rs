//! The socket of `NOTIFY_SOCKET`.

use std::ffi::OsStr;
use std::fmt;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::net::{SocketAddr, UnixDatagram};

use super::SystemdError;
use crate::text::cut;

/// What `NOTIFY_SOCKET` may be.
const ACCEPTED: &str = "it must be an absolute path or, on Linux, an abstract name that starts with \"@\", of at most 107 \
     bytes";

/// Sends to the socket of systemd. It is not connected, so that a socket which systemd creates again is found.
pub(super) struct NotifySocket {
    socket: UnixDatagram,
    address: SocketAddr,
}

impl NotifySocket {
    /// Does not look whether the socket exists.
    pub(super) fn at(address: &OsStr) -> Result<Self, SystemdError> {
        let address = parse(address).ok_or_else(|| SystemdError::Address {
            value: cut(address.to_string_lossy()),
            rule: ACCEPTED,
        })?;
        let socket = UnixDatagram::unbound().and_then(|socket| {
            socket.set_nonblocking(true)?;
            Ok(socket)
        });
        let socket = socket.map_err(|error| SystemdError::Socket { error: error.to_string() })?;
        Ok(Self { socket, address })
    }

    /// Sends one message. Never blocks: a full socket is an error.
    pub(super) fn send(&self, message: &str) -> io::Result<()> {
        self.socket.send_to_addr(message.as_bytes(), &self.address).map(drop)
    }
}

impl fmt::Debug for NotifySocket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.address.fmt(f)
    }
}

/// `None` if it is no address that systemd uses.
fn parse(address: &OsStr) -> Option<SocketAddr> {
    match address.as_bytes() {
        [b'/', _, ..] => SocketAddr::from_pathname(address).ok(),
        [b'@', name @ ..] if !name.is_empty() => abstract_address(name),
        _ => None,
    }
}

#[cfg(any(target_os = "linux", target_os = "android"))]
fn abstract_address(name: &[u8]) -> Option<SocketAddr> {
    #[cfg(target_os = "android")]
    use std::os::android::net::SocketAddrExt as _;
    #[cfg(target_os = "linux")]
    use std::os::linux::net::SocketAddrExt as _;

    SocketAddr::from_abstract_name(name).ok()
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn abstract_address(_: &[u8]) -> Option<SocketAddr> {
    None
}

#[cfg(test)]
mod tests {
    use super::NotifySocket;

    #[test]
    fn what_is_no_address_is_refused_with_what_is_accepted() {
        let long = format!("/{}", "x".repeat(108));
        let long_name = format!("@{}", "x".repeat(108));
        for value in ["run/notify", "/", "@", "vsock:2:9999", "-", &long, &long_name] {
            let refused = NotifySocket::at(value.as_ref()).unwrap_err().to_string();
            assert!(refused.starts_with(&format!("NOTIFY_SOCKET is {value:?}: ")), "{refused}");
            assert!(refused.contains("an absolute path or, on Linux, an abstract name"));
        }
    }

    #[test]
    fn a_socket_that_does_not_exist_is_an_error_only_when_a_message_is_sent() {
        let directory = tempfile::tempdir().unwrap();
        let socket = NotifySocket::at(directory.path().join("notify").as_os_str()).unwrap();
        assert_eq!(socket.send("READY=1").unwrap_err().kind(), std::io::ErrorKind::NotFound);
    }
}

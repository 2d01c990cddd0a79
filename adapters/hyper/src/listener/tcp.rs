//! Listeners on a TCP address.

use std::io;
use std::net::{SocketAddr, ToSocketAddrs};

use tokio::net::{TcpListener, TcpSocket};

use super::{Listener, Protocol, spawn};

/// How many connections the system keeps until they are accepted. With the 128 of the standard library the queue can
/// overflow when many clients connect at once; the others then retry after a second.
const BACKLOG: u32 = 1024;

/// Listens on `address`. Log records call the listener `kind`.
pub(super) fn listen(
    kind: &'static str,
    address: impl ToSocketAddrs,
    protocol: impl Protocol,
) -> io::Result<Listener> {
    let addresses: Vec<_> = address.to_socket_addrs()?.collect();
    let address = spawn(kind, async move || bind(&addresses), protocol)?;
    Ok(Listener { address })
}

/// Listens on the first address that can be bound.
fn bind(addresses: &[SocketAddr]) -> io::Result<(TcpListener, SocketAddr)> {
    let mut failed = io::ErrorKind::InvalidInput.into();
    for address in addresses {
        match bind_one(*address) {
            Ok(listener) => return Ok(listener),
            Err(error) => failed = error,
        }
    }
    Err(failed)
}

fn bind_one(address: SocketAddr) -> io::Result<(TcpListener, SocketAddr)> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    // As the standard library does. On Windows the option means another thing.
    #[cfg(not(windows))]
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    let listener = socket.listen(BACKLOG)?;
    let address = listener.local_addr()?;
    Ok((listener, address))
}

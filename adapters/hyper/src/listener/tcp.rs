//! Listeners on a TCP address.

use std::io;
use std::net::{SocketAddr, ToSocketAddrs};

use tokio::net::{TcpListener, TcpSocket};

use super::{Listener, Protocol, explained, spawn};

/// How many connections the system keeps until they are accepted. With the 128 of the standard library the queue can
/// overflow when many clients connect at once; the others then retry after a second.
const BACKLOG: u32 = 1024;

/// Listens on `address`. Errors and log records call the listener `kind`.
pub(super) fn listen(
    kind: &'static str,
    address: impl ToSocketAddrs,
    protocol: impl Protocol,
) -> io::Result<Listener> {
    let addresses = resolve(kind, address)?;
    let address = spawn(kind, async move || bind(kind, &addresses), protocol)?;
    Ok(Listener { address })
}

fn resolve(kind: &str, address: impl ToSocketAddrs) -> io::Result<Vec<SocketAddr>> {
    let addresses = address.to_socket_addrs().map_err(|error| {
        let failed = format!("cannot resolve the address of the {kind}");
        explained(error, failed)
    })?;
    Ok(addresses.collect())
}

/// Listens on the first address that can be bound.
fn bind(kind: &str, addresses: &[SocketAddr]) -> io::Result<(TcpListener, SocketAddr)> {
    let mut failed = None;
    for address in addresses {
        match bind_one(*address) {
            Ok(listener) => return Ok(listener),
            Err(error) => failed = Some(error),
        }
    }
    let Some(error) = failed else {
        let error = format!("the {kind} has no address to listen on");
        return Err(io::Error::new(io::ErrorKind::InvalidInput, error));
    };
    let addresses: Vec<_> = addresses.iter().map(SocketAddr::to_string).collect();
    let addresses = addresses.join(" or ");
    Err(explained(error, format_args!("cannot listen on {addresses}")))
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

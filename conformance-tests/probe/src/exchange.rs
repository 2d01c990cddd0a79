//! One request and its response, over a new connection.

use std::fmt;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs as _};
use std::path::Path;
use std::sync::mpsc::Sender;
use std::time::{Duration, Instant};

use crate::probe::Probe;
use crate::response::Response;
use crate::url::{Host, Url};

/// What the thread of the exchange reports to the main thread.
pub(crate) enum Progress {
    Reached(Stage),
    Done(Result<Response, String>),
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Stage {
    Resolving,
    Connecting,
    Waiting,
    Reading,
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Resolving => "during the name lookup",
            Self::Connecting => "while connecting",
            Self::Waiting => "while waiting for the response",
            Self::Reading => "while reading the response",
        })
    }
}

/// A shorter limit may count as none.
const SHORTEST_LIMIT: Duration = Duration::from_millis(1);

trait Connection: Read + Write {
    /// Limits the next read or write.
    fn limit(&self, limit: Duration) -> io::Result<()>;
}

impl Connection for TcpStream {
    fn limit(&self, limit: Duration) -> io::Result<()> {
        self.set_read_timeout(Some(limit))?;
        self.set_write_timeout(Some(limit))
    }
}

#[cfg(unix)]
impl Connection for std::os::unix::net::UnixStream {
    fn limit(&self, limit: Duration) -> io::Result<()> {
        self.set_read_timeout(Some(limit))?;
        self.set_write_timeout(Some(limit))
    }
}

/// Sends the request and returns the response. A name lookup or the connection to a Unix socket may take longer than
/// the deadline.
///
/// # Errors
///
/// A sentence for the user.
pub(crate) fn run(
    probe: &Probe,
    deadline: Instant,
    progress: &Sender<Progress>,
) -> Result<Response, String> {
    // After the timeout there is no receiver.
    let reached = |stage| progress.send(Progress::Reached(stage)).unwrap_or_default();
    let mut connection = match &probe.socket {
        Some(path) => {
            reached(Stage::Connecting);
            connect_unix(path).map_err(|error| format!("{path:?}: {error}"))?
        }
        None => {
            let addresses = resolve(&probe.url)?;
            reached(Stage::Connecting);
            connect(&addresses, deadline)?
        }
    };
    reached(Stage::Waiting);
    // So this thread ends soon after the deadline. Some systems refuse a limit once the server has closed; then nothing
    // blocks.
    let limit = |connection: &dyn Connection| {
        let left = deadline.saturating_duration_since(Instant::now());
        let _ = connection.limit(left.max(SHORTEST_LIMIT));
    };
    limit(&*connection);
    let sent = connection.write_all(request(&probe.url).as_bytes());

    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        limit(&*connection);
        let received = match connection.read(&mut buffer) {
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            received => received,
        };
        match &received {
            Ok(0) => {}
            Ok(count) => {
                reached(Stage::Reading);
                bytes.extend(buffer.iter().take(*count));
            }
            Err(error) => return Err(format!("the connection failed: {error}")),
        }
        let is_end = matches!(received, Ok(0));
        match Response::read(&bytes, is_end) {
            Ok(Some(response)) => return Ok(response),
            Ok(None) => {}
            // A server may respond and close before it has read the request: the response counts.
            Err(malformed) => {
                return Err(match sent {
                    Err(error) if bytes.is_empty() => format!("the connection failed: {error}"),
                    _ => malformed.to_string(),
                });
            }
        }
    }
}

fn request(url: &Url) -> String {
    format!(
        "GET {} HTTP/1.1\r\nHost: {url}\r\nUser-Agent: health-probe/{}\r\nAccept: */*\r\nConnection: close\r\n\r\n",
        url.target,
        env!("CARGO_PKG_VERSION"),
    )
}

fn resolve(url: &Url) -> Result<Vec<SocketAddr>, String> {
    match &url.host {
        Host::Address(address) => Ok(vec![SocketAddr::new(*address, url.port)]),
        Host::Name(name) => match (name.as_str(), url.port).to_socket_addrs() {
            Ok(addresses) => Ok(addresses.collect()),
            Err(error) => Err(format!("{name}: {error}")),
        },
    }
}

/// Tries one address after the other. Each may take its share of the time, so that one that never responds
/// leaves some for the others.
fn connect(addresses: &[SocketAddr], deadline: Instant) -> Result<Box<dyn Connection>, String> {
    let mut failures = Vec::new();
    for (untried, address) in (1..=addresses.len()).rev().zip(addresses) {
        let left = deadline.saturating_duration_since(Instant::now());
        let share = left / u32::try_from(untried).unwrap_or(u32::MAX);
        match TcpStream::connect_timeout(address, share.max(SHORTEST_LIMIT)) {
            Ok(stream) => return Ok(Box::new(stream)),
            Err(error) => failures.push(format!("{address}: {error}")),
        }
    }
    if failures.is_empty() {
        Err("the host name has no address".to_owned())
    } else {
        Err(failures.join("; "))
    }
}

#[cfg(unix)]
fn connect_unix(path: &Path) -> io::Result<Box<dyn Connection>> {
    Ok(Box::new(std::os::unix::net::UnixStream::connect(path)?))
}

#[cfg(not(unix))]
fn connect_unix(_: &Path) -> io::Result<Box<dyn Connection>> {
    Err(ErrorKind::Unsupported.into())
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, TcpListener};

    use super::*;

    #[test]
    fn an_address_that_refuses_is_passed_over_and_named_when_all_do() {
        let listen = || TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let (first, second) = (listen(), listen());
        let addresses = [first.local_addr().unwrap(), second.local_addr().unwrap()];
        let deadline = Instant::now() + Duration::from_secs(60);
        drop(first);
        assert!(connect(&addresses, deadline).is_ok());
        drop(second);
        let failure = connect(&addresses, deadline).err().unwrap();
        for address in addresses {
            assert!(failure.contains(&address.to_string()), "{failure}");
        }
    }
}

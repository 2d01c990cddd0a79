//! A deliberately plain HTTP/1.1 client: what it sends is what the scenario says, to the byte.

use std::fmt;
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

/// More than any answer of a health endpoint or a framework's error page.
const ANSWER_LIMIT: usize = 1 << 20;

/// A request, complete as bytes. It asks the server to close the connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Request {
    /// Whether the answer to it must have no body.
    pub(crate) is_head: bool,
    /// What is sent.
    pub(crate) bytes: Vec<u8>,
}

impl fmt::Display for Request {
    /// Shows the bytes, escaped, without the bulk of a long request.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN: usize = 300;
        let shown = &self.bytes[..self.bytes.len().min(SHOWN)];
        write!(f, "{}", shown.escape_ascii())?;
        match self.bytes.len() - shown.len() {
            0 => Ok(()),
            more => write!(f, "… and {more} bytes more"),
        }
    }
}

/// An answer, as it came over the wire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Response {
    /// The status code.
    pub(crate) status: u16,
    /// The reason phrase; empty when there is none.
    pub(crate) reason: String,
    /// Names in lower case, and values, in order.
    pub(crate) headers: Vec<(String, String)>,
    /// Everything after the head, until the server closed the connection.
    pub(crate) body: Vec<u8>,
}

impl Response {
    /// Every value of a header. `name` is in lower case.
    pub(crate) fn header(&self, name: &str) -> Vec<&str> {
        let named = self.headers.iter().filter(|(header, _)| header == name);
        named.map(|(_, value)| value.as_str()).collect()
    }

    /// Reads a whole answer. `None` when it is no HTTP/1 answer, or not all of one.
    fn parse(bytes: &[u8]) -> Option<Self> {
        let end = bytes.windows(4).position(|window| window == b"\r\n\r\n")?;
        let head = String::from_utf8_lossy(&bytes[..end]);
        let mut lines = head.split("\r\n");

        let mut status_line = lines.next()?.splitn(3, ' ');
        let version = status_line.next()?;
        let status = status_line.next().filter(|code| code.len() == 3)?;
        let headers = lines
            .map(|line| {
                let (name, value) = line.split_once(':')?;
                Some((name.to_ascii_lowercase(), value.trim().to_owned()))
            })
            .collect::<Option<_>>()?;
        matches!(version, "HTTP/1.0" | "HTTP/1.1").then_some(Self {
            status: status.parse().ok()?,
            reason: status_line.next().unwrap_or_default().to_owned(),
            headers,
            body: bytes[end + 4..].to_vec(),
        })
    }

    fn is_complete(&self) -> bool {
        let lengths = self.header("content-length");
        lengths == [self.body.len().to_string()]
    }
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum ExchangeError {
    /// Nobody accepts connections at the address.
    #[error("no connection to {0}: {1}")]
    Connect(SocketAddr, std::io::Error),
    /// The server ended the connection in the middle.
    #[error("connection failed ({error}) after {} bytes: {}", got.len(), got.escape_ascii())]
    Broken {
        /// What the socket said.
        error: std::io::Error,
        /// What had come.
        got: Vec<u8>,
    },
    /// The server did not close the connection in time, although it was asked to.
    #[error("connection still open after {} ms and {} bytes: {}", limit.as_millis(), got.len(), got.escape_ascii())]
    StillOpen {
        /// How long was waited.
        limit: Duration,
        /// What had come.
        got: Vec<u8>,
    },
    /// What came is not one whole HTTP/1 answer.
    #[error("not an HTTP/1 answer, {} bytes: {}", .0.len(), .0.escape_ascii())]
    NotHttp(Vec<u8>),
    /// More came than any answer can be.
    #[error("over {ANSWER_LIMIT} bytes of answer")]
    Endless,
}

/// Sends `request` on a connection of its own, and reads until the server closes it.
///
/// The sending side stays open until then: some servers give up on a client that has closed it.
///
/// # Errors
///
/// No complete answer within `limit`.
pub(crate) fn exchange(
    address: SocketAddr,
    request: &Request,
    limit: Duration,
) -> Result<Response, ExchangeError> {
    let start = Instant::now();
    let mut stream = TcpStream::connect_timeout(&address, limit)
        .map_err(|error| ExchangeError::Connect(address, error))?;
    let mut got = Vec::new();

    // A server may answer and close before it has read the whole request: the answer decides.
    let sent = stream
        .set_write_timeout(Some(limit))
        .and_then(|()| stream.write_all(&request.bytes));

    let mut buffer = [0; 8192];
    loop {
        let left = limit.saturating_sub(start.elapsed());
        if left.is_zero() {
            return Err(ExchangeError::StillOpen { limit, got });
        }
        let read = stream
            .set_read_timeout(Some(left))
            .and_then(|()| stream.read(&mut buffer));
        match read {
            Ok(0) => break,
            Ok(_) if got.len() > ANSWER_LIMIT => return Err(ExchangeError::Endless),
            Ok(count) => got.extend_from_slice(&buffer[..count]),
            Err(error) => match error.kind() {
                ErrorKind::Interrupted | ErrorKind::WouldBlock | ErrorKind::TimedOut => {}
                // Bytes of the request that the server never read make the close a reset.
                _ if Response::parse(&got).is_some_and(|answer| answer.is_complete()) => break,
                _ => return Err(ExchangeError::Broken { error, got }),
            },
        }
    }
    match (Response::parse(&got), sent) {
        (Some(answer), _) => Ok(answer),
        (None, Err(error)) => Err(ExchangeError::Broken { error, got }),
        (None, Ok(())) => Err(ExchangeError::NotHttp(got)),
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::{Ipv4Addr, TcpListener};
    use std::thread;
    use std::time::Duration;

    use super::{ExchangeError, Request, Response, exchange};

    fn answer_with(bytes: &'static [u8]) -> Result<Response, ExchangeError> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let request = Request {
            is_head: false,
            bytes: b"GET /health HTTP/1.1\r\n\r\n".to_vec(),
        };
        let length = request.bytes.len();
        thread::scope(|scope| {
            scope.spawn(move || {
                let (mut stream, _) = listener.accept().unwrap();
                stream.read_exact(&mut vec![0; length]).unwrap();
                stream.write_all(bytes).unwrap();
            });
            exchange(address, &request, Duration::from_secs(5))
        })
    }

    #[test]
    fn an_answer_is_read_to_its_end() {
        let answer =
            answer_with(b"HTTP/1.1 299 IN MAINTENANCE\r\nA: 1\r\na:  2\r\n\r\nbody").unwrap();
        assert_eq!((answer.status, &*answer.reason), (299, "IN MAINTENANCE"));
        assert_eq!(answer.header("a"), ["1", "2"]);
        assert_eq!(answer.body, b"body");
    }

    #[test]
    fn a_missing_reason_is_empty() {
        assert_eq!(answer_with(b"HTTP/1.0 200\r\n\r\n").unwrap().reason, "");
    }

    #[test]
    fn anything_but_a_whole_http_answer_is_an_error() {
        for bytes in [
            b"".as_slice(),
            b"HTTP/1.1 200 OK\r\nA: 1\r\n",
            b"HTTP/2 200\r\n\r\n",
            b"HTTP/1.1 abc OK\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
            b"OK",
        ] {
            let result = answer_with(bytes);
            assert!(
                matches!(result, Err(ExchangeError::NotHttp(_))),
                "{result:?}"
            );
        }
    }

    #[test]
    fn a_server_that_nobody_runs_is_an_error() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        drop(listener);
        let request = Request {
            is_head: false,
            bytes: Vec::new(),
        };
        let result = exchange(address, &request, Duration::from_secs(5));
        assert!(
            matches!(result, Err(ExchangeError::Connect(..))),
            "{result:?}"
        );
    }

    #[test]
    fn a_server_that_neither_answers_nor_closes_is_given_up() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let request = Request {
            is_head: false,
            bytes: b"GET".to_vec(),
        };
        let address = listener.local_addr().unwrap();
        let result = exchange(address, &request, Duration::from_millis(1));
        assert!(
            matches!(result, Err(ExchangeError::StillOpen { .. })),
            "{result:?}"
        );
    }
}

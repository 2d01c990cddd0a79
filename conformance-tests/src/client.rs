//! A simple HTTP/1 client, which sends exactly the bytes of the scenario.

pub(crate) mod behaviour;
mod connection;
pub mod neighbours;
mod response;

use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

pub(crate) use self::connection::Connection;
pub(crate) use self::response::Response;

/// Larger than any response of a health endpoint or error page of a framework.
const ANSWER_LIMIT: usize = 256 * 1024;

/// A request, complete as bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Request {
    /// Whether the response must have no body.
    pub(crate) is_head: bool,
    /// Whether it asks the server to close the connection after the response.
    pub(crate) asks_to_close: bool,
    /// What is sent.
    pub(crate) bytes: Vec<u8>,
}

impl Request {
    /// What is sent, line by line, escaped and without the bulk of a long one.
    pub(crate) fn lines(bytes: &[u8]) -> impl Iterator<Item = String> {
        let lines = bytes.split_inclusive(|&byte| byte == b'\n');
        lines.map(|line| Shortened(line.trim_ascii_end()).to_string())
    }
}

impl fmt::Display for Request {
    /// Shows the bytes, escaped, without the bulk of a long request.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        shorten(f, &self.bytes)
    }
}

/// Bytes of a message, for a report.
struct Shortened<'a>(&'a [u8]);

impl fmt::Display for Shortened<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        shorten(f, self.0)
    }
}

fn shorten(f: &mut fmt::Formatter<'_>, bytes: &[u8]) -> fmt::Result {
    const SHOWN: usize = 300;
    let shown = &bytes[..bytes.len().min(SHOWN)];
    write!(f, "{}", shown.escape_ascii())?;
    match bytes.len() - shown.len() {
        0 => Ok(()),
        more => write!(f, "… and {more} more bytes"),
    }
}

/// Why there is no response.
#[derive(Debug, thiserror::Error)]
pub enum ExchangeError {
    /// There is no listener at the address.
    #[error("cannot connect to {0}: {1}")]
    Connect(SocketAddr, std::io::Error),
    /// The server ended the connection in the middle.
    #[error("connection failed ({error}) after {} bytes: {}", got.len(), Shortened(got))]
    Broken {
        /// The error of the socket.
        error: std::io::Error,
        /// What had come.
        got: Vec<u8>,
    },
    /// The response was not complete within the limit.
    #[error("no complete response within {} ms, only {} bytes: {}", limit.as_millis(), got.len(), Shortened(got))]
    TooLate {
        /// How long was waited.
        limit: Duration,
        /// What had come.
        got: Vec<u8>,
    },
    /// The bytes until the server closed the connection are not a complete HTTP/1 response.
    #[error("{}", not_http(.0))]
    NotHttp(Vec<u8>),
    /// The response exceeds the maximum length.
    #[error("the response is longer than {ANSWER_LIMIT} bytes")]
    Endless,
}

fn not_http(got: &[u8]) -> String {
    match got.len() {
        0 => "the server closed the connection without a response".to_owned(),
        count => format!("not a complete HTTP/1 response, {count} bytes: {}", Shortened(got)),
    }
}

impl ExchangeError {
    /// Whether the server sent nothing at all on a connection that it accepted.
    pub(crate) fn is_silent_end(&self) -> bool {
        match self {
            Self::Broken { got, .. } | Self::NotHttp(got) => got.is_empty(),
            Self::Connect(..) | Self::TooLate { .. } | Self::Endless => false,
        }
    }
}

/// Sends `request` on a new connection, and reads the response and any bytes after it.
///
/// The sending side stays open until then: some servers give up on a client that has closed it.
///
/// # Errors
///
/// No complete response within `limit`.
pub(crate) fn exchange(
    address: SocketAddr,
    request: &Request,
    limit: Duration,
) -> Result<Response, ExchangeError> {
    let mut connection = Connection::open(address, limit)?;
    connection.send(&request.bytes);
    let mut response = connection.receive(request.is_head, limit)?;
    response.body.extend(connection.take_rest());
    Ok(response)
}

//! The behavior of clients: pollers, good and bad.

mod toggling;

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use crate::client::{Connection, ExchangeError, Request, Response};
use crate::scenario::template::expand;
use crate::scenario::{Answer, Client, Fate, Step};

/// What came of the requests of a step.
#[derive(Debug, Default)]
pub(crate) struct Exchanged {
    /// The responses, each with the expected one.
    pub(crate) answered: Vec<(Answer, Response)>,
    /// How many connections were opened.
    pub(crate) opened: usize,
    /// Whether the server closed the connection after the last response, if the step tests it.
    pub(crate) closed: bool,
    /// Whether the server left a connection open after it announced its end.
    pub(crate) left_open: bool,
    /// Number of requests without a read response.
    pub(crate) unread: usize,
}

impl Exchanged {
    /// The expected response to each request, read or not.
    pub(crate) fn answers(&self, step: &Step) -> Vec<Answer> {
        let unread = std::iter::repeat_n(step.response, self.unread);
        let read = self.answered.iter().map(|(answer, _)| *answer);
        read.chain(unread).collect()
    }
}

/// How long to read after the response of a server that should close the connection: bytes that
/// should not be there come at once, if they come.
const LINGER: Duration = Duration::from_millis(250);

/// The same, for a server that has not closed one so far.
const SHORT_LINGER: Duration = Duration::from_millis(5);

/// The connections of one scenario.
#[derive(Debug)]
pub(crate) struct ClientBehaviour {
    address: SocketAddr,
    limit: Duration,
    /// The connection that `kept` reuses.
    kept: Option<Connection>,
    /// That of a client that is interrupted, with its request on the way.
    sent: Option<Result<Connection, ExchangeError>>,
    /// Connections without a reader.
    lingering: Vec<Connection>,
    /// Whether the server leaves connections open despite `Connection: close`.
    ignores_close: bool,
}

impl ClientBehaviour {
    /// Sends requests to `address`, with this limit for each response.
    /// `ignores_close` means that the server is known to ignore `Connection: close`.
    pub(crate) fn new(address: SocketAddr, limit: Duration, ignores_close: bool) -> Self {
        Self { address, limit, kept: None, sent: None, lingering: Vec::new(), ignores_close }
    }

    /// Whether the server has left a connection open despite `Connection: close`.
    pub(crate) fn ignores_close(&self) -> bool {
        self.ignores_close
    }

    /// Limit for a response.
    pub(crate) fn limit(&self) -> Duration {
        self.limit
    }

    /// Sends the requests of a step, and reads the responses. `disablefile` is for a client that toggles it.
    ///
    /// # Errors
    ///
    /// A request got no response.
    pub(crate) fn exchange(
        &mut self,
        step: &Step,
        request: &Request,
        disablefile: Option<&Path>,
    ) -> Result<Exchanged, ExchangeError> {
        let mut exchanged = Exchanged::default();
        match step.client {
            Client::Pipelined => self.pipeline(step, request, &mut exchanged)?,
            Client::Crowd => self.crowd(step, request, &mut exchanged)?,
            Client::Toggling => {
                exchanged.answered =
                    toggling::exchange(self.address, request, step.times, disablefile, self.limit)?;
            }
            Client::Alone
            | Client::Kept
            | Client::ByteByByte
            | Client::Interrupted
            | Client::HalfClosed
            | Client::Leaves
            | Client::Lingers
            | Client::Polls => {
                for _ in 0..step.times {
                    self.ask(step, request, &mut exchanged)?;
                }
            }
        }
        Ok(exchanged)
    }

    /// Sends the request of a client that is interrupted.
    pub(crate) fn send(&mut self, request: &Request) {
        let connection = Connection::open(self.address, self.limit);
        self.sent = Some(connection.map(|mut connection| {
            connection.send(&request.bytes);
            connection
        }));
    }

    /// Goes away from the server without a word, as a client that leaves does.
    pub(crate) fn leave(&mut self) {
        self.lingering.clear();
    }

    fn open(&self, exchanged: &mut Exchanged) -> Result<Connection, ExchangeError> {
        exchanged.opened += 1;
        Connection::open(self.address, self.limit)
    }

    /// Sends one request, and treats its response as the client does.
    fn ask(
        &mut self,
        step: &Step,
        request: &Request,
        exchanged: &mut Exchanged,
    ) -> Result<(), ExchangeError> {
        if step.client == Client::Kept {
            return self.ask_on_kept(step, request, exchanged);
        }
        let mut connection = match self.sent.take() {
            Some(sent) => sent?,
            None => self.open(exchanged)?,
        };
        match step.client {
            Client::Interrupted => {}
            Client::ByteByByte => connection.send_slowly(&request.bytes),
            _ => {
                let sent = step.cut.unwrap_or(usize::MAX).min(request.bytes.len());
                connection.send(&request.bytes[..sent]);
            }
        }
        if matches!(step.client, Client::Leaves | Client::Lingers) {
            self.lingering.push(connection);
            exchanged.unread += 1;
            return Ok(());
        }
        if step.client == Client::HalfClosed {
            connection.end_sending();
        }
        let mut response = match connection.receive(request.is_head, self.limit) {
            Ok(response) => response,
            Err(error) if step.response == Answer::OkOrNothing && error.is_silent_end() => {
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        if request.asks_to_close {
            let patience = match (step.connection, self.ignores_close) {
                (Some(Fate::Closes), _) => self.limit,
                (_, false) => LINGER,
                (_, true) => SHORT_LINGER,
            };
            exchanged.closed = connection.wait_for_close(patience);
            self.ignores_close = !exchanged.closed;
        } else if ends_connection(&response) {
            exchanged.left_open |= !connection.wait_for_close(self.limit);
        }
        // Bytes after a response count as part of its body.
        response.body.extend(connection.take_rest());
        exchanged.answered.push((step.response, response));
        Ok(())
    }

    /// A server may close a connection between two responses; then the client opens another (RFC 9112, 9.3.1).
    fn ask_on_kept(
        &mut self,
        step: &Step,
        request: &Request,
        exchanged: &mut Exchanged,
    ) -> Result<(), ExchangeError> {
        let kept = self.kept.take().and_then(|mut connection| {
            connection.send(&request.bytes);
            let answer = connection.receive(request.is_head, self.limit);
            let is_gone = matches!(&answer, Err(error) if error.is_silent_end());
            (!is_gone).then_some((connection, answer))
        });
        let (mut connection, answer) = match kept {
            Some(kept) => kept,
            None => {
                let mut connection = self.open(exchanged)?;
                connection.send(&request.bytes);
                let answer = connection.receive(request.is_head, self.limit);
                (connection, answer)
            }
        };
        let response = answer?;
        if ends_connection(&response) {
            exchanged.left_open |= !connection.wait_for_close(self.limit);
        } else {
            self.kept = Some(connection);
        }
        exchanged.answered.push((step.response, response));
        Ok(())
    }

    /// Sends again what a server that closed the connection left unanswered (RFC 9112, 9.3.2).
    fn pipeline(
        &mut self,
        step: &Step,
        request: &Request,
        exchanged: &mut Exchanged,
    ) -> Result<(), ExchangeError> {
        while exchanged.answered.len() < step.times {
            let before = exchanged.answered.len();
            let mut connection = self.open(exchanged)?;
            connection.send(&request.bytes.repeat(step.times - before));
            while exchanged.answered.len() < step.times {
                match connection.receive(request.is_head, self.limit) {
                    Ok(response) => exchanged.answered.push((step.response, response)),
                    Err(error) if exchanged.answered.len() > before && error.is_silent_end() => {
                        break;
                    }
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(())
    }

    /// All connections are open, and all requests sent, before the first response is read.
    fn crowd(
        &mut self,
        step: &Step,
        request: &Request,
        exchanged: &mut Exchanged,
    ) -> Result<(), ExchangeError> {
        let mut connections = Vec::new();
        for _ in 0..step.times {
            connections.push(self.open(exchanged)?);
        }
        for connection in &mut connections {
            connection.send(&request.bytes);
        }
        for mut connection in connections {
            let response = connection.receive(request.is_head, self.limit)?;
            exchanged.answered.push((step.response, response));
        }
        Ok(())
    }
}

/// Whether the response announces that the server closes the connection.
fn ends_connection(response: &Response) -> bool {
    let mut values = response.header("connection").into_iter();
    values.any(|value| value.eq_ignore_ascii_case("close"))
}

/// The request of a step, with its placeholders replaced.
pub(crate) fn request(step: &Step, directory: &Path) -> Request {
    let headers = step.headers();
    let mut bytes = format!("{} ", step.method).into_bytes();
    bytes.extend(expand(&step.target, directory));
    bytes.extend(format!(" {}\r\n", step.version).into_bytes());
    for header in &headers {
        bytes.extend(expand(header, directory));
        bytes.extend(b"\r\n");
    }
    let says =
        |name: &str| headers.iter().any(|header| header.to_ascii_lowercase().starts_with(name));
    let body = expand(&step.body, directory);
    let is_framed = body.is_empty() || says("transfer-encoding:");
    let length = step.content_length.or((!is_framed).then_some(body.len()));
    if let Some(length) = length {
        bytes.extend(format!("Content-Length: {length}\r\n").into_bytes());
    }
    bytes.extend(b"\r\n");
    bytes.extend(body);
    Request {
        is_head: step.method == "HEAD",
        asks_to_close: step.version == "HTTP/1.0" || says("connection: close"),
        bytes,
    }
}

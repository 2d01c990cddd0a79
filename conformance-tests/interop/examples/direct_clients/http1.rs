//! A client of HTTP/1.1.

use std::cell::Cell;
use std::io;
use std::rc::Rc;

use anyhow::Context as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::fleet::{Fleet, Link, Outcome, PATIENCE, Request};

/// Sends requests, one after the other, until the fleet stops.
pub(crate) async fn run(fleet: Rc<Fleet>, number: usize) -> anyhow::Result<()> {
    let instance = Cell::new(0);
    let mut turn = number;
    let mut kept: Option<Connection> = None;
    while fleet.pause().await {
        let request = Request::numbered(turn);
        turn += 1;
        loop {
            let mut connection = match kept.take() {
                Some(kept) if !fleet.options.look || kept.is_open() => kept,
                _ => Connection::open(&fleet, &instance).await?,
            };
            let outcome = connection.exchange(&fleet, request).await?;
            let again = fleet.count(&connection.link, request, outcome);
            kept = connection.reusable.then_some(connection);
            if !again {
                break;
            }
        }
    }
    Ok(())
}

struct Connection {
    stream: TcpStream,
    link: Link,
    received: Vec<u8>,
    /// The client may send another request on it.
    reusable: bool,
}

impl Connection {
    async fn open(fleet: &Fleet, instance: &Cell<usize>) -> anyhow::Result<Self> {
        let (stream, link) = fleet.connect(instance).await?;
        Ok(Self { stream, link, received: Vec::with_capacity(1024), reusable: false })
    }

    /// Whether the server has neither closed the connection nor sent anything.
    fn is_open(&self) -> bool {
        let nothing = self.stream.try_read(&mut [0]);
        matches!(nothing, Err(error) if error.kind() == io::ErrorKind::WouldBlock)
    }

    /// Sends a request and receives its response.
    async fn exchange(&mut self, fleet: &Fleet, request: Request) -> anyhow::Result<Outcome> {
        self.reusable = false;
        self.received.clear();
        let bytes = bytes(request);
        let mut written = 0;
        while let Some(rest) = bytes.get(written..).filter(|rest| !rest.is_empty()) {
            match self.stream.write(rest).await {
                Ok(more) => {
                    if written == 0 {
                        fleet.sent(&self.link);
                    }
                    written += more;
                }
                Err(_) if written == 0 => return Ok(Outcome::Unsent),
                Err(error) => return Ok(Outcome::Lost(format!("sent in part: {}", error.kind()))),
            }
        }
        let Ok(received) = timeout(PATIENCE, self.receive()).await else {
            return Ok(Outcome::Lost("timeout".to_owned()));
        };
        if let Err(error) = received {
            let part =
                if self.received.is_empty() { "no response" } else { "a part of a response" };
            return Ok(Outcome::Lost(format!("{part}: {}", error.kind())));
        }
        let response = Response::parse(&self.received)?.context("the response is not complete")?;
        if response.close {
            fleet.announced(&self.link);
        }
        self.reusable = !response.close || fleet.options.ignore;
        let right = response.status == Some(200) && response.body == request.right_body();
        Ok(Outcome::Answered { right })
    }

    /// Receives until a response is complete, or is none.
    async fn receive(&mut self) -> io::Result<()> {
        while let Ok(None) = Response::parse(&self.received) {
            if self.stream.read_buf(&mut self.received).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        Ok(())
    }
}

fn bytes(request: Request) -> &'static [u8] {
    match request {
        Request::Home => b"GET / HTTP/1.1\r\nHost: shop\r\n\r\n",
        Request::Order => {
            b"POST /orders HTTP/1.1\r\nHost: shop\r\nContent-Length: 12\r\n\r\ntwo of these"
        }
    }
}

struct Response<'received> {
    status: Option<u16>,
    /// It has `Connection: close`.
    close: bool,
    body: &'received [u8],
}

impl<'received> Response<'received> {
    /// Returns the response if it is complete.
    fn parse(received: &'received [u8]) -> anyhow::Result<Option<Self>> {
        let mut headers = [httparse::EMPTY_HEADER; 32];
        let mut head = httparse::Response::new(&mut headers);
        let httparse::Status::Complete(length) = head.parse(received)? else {
            return Ok(None);
        };
        let value = |name| {
            let header = head.headers.iter().find(|header| header.name.eq_ignore_ascii_case(name));
            header.and_then(|header| std::str::from_utf8(header.value).ok())
        };
        let body = received.get(length..).unwrap_or_default();
        let expected: usize =
            value("content-length").context("a response has no length")?.parse()?;
        let close = value("connection").is_some_and(|value| value.eq_ignore_ascii_case("close"));
        Ok((body.len() >= expected).then_some(Self { status: head.code, close, body }))
    }
}

//! A client of HTTP/2, with prior knowledge.
//!
//! It is written by hand, because a library neither ignores GOAWAY nor tells whether a request was written. It knows no
//! more of the protocol than the responses of the examples need: short bodies, and headers in one frame without
//! padding.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use anyhow::{Context as _, bail, ensure};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::{Mutex, oneshot};
use tokio::task::{JoinSet, spawn_local};
use tokio::time::timeout;

use crate::fleet::{Fleet, Link, Outcome, PATIENCE, Request};

/// Types of frames.
const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const GOAWAY: u8 = 7;
const WINDOW_UPDATE: u8 = 8;
const CONTINUATION: u8 = 9;

/// Flags of frames.
const END_STREAM: u8 = 1;
const ACK: u8 = 1;
const END_HEADERS: u8 = 4;
const PADDED: u8 = 8;

/// The error code REFUSED_STREAM: the request was not processed.
const REFUSED: u32 = 7;

/// Sends requests on some streams of a connection until the fleet stops.
pub(crate) async fn run(fleet: Rc<Fleet>, number: usize) -> anyhow::Result<()> {
    let client = Rc::new(Client { instance: Cell::new(0), connection: Mutex::new(None), fleet });
    let mut streams = JoinSet::new();
    for turn in 0..client.fleet.options.streams {
        streams.spawn_local(send(Rc::clone(&client), number + turn));
    }
    while let Some(ended) = streams.join_next().await {
        ended.context("a stream panicked")??;
    }
    Ok(())
}

struct Client {
    fleet: Rc<Fleet>,
    instance: Cell<usize>,
    /// The connection for further requests.
    connection: Mutex<Option<Rc<Connection>>>,
}

/// Sends requests, one after the other.
async fn send(client: Rc<Client>, mut turn: usize) -> anyhow::Result<()> {
    while client.fleet.pause().await {
        let request = Request::numbered(turn);
        turn += 1;
        let mut sent = false;
        loop {
            let connection = client.connection().await?;
            let outcome = connection.exchange(request, &mut sent).await;
            if !client.fleet.count(&connection.link, request, outcome) {
                break;
            }
        }
    }
    Ok(())
}

impl Client {
    /// Returns the connection for a further request, a new one if need be.
    async fn connection(&self) -> anyhow::Result<Rc<Connection>> {
        let mut kept = self.connection.lock().await;
        match &*kept {
            Some(connection) if connection.is_usable() => Ok(Rc::clone(connection)),
            _ => Ok(Rc::clone(kept.insert(Connection::open(&self.fleet, &self.instance).await?))),
        }
    }
}

struct Connection {
    fleet: Rc<Fleet>,
    link: Link,
    writer: Mutex<Writer>,
    pending: RefCell<BTreeMap<u32, Pending>>,
    /// GOAWAY has come.
    going: Cell<bool>,
    closed: Cell<bool>,
}

struct Writer {
    stream: OwnedWriteHalf,
    next: u32,
}

/// A request that waits for its response.
struct Pending {
    request: Request,
    ok: bool,
    body: Vec<u8>,
    done: oneshot::Sender<Outcome>,
}

impl Connection {
    async fn open(fleet: &Rc<Fleet>, instance: &Cell<usize>) -> anyhow::Result<Rc<Self>> {
        let (stream, link) = fleet.connect(instance).await?;
        let (reader, stream) = stream.into_split();
        let connection = Rc::new(Self {
            fleet: Rc::clone(fleet),
            link,
            writer: Mutex::new(Writer { stream, next: 1 }),
            pending: RefCell::default(),
            going: Cell::new(false),
            closed: Cell::new(false),
        });
        let receiving = Rc::clone(&connection);
        spawn_local(async move {
            let reason = match receiving.receive(reader).await {
                Ok(()) => "no response: closed".to_owned(),
                Err(error) => format!("no response: {error:#}"),
            };
            receiving.closed.set(true);
            for (_, pending) in std::mem::take(&mut *receiving.pending.borrow_mut()) {
                let _ = pending.done.send(Outcome::Lost(reason.clone()));
            }
        });
        Ok(connection)
    }

    /// Whether the client sends further requests on it.
    fn is_usable(&self) -> bool {
        !self.closed.get() && (!self.going.get() || self.fleet.options.ignore)
    }

    /// Sends a request and waits for its response. `sent` says whether it was sent before, and counted.
    async fn exchange(&self, request: Request, sent: &mut bool) -> Outcome {
        let mut writer = self.writer.lock().await;
        if !self.is_usable() {
            return Outcome::Unsent;
        }
        let id = writer.next;
        let mut bytes = if id == 1 { preface() } else { Vec::new() };
        bytes.extend(frames(request, id));
        writer.next += 2;
        let (done, outcome) = oneshot::channel();
        let pending = Pending { request, ok: false, body: Vec::new(), done };
        self.pending.borrow_mut().insert(id, pending);
        let mut written = 0;
        while let Some(rest) = bytes.get(written..).filter(|rest| !rest.is_empty()) {
            match writer.stream.write(rest).await {
                Ok(more) => {
                    if written == 0 && !*sent {
                        *sent = true;
                        self.fleet.sent(&self.link);
                    }
                    written += more;
                }
                Err(error) => {
                    self.closed.set(true);
                    self.pending.borrow_mut().remove(&id);
                    return match written {
                        0 => Outcome::Unsent,
                        _ => Outcome::Lost(format!("sent in part: {}", error.kind())),
                    };
                }
            }
        }
        drop(writer);
        match timeout(PATIENCE, outcome).await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(_)) => Outcome::Lost("the connection was forgotten".to_owned()),
            Err(_) => Outcome::Lost("timeout".to_owned()),
        }
    }

    /// Receives frames until the server closes the connection.
    async fn receive(&self, mut reader: OwnedReadHalf) -> anyhow::Result<()> {
        let mut received = Vec::with_capacity(4096);
        loop {
            let mut frames = received.as_slice();
            while let Some((frame, rest)) = Frame::parse(frames) {
                self.obey(&frame).await?;
                frames = rest;
            }
            received.drain(..received.len() - frames.len());
            if reader.read_buf(&mut received).await? == 0 {
                return Ok(());
            }
        }
    }

    /// Does what a frame asks for.
    async fn obey(&self, frame: &Frame<'_>) -> anyhow::Result<()> {
        match frame.kind {
            HEADERS => {
                ensure!(
                    frame.flags & (END_HEADERS | PADDED) == END_HEADERS,
                    "the headers of a response are in parts"
                );
                if let Some(pending) = self.pending.borrow_mut().get_mut(&frame.stream) {
                    // Index 8 of the static table is `:status: 200`, after a possible change of the table's size.
                    let first = frame.payload.iter().find(|byte| *byte & 0xe0 != 0x20);
                    pending.ok = first == Some(&0x88);
                }
            }
            DATA => {
                ensure!(frame.flags & PADDED == 0, "the body of a response is padded");
                if let Some(pending) = self.pending.borrow_mut().get_mut(&frame.stream) {
                    pending.body.extend_from_slice(frame.payload);
                }
            }
            RST_STREAM => {
                let code = number(frame.payload).context("RST_STREAM is too short")?;
                self.end(frame.stream, |_| match code {
                    REFUSED => Outcome::Unprocessed,
                    code => Outcome::Lost(format!("RST_STREAM with code {code}")),
                });
                return Ok(());
            }
            SETTINGS if frame.flags & ACK == 0 => self.write(&head(SETTINGS, ACK, 0, 0)).await,
            PING if frame.flags & ACK == 0 => {
                self.write(&[&head(PING, ACK, 0, frame.payload.len()), frame.payload].concat())
                    .await;
            }
            GOAWAY => self.go_away(number(frame.payload).context("GOAWAY is too short")?),
            CONTINUATION => bail!("the headers of a response are in parts"),
            _ => {}
        }
        if matches!(frame.kind, HEADERS | DATA) && frame.flags & END_STREAM != 0 {
            self.end(frame.stream, |pending| Outcome::Answered {
                right: pending.ok && pending.body == pending.request.right_body(),
            });
        }
        Ok(())
    }

    /// Ends the stream of a request, if it waits for its response.
    fn end(&self, id: u32, outcome: impl FnOnce(&Pending) -> Outcome) {
        if let Some(pending) = self.pending.borrow_mut().remove(&id) {
            let outcome = outcome(&pending);
            let _ = pending.done.send(outcome);
        }
    }

    /// Sends the requests above the last stream that the server processes again, on another connection.
    fn go_away(&self, last: u32) {
        if !self.going.replace(true) {
            self.fleet.announced(&self.link);
        }
        if !self.fleet.options.ignore {
            let unprocessed =
                self.pending.borrow_mut().split_off(&(last & 0x7fff_ffff).saturating_add(1));
            for (_, pending) in unprocessed {
                let _ = pending.done.send(Outcome::Unprocessed);
            }
        }
    }

    /// Writes a frame that is no request. If that fails, the reader will notice, too.
    async fn write(&self, bytes: &[u8]) {
        let _ = self.writer.lock().await.stream.write_all(bytes).await;
    }
}

struct Frame<'received> {
    kind: u8,
    flags: u8,
    stream: u32,
    payload: &'received [u8],
}

impl<'received> Frame<'received> {
    /// Returns the first frame and the rest, if it has arrived whole.
    fn parse(received: &'received [u8]) -> Option<(Self, &'received [u8])> {
        let (&[a, b, c, kind, flags], rest) = received.split_first_chunk()?;
        let (stream, rest) = rest.split_first_chunk()?;
        let length = u32::from_be_bytes([0, a, b, c]).try_into().ok()?;
        let (payload, rest) = rest.split_at_checked(length)?;
        let stream = u32::from_be_bytes(*stream) & 0x7fff_ffff;
        Some((Self { kind, flags, stream, payload }, rest))
    }
}

/// Returns the number that a payload begins with.
fn number(payload: &[u8]) -> Option<u32> {
    payload.first_chunk().copied().map(u32::from_be_bytes)
}

/// Returns the head of a frame.
fn head(kind: u8, flags: u8, stream: u32, length: usize) -> [u8; 9] {
    let [_, a, b, c] = u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes();
    let [d, e, f, g] = stream.to_be_bytes();
    [a, b, c, kind, flags, d, e, f, g]
}

/// Returns what a connection begins with: headers without a dynamic table, and room for all bodies.
fn preface() -> Vec<u8> {
    const TABLE_SIZE: [u8; 6] = [0, 1, 0, 0, 0, 0];
    const ROOM: u32 = 0x7fff_0000;
    let mut bytes = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
    bytes.extend(head(SETTINGS, 0, 0, TABLE_SIZE.len()));
    bytes.extend(TABLE_SIZE);
    bytes.extend(head(WINDOW_UPDATE, 0, 0, 4));
    bytes.extend(ROOM.to_be_bytes());
    bytes
}

/// Returns the frames of a request: `:method`, `:scheme`, `:path`, `:authority` and `content-length`, as in RFC 7541.
fn frames(request: Request, id: u32) -> Vec<u8> {
    const AUTHORITY: &[u8] = b"\x01\x04shop";
    let (headers, body): (Vec<u8>, &[u8]) = match request {
        Request::Home => ([b"\x82\x86\x84", AUTHORITY].concat(), b""),
        Request::Order => {
            ([b"\x83\x86\x04\x07/orders", AUTHORITY, b"\x0f\x0d\x0212"].concat(), b"two of these")
        }
    };
    let end = if body.is_empty() { END_STREAM } else { 0 };
    let mut bytes = head(HEADERS, END_HEADERS | end, id, headers.len()).to_vec();
    bytes.extend(headers);
    if !body.is_empty() {
        bytes.extend(head(DATA, END_STREAM, id, body.len()));
        bytes.extend(body);
    }
    bytes
}

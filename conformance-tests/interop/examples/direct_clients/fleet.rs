//! What all clients share: the options, the counts, and the way to an instance.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::net::Ipv4Addr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, bail};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep};

use crate::Options;

/// How long a client waits for a response, and for an instance that accepts its connection.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// The number of lost requests that are described.
const SAMPLES: usize = 50;

pub(crate) struct Fleet {
    pub(crate) options: Options,
    /// The clients send no further requests.
    pub(crate) stopping: Cell<bool>,
    counts: RefCell<Counts>,
}

#[derive(Default)]
struct Counts {
    sent: u64,
    answered: u64,
    wrong: u64,
    lost: BTreeMap<String, u64>,
    samples: Vec<Value>,
    /// By instance: responses, and those of them that announced the end of the connection (frames, with HTTP/2).
    responses: Vec<u64>,
    announced: Vec<u64>,
    connections: u64,
    refused: u64,
    /// Requests that were written on another connection, because the first one was closed before any byte.
    moved: u64,
    /// Requests that were repeated, because HTTP/2 says that they were not processed.
    repeated: u64,
}

/// What became of a request on a connection.
pub(crate) enum Outcome {
    /// A complete response came, which was or was not the right one.
    Answered { right: bool },
    /// No byte was written.
    Unsent,
    /// The server says that it has not processed it, so that it can be repeated.
    Unprocessed,
    /// It was sent, and no complete response came.
    Lost(String),
}

#[derive(Clone, Copy)]
pub(crate) enum Request {
    Home,
    Order,
}

impl Request {
    /// Returns a client's request by its number: one half is of either kind.
    pub(crate) fn numbered(number: usize) -> Self {
        if number.is_multiple_of(2) { Self::Home } else { Self::Order }
    }

    /// Returns the body of the right response, which is `200 OK`.
    pub(crate) fn right_body(self) -> &'static [u8] {
        match self {
            Self::Home => b"the application\n",
            Self::Order => b"ordered\n",
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Home => "GET",
            Self::Order => "POST",
        }
    }
}

/// A connection to an instance.
pub(crate) struct Link {
    pub(crate) instance: usize,
    pub(crate) opened: Instant,
    /// The number of requests that were sent on it.
    pub(crate) requests: Cell<u32>,
}

impl Fleet {
    pub(crate) fn new(options: Options) -> Self {
        let counts = Counts {
            responses: vec![0; options.ports.len()],
            announced: vec![0; options.ports.len()],
            ..Counts::default()
        };
        Self { options, stopping: Cell::new(false), counts: RefCell::new(counts) }
    }

    /// Waits for the pause before a request. Returns false if none must follow.
    pub(crate) async fn pause(&self) -> bool {
        let longest = self.options.pause * 1000;
        sleep(Duration::from_micros(fastrand::u64(0..=longest))).await;
        !self.stopping.get()
    }

    /// Connects to the instance, or to the next one if that refuses.
    pub(crate) async fn connect(
        &self,
        instance: &Cell<usize>,
    ) -> anyhow::Result<(TcpStream, Link)> {
        let ports = &self.options.ports;
        let began = Instant::now();
        for attempt in 1_usize.. {
            let place = instance.get() % ports.len();
            let port = *ports.get(place).context("no port")?;
            match TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await {
                Ok(stream) => {
                    stream.set_nodelay(true)?;
                    self.counts.borrow_mut().connections += 1;
                    let (opened, requests) = (Instant::now(), Cell::new(0));
                    return Ok((stream, Link { instance: place, opened, requests }));
                }
                Err(error) if refused(error.kind()) => {
                    self.counts.borrow_mut().refused += 1;
                    instance.set(place + 1);
                }
                Err(error) => return Err(error).context(format!("cannot connect to port {port}")),
            }
            if began.elapsed() > PATIENCE {
                break;
            }
            if attempt.is_multiple_of(ports.len()) {
                sleep(Duration::from_millis(5)).await;
            }
        }
        bail!("no instance has accepted a connection for {PATIENCE:?}")
    }

    /// Counts a request of which the first byte was written.
    pub(crate) fn sent(&self, link: &Link) {
        self.counts.borrow_mut().sent += 1;
        link.requests.set(link.requests.get() + 1);
    }

    /// Counts `Connection: close` or GOAWAY.
    pub(crate) fn announced(&self, link: &Link) {
        if let Some(count) = self.counts.borrow_mut().announced.get_mut(link.instance) {
            *count += 1;
        }
    }

    /// Counts what became of a request. Returns whether it must be sent again.
    pub(crate) fn count(&self, link: &Link, request: Request, outcome: Outcome) -> bool {
        let mut counts = self.counts.borrow_mut();
        match outcome {
            Outcome::Answered { right } => {
                if let Some(count) = counts.responses.get_mut(link.instance) {
                    *count += 1;
                }
                if right {
                    counts.answered += 1
                } else {
                    counts.wrong += 1
                }
                false
            }
            Outcome::Unsent => {
                counts.moved += 1;
                true
            }
            Outcome::Unprocessed => {
                counts.repeated += 1;
                true
            }
            Outcome::Lost(reason) => {
                if counts.samples.len() < SAMPLES {
                    let time = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
                    counts.samples.push(json!({
                        "time": time.as_secs_f64(),
                        "instance": link.instance,
                        "request": request.name(),
                        "reason": reason,
                        "number on its connection": link.requests.get(),
                        "age of the connection": link.opened.elapsed().as_secs_f64(),
                    }));
                }
                *counts.lost.entry(reason).or_default() += 1;
                false
            }
        }
    }

    /// Returns the counts up to now.
    pub(crate) fn report(&self) -> Value {
        let counts = self.counts.borrow();
        json!({
            "sent": counts.sent,
            "answered": counts.answered,
            "wrong": counts.wrong,
            "lost": counts.lost,
            "responses": counts.responses,
            "announced": counts.announced,
            "connections": counts.connections,
            "refused": counts.refused,
            "moved": counts.moved,
            "repeated": counts.repeated,
            "samples": counts.samples,
        })
    }
}

/// Whether an instance that does not listen answers a connect in this way.
fn refused(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::ConnectionRefused | ErrorKind::ConnectionReset)
}

//! Tests of an adapter that covers an application (H26): its connections and its active requests.
//!
//! [`covered_tests`](crate::covered_tests) declares them for one adapter.

#![expect(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use futures::executor::block_on;
use futures::{Stream, StreamExt as _, future, stream};
use health_conformance::Server;
use health_core::{Drain, Endpoint, Health, HealthConfig};
use tracing_subscriber::fmt::MakeWriter;

/// A machine may be busy, but not for longer.
const PATIENCE: Duration = Duration::from_secs(60);

/// The body of the handler at `/`.
pub const BODY: &str = "application";

/// The size of the body at `/large`, in bytes.
pub const LARGE: usize = 1 << 20;

/// Keeps handlers and streams waiting until it opens.
#[derive(Debug, Clone)]
// A drain is a moment to wait for, in any runtime.
pub struct Gate(Health);

impl Gate {
    /// One that is closed.
    pub fn closed() -> Self {
        Self(Health::builder().build().unwrap())
    }

    fn open(&self) {
        self.0.drain();
    }

    /// Waits until it is open.
    pub async fn pass(self) {
        self.0.draining().await;
    }

    /// The body of the handler at `/stream`: one part at once, and another when the gate is open.
    pub fn parts(self) -> impl Stream<Item = io::Result<&'static str>> + Send + Sync + 'static {
        let last = stream::once(self.0.draining()).map(|()| Ok("last"));
        stream::once(future::ready(Ok("first "))).chain(last)
    }
}

/// Serves on a free port of 127.0.0.1, in a runtime of its own, with the future that `serve` makes of a listener.
///
/// # Errors
///
/// The server cannot be started.
#[cfg(feature = "serve")]
pub fn serve_on<F>(serve: impl FnOnce(tokio::net::TcpListener) -> F) -> io::Result<Server>
where
    F: Future<Output = ()> + Send + 'static,
{
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0"))?;
    let address = listener.local_addr()?;
    let inside = runtime.enter();
    runtime.spawn(serve(listener));
    drop(inside);
    Ok(Server::new(address, || runtime.shutdown_background()))
}

/// Declares the tests. `serve` is a function from a [`Health`] and a [`Gate`] to a
/// [`Server`](health_conformance::Server) that serves the endpoints and an application with these handlers for `GET`:
///
/// - `/` responds [`BODY`],
/// - `/keep-alive` the same, with the header `Connection: keep-alive`,
/// - `/upgrade-required` responds 426 with the headers `Connection: upgrade` and `Upgrade: test`,
/// - `/wait` responds [`BODY`] when the gate is open,
/// - `/stream` responds with [`Gate::parts`],
/// - `/large` responds with [`LARGE`] bytes in memory,
/// - `/panic` panics.
///
/// Every other path is not found.
#[macro_export]
macro_rules! covered_tests {
    ($serve:path) => {
        $crate::covered_tests! { $serve:
            responses_close_their_connections_only_while_draining
            a_response_that_offers_an_upgrade_keeps_its_connection
            a_request_is_active_until_its_handler_returns
            a_request_is_active_until_its_stream_ends
            a_large_body_keeps_its_length
            a_client_that_leaves_during_a_stream_ends_its_request
            a_client_that_leaves_during_a_handler_ends_its_request
            a_handler_that_panics_ends_its_request
            ten_thousand_requests_leave_no_active_one
            a_drain_knows_its_pollers
        }
    };
    ($serve:path: $($test:ident)*) => {
        $(
            #[test]
            fn $test() {
                $crate::covered::$test($serve);
            }
        )*
    };
}

/// Starts the server.
struct Covered {
    server: Server,
    health: Health,
    gate: Gate,
}

impl Covered {
    fn new(serve: impl FnOnce(Health, Gate) -> io::Result<Server>) -> Self {
        let config = HealthConfig::default().with_disablefile("");
        let ready = Endpoint::readiness("/ready");
        let health = Health::builder().config(config).endpoint(ready).build().unwrap();
        let gate = Gate::closed();
        let server = serve(health.clone(), gate.clone()).unwrap();
        Self { server, health, gate }
    }

    fn connect(&self) -> Client {
        Client::new(self.server.address())
    }

    /// Waits until this many requests are active.
    fn wait_for_active(&self, requests: usize) {
        let began = Instant::now();
        while self.health.active_requests() != requests {
            let active = self.health.active_requests();
            assert!(began.elapsed() < PATIENCE, "{active} active requests and not {requests}");
            thread::sleep(Duration::from_millis(1));
        }
    }
}

/// A connection.
struct Client(BufReader<TcpStream>);

impl Client {
    fn new(address: SocketAddr) -> Self {
        let connection = TcpStream::connect(address).unwrap();
        connection.set_read_timeout(Some(PATIENCE)).unwrap();
        Self(BufReader::new(connection))
    }

    /// Sends a request without a body, such as `GET /`.
    fn send(&mut self, request: &str) {
        self.send_in("HTTP/1.1", request, "");
    }

    fn send_in(&mut self, version: &str, request: &str, headers: &str) {
        let request = format!("{request} {version}\r\nHost: localhost\r\n{headers}\r\n");
        self.0.get_mut().write_all(request.as_bytes()).unwrap();
    }

    /// The head of a response, in lower case.
    fn head(&mut self) -> String {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            assert_ne!(self.0.read_line(&mut head).unwrap(), 0, "no response: {head:?}");
        }
        head.to_lowercase()
    }

    /// Sends a request, and returns the head of its response after it has read its body, which has a length.
    fn ask(&mut self, request: &str) -> String {
        self.send(request);
        self.response(request.starts_with("HEAD"))
    }

    fn response(&mut self, is_head: bool) -> String {
        let head = self.head();
        let length =
            values(&head, "content-length").next().map_or(0, |length| length.parse().unwrap());
        let mut body = vec![0; if is_head { 0 } else { length }];
        self.0.read_exact(&mut body).unwrap();
        head
    }

    /// Reads until the server closes the connection. It does so even though the client keeps its half open.
    fn rest(&mut self) -> String {
        let mut rest = String::new();
        self.0.read_to_string(&mut rest).unwrap();
        rest
    }
}

/// The values of a header.
fn values<'a>(head: &'a str, name: &'static str) -> impl Iterator<Item = &'a str> {
    head.lines()
        .filter_map(move |line| line.split_once(": ").filter(|line| line.0 == name))
        .map(|line| line.1)
}

/// The values of the header `Connection` of the response to a request without a body, in lower case.
pub fn connection(address: SocketAddr, request: &str) -> Vec<String> {
    connections(&Client::new(address).ask(request)).into_iter().map(str::to_owned).collect()
}

fn connections(head: &str) -> Vec<&str> {
    values(head, "connection").collect()
}

/// A test: see [`covered_tests`](crate::covered_tests).
pub fn responses_close_their_connections_only_while_draining(
    serve: impl FnOnce(Health, Gate) -> io::Result<Server>,
) {
    let covered = Covered::new(serve);
    let requests = [
        "GET /",
        "HEAD /",
        "GET /keep-alive",
        "GET /missing",
        "GET /ready",
        "HEAD /ready",
        "GET /health",
    ];
    let mut kept: Vec<_> = requests.iter().map(|_| covered.connect()).collect();
    for _ in 0..2 {
        for (client, request) in kept.iter_mut().zip(requests) {
            let head = client.ask(request);
            assert!(!connections(&head).contains(&"close"), "{request}: {head}");
        }
    }
    covered.health.drain();
    for (client, request) in kept.iter_mut().zip(requests) {
        let head = client.ask(request);
        assert_eq!(connections(&head), ["close"], "{request}: {head}");
        assert_eq!(client.rest(), "", "{request}");
    }
    let mut old = covered.connect();
    old.send_in("HTTP/1.0", "GET /", "Connection: keep-alive\r\n");
    old.response(false);
    assert_eq!(old.rest(), "");
    covered.wait_for_active(0);
}

/// A test: see [`covered_tests`](crate::covered_tests).
pub fn a_response_that_offers_an_upgrade_keeps_its_connection(
    serve: impl FnOnce(Health, Gate) -> io::Result<Server>,
) {
    let covered = Covered::new(serve);
    covered.health.drain();
    let mut client = covered.connect();
    let head = client.ask("GET /upgrade-required");
    assert!(head.starts_with("http/1.1 426 "), "{head}");
    assert_eq!(connections(&head), ["upgrade"]);
    assert_eq!(connections(&client.ask("GET /")), ["close"]);
}

/// A test: see [`covered_tests`](crate::covered_tests).
pub fn a_request_is_active_until_its_handler_returns(
    serve: impl FnOnce(Health, Gate) -> io::Result<Server>,
) {
    let covered = Covered::new(serve);
    let mut client = covered.connect();
    client.send("GET /wait");
    covered.wait_for_active(1);
    covered.gate.open();
    client.response(false);
    covered.wait_for_active(0);
}

/// A test: see [`covered_tests`](crate::covered_tests).
pub fn a_request_is_active_until_its_stream_ends(
    serve: impl FnOnce(Health, Gate) -> io::Result<Server>,
) {
    let covered = Covered::new(serve);
    let mut client = covered.connect();
    client.send("GET /stream");
    client.head();
    // The first part of the stream.
    let mut part = String::new();
    while !part.contains("first ") {
        assert_ne!(client.0.read_line(&mut part).unwrap(), 0, "{part:?}");
    }
    assert_eq!(covered.health.active_requests(), 1);
    covered.gate.open();
    while !part.contains("last") {
        assert_ne!(client.0.read_line(&mut part).unwrap(), 0, "{part:?}");
    }
    covered.wait_for_active(0);
}

/// A test: see [`covered_tests`](crate::covered_tests).
pub fn a_large_body_keeps_its_length(serve: impl FnOnce(Health, Gate) -> io::Result<Server>) {
    let covered = Covered::new(serve);
    let mut client = covered.connect();
    client.send("GET /large");
    let head = client.head();
    assert_eq!(values(&head, "content-length").collect::<Vec<_>>(), [LARGE.to_string()]);
    let mut body = vec![0; LARGE];
    client.0.read_exact(&mut body).unwrap();
    covered.wait_for_active(0);
}

/// A test: see [`covered_tests`](crate::covered_tests).
pub fn a_client_that_leaves_during_a_stream_ends_its_request(
    serve: impl FnOnce(Health, Gate) -> io::Result<Server>,
) {
    let covered = Covered::new(serve);
    let mut client = covered.connect();
    client.send("GET /stream");
    client.head();
    covered.wait_for_active(1);
    drop(client);
    // Some frameworks notice it only when they send the next part.
    covered.gate.open();
    covered.wait_for_active(0);
}

/// A test: see [`covered_tests`](crate::covered_tests).
pub fn a_client_that_leaves_during_a_handler_ends_its_request(
    serve: impl FnOnce(Health, Gate) -> io::Result<Server>,
) {
    let covered = Covered::new(serve);
    let mut client = covered.connect();
    client.send("GET /wait");
    covered.wait_for_active(1);
    drop(client);
    // Some frameworks do not drop the handler.
    covered.gate.open();
    covered.wait_for_active(0);
}

/// A test: see [`covered_tests`](crate::covered_tests).
pub fn a_handler_that_panics_ends_its_request(
    serve: impl FnOnce(Health, Gate) -> io::Result<Server>,
) {
    let covered = Covered::new(serve);
    let mut client = covered.connect();
    client.send_in("HTTP/1.1", "GET /panic", "Connection: close\r\n");
    // A response or none: that is the framework's choice.
    let _ = client.0.read_to_end(&mut Vec::new());
    covered.wait_for_active(0);
    assert!(covered.connect().ask("GET /").starts_with("http/1.1 200 "));
}

/// A test: see [`covered_tests`](crate::covered_tests).
pub fn ten_thousand_requests_leave_no_active_one(
    serve: impl FnOnce(Health, Gate) -> io::Result<Server>,
) {
    let covered = Covered::new(serve);
    let clients = ["GET /", "GET /missing", "HEAD /", "GET /ready"].map(|request| {
        let mut client = covered.connect();
        thread::spawn(move || {
            for _ in 0..2_500 {
                client.ask(request);
            }
        })
    });
    clients.into_iter().for_each(|client| client.join().unwrap());
    covered.wait_for_active(0);
}

/// A test: see [`covered_tests`](crate::covered_tests).
pub fn a_drain_knows_its_pollers(serve: impl FnOnce(Health, Gate) -> io::Result<Server>) {
    let log = Log::default();
    // Not for this thread alone: `tracing` may skip an event that another thread without a subscriber has reached
    // first.
    tracing_subscriber::fmt().with_writer(log.clone()).with_ansi(false).init();
    let covered = Covered::new(serve);
    // Too short for a poller to notice: the log names those that have not.
    let drain = Drain::at_least(Duration::ZERO).at_most(Duration::from_millis(900)).unwrap();
    let drained = covered.health.drain_when(future::pending::<()>(), drain);
    covered.health.drain();
    let mut client = covered.connect();
    client.send_in("HTTP/1.1", "GET /ready", "User-Agent: prober/1.0\r\n");
    client.response(false);
    block_on(drained);
    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    let line = log.lines().find(|line| line.contains("may not have noticed")).unwrap();
    assert!(line.contains("/ready") && line.contains("127.0.0.1"), "{line}");
    assert!(line.contains("prober/1.0"), "{line}");
}

/// What is logged.
#[derive(Debug, Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(text)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Log {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

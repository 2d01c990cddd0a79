//! The server: how its connections end with a drain (H26).

#![expect(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

use std::convert::Infallible;
use std::future::{pending, ready};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use health_hyper::{Accept, Endpoint, Health, serve};
use http_body_util::{BodyExt as _, Empty};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http2::{self, SendRequest};
use hyper::ext::Protocol;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{
    AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, DuplexStream, duplex,
};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};

/// Much longer than anything here takes.
const LIMIT: Duration = Duration::from_secs(20);

const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";

/// More than hyper and a pipe have room for, in bytes.
const LARGE: usize = 1 << 20;

struct Server {
    address: SocketAddr,
    health: Health,
    /// Lets the handler of `/slow` respond.
    slow: Arc<Notify>,
    drained: Option<oneshot::Sender<()>>,
    served: JoinHandle<()>,
}

impl Server {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        Self::start_on(listener, address)
    }

    fn start_on(listener: impl Accept, address: SocketAddr) -> Self {
        let health = Health::builder().endpoint(Endpoint::readiness("/ready")).build().unwrap();
        let slow = Arc::new(Notify::new());
        let released = slow.clone();
        let app = service_fn(move |request: Request<Incoming>| {
            let released = released.clone();
            async move {
                let mut body = "own".to_owned();
                match request.uri().path() {
                    "/slow" => released.notified().await,
                    "/never" => pending().await,
                    "/large" => body = "x".repeat(LARGE),
                    _ => {}
                }
                Ok::<_, Infallible>(Response::new(body))
            }
        });
        let (drained, is_drained) = oneshot::channel();
        let is_drained = async move { is_drained.await.unwrap_or_default() };
        let served = serve(listener, move |_| app.clone(), health.clone(), is_drained);
        Self { address, health, slow, drained: Some(drained), served: tokio::spawn(served) }
    }

    /// Returns a function that connects to the server, too. No system is involved, so the time can be virtual.
    fn start_on_pipes() -> (Self, impl Fn() -> DuplexStream) {
        let (sender, accepted) = mpsc::unbounded_channel();
        let address = SocketAddr::from(([0; 4], 0));
        let connect = move || {
            let (client, server) = duplex(PIPE);
            sender.send(server).unwrap();
            client
        };
        (Self::start_on(Pipes(accepted), address), connect)
    }

    /// The server stops.
    fn stop(&mut self) {
        self.health.drain();
        self.drained.take().unwrap().send(()).unwrap();
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    async fn connect_http2(&self) -> (SendRequest<Empty<Bytes>>, JoinHandle<hyper::Result<()>>) {
        let stream = TokioIo::new(self.connect().await);
        let (sender, connection) = http2::handshake(TokioExecutor::new(), stream).await.unwrap();
        (sender, tokio::spawn(connection))
    }

    async fn wait_for_active(&self, active: usize) {
        let reached = async {
            while self.health.active_requests() != active {
                sleep(Duration::from_millis(1)).await;
            }
        };
        timeout(LIMIT, reached).await.unwrap();
    }

    async fn wait_until_listener_is_closed(&self) {
        let closed = async {
            while TcpStream::connect(self.address).await.is_ok() {
                sleep(Duration::from_millis(1)).await;
            }
        };
        timeout(LIMIT, closed).await.unwrap();
    }

    async fn wait_for_end(self) {
        timeout(LIMIT, self.served).await.unwrap().unwrap();
    }
}

/// The room of a pipe in each direction, in bytes.
const PIPE: usize = 64 * 1024;

struct Pipes(mpsc::UnboundedReceiver<DuplexStream>);

impl Accept for Pipes {
    type Io = DuplexStream;
    type Address = ();

    async fn accept(&mut self) -> io::Result<(DuplexStream, ())> {
        match self.0.recv().await {
            Some(pipe) => Ok((pipe, ())),
            None => pending().await,
        }
    }
}

/// The response to a request on a connection that stays open.
async fn ask(client: &mut (impl AsyncRead + AsyncWrite + Unpin)) -> String {
    client.write_all(REQUEST).await.unwrap();
    let mut response = Vec::new();
    while !response.ends_with(b"\r\n\r\nown") {
        response.push(timeout(LIMIT, client.read_u8()).await.unwrap().unwrap());
    }
    String::from_utf8(response).unwrap()
}

/// All that the client receives until the connection is closed.
async fn rest(client: &mut (impl AsyncRead + Unpin)) -> String {
    let mut rest = String::new();
    timeout(LIMIT, client.read_to_string(&mut rest)).await.unwrap().unwrap();
    rest
}

async fn get(sender: &mut SendRequest<Empty<Bytes>>, path: &str) -> (StatusCode, Bytes) {
    let request = Request::get(format!("http://localhost{path}")).body(Empty::new()).unwrap();
    let response = timeout(LIMIT, sender.send_request(request)).await.unwrap().unwrap();
    let status = response.status();
    (status, response.into_body().collect().await.unwrap().to_bytes())
}

#[tokio::test]
async fn an_idle_connection_is_kept_when_the_drain_begins_and_closed_after_its_next_response() {
    let server = Server::start().await;
    let mut client = server.connect().await;
    assert!(!ask(&mut client).await.contains("close"));
    server.health.drain();
    // It is not closed: the next request is served.
    assert!(ask(&mut client).await.contains("\r\nconnection: close\r\n"));
    assert_eq!(rest(&mut client).await, "");
}

#[tokio::test]
async fn the_endpoints_are_served() {
    let server = Server::start().await;
    let (mut sender, _connection) = server.connect_http2().await;
    assert_eq!(get(&mut sender, "/ready").await, (StatusCode::OK, "OK".into()));
    server.health.drain();
    let (mut sender, _connection) = server.connect_http2().await;
    let draining = (StatusCode::SERVICE_UNAVAILABLE, "DRAINING".into());
    assert_eq!(get(&mut sender, "/ready").await, draining);
}

#[tokio::test]
async fn an_http_2_connection_that_has_had_a_request_goes_away_when_the_drain_begins() {
    let server = Server::start().await;
    let (mut sender, connection) = server.connect_http2().await;
    assert_eq!(get(&mut sender, "/").await.0, StatusCode::OK);
    assert!(!connection.is_finished());
    server.health.drain();
    timeout(LIMIT, connection).await.unwrap().unwrap().unwrap();
}

#[tokio::test]
async fn a_request_over_http_2_that_is_active_gets_its_response_though_the_connection_goes_away() {
    let server = Server::start().await;
    let (mut sender, connection) = server.connect_http2().await;
    let slow = tokio::spawn(async move { get(&mut sender, "/slow").await });
    server.wait_for_active(1).await;
    server.health.drain();
    server.slow.notify_one();
    assert_eq!(slow.await.unwrap(), (StatusCode::OK, "own".into()));
    timeout(LIMIT, connection).await.unwrap().unwrap().unwrap();
    server.wait_for_active(0).await;
}

#[tokio::test]
async fn an_http_2_connection_without_a_request_goes_away_after_its_first_response() {
    let server = Server::start().await;
    let (mut before, first) = server.connect_http2().await;
    server.health.drain();
    let (mut during, second) = server.connect_http2().await;
    for sender in [&mut before, &mut during] {
        assert_eq!(get(sender, "/").await, (StatusCode::OK, "own".into()));
    }
    for connection in [first, second] {
        timeout(LIMIT, connection).await.unwrap().unwrap().unwrap();
    }
}

#[tokio::test]
async fn a_client_can_ask_for_another_protocol_over_http_2() {
    let server = Server::start().await;
    let (mut sender, _connection) = server.connect_http2().await;
    // The settings of the server arrive.
    assert_eq!(get(&mut sender, "/").await.0, StatusCode::OK);
    let request = Request::connect("http://localhost/")
        .extension(Protocol::from_static("websocket"))
        .body(Empty::<Bytes>::new())
        .unwrap();
    let response = timeout(LIMIT, sender.send_request(request)).await.unwrap().unwrap();
    assert_eq!(response.status(), StatusCode::OK);
}

#[tokio::test]
async fn idle_connections_are_closed_when_the_server_stops_and_the_server_ends() {
    let mut server = Server::start().await;
    let mut client = server.connect().await;
    ask(&mut client).await;
    let (mut sender, connection) = server.connect_http2().await;
    get(&mut sender, "/").await;
    server.stop();
    assert_eq!(rest(&mut client).await, "");
    timeout(LIMIT, connection).await.unwrap().unwrap().unwrap();
    server.wait_for_end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_of_many_idle_connections_is_closed() {
    let mut server = Server::start().await;
    let mut clients = Vec::new();
    for _ in 0..400 {
        let mut client = server.connect().await;
        ask(&mut client).await;
        clients.push(client);
    }
    server.stop();
    for client in &mut clients {
        assert_eq!(rest(client).await, "");
    }
    server.wait_for_end().await;
}

#[tokio::test]
async fn a_client_that_connects_just_before_the_stop_and_asks_just_after_it_is_answered() {
    let mut server = Server::start().await;
    // The server has had no turn to accept it, because the runtime has one thread.
    let client = std::net::TcpStream::connect(server.address).unwrap();
    server.stop();
    server.wait_until_listener_is_closed().await;
    client.set_nonblocking(true).unwrap();
    let mut client = TcpStream::from_std(client).unwrap();
    client.write_all(REQUEST).await.unwrap();
    let response = rest(&mut client).await;
    assert!(response.contains("\r\nconnection: close\r\n"), "{response}");
    assert!(response.ends_with("\r\n\r\nown"), "{response}");
    server.wait_for_end().await;
}

#[tokio::test]
async fn a_client_that_never_asks_does_not_hold_up_the_end() {
    let mut server = Server::start().await;
    let mut client = server.connect().await;
    server.stop();
    assert_eq!(rest(&mut client).await, "");
    server.wait_for_end().await;
}

#[tokio::test]
async fn the_server_waits_for_the_requests_that_are_active_when_it_stops() {
    let mut server = Server::start().await;
    let mut client = server.connect().await;
    client.write_all(b"GET /slow HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
    server.wait_for_active(1).await;
    server.stop();
    server.wait_until_listener_is_closed().await;
    assert!(!server.served.is_finished());
    server.slow.notify_one();
    let response = rest(&mut client).await;
    assert!(response.ends_with("\r\n\r\nown"), "{response}");
    server.wait_for_end().await;
}

#[tokio::test(start_paused = true)]
async fn a_half_sent_head_does_not_hold_up_the_end() {
    let heads = ["G", "GET / HTTP/1.1\r\nHo", "PRI * HTTP/2"];
    for (head, is_kept) in heads.map(|head| (head, false)).into_iter().chain([("GET /", true)]) {
        let (mut server, connect) = Server::start_on_pipes();
        let mut client = connect();
        if is_kept {
            ask(&mut client).await;
        }
        client.write_all(head.as_bytes()).await.unwrap();
        sleep(Duration::from_millis(1)).await;
        let start = Instant::now();
        server.stop();
        assert_eq!(rest(&mut client).await, "", "{head}");
        server.wait_for_end().await;
        assert!(start.elapsed() < Duration::from_millis(2100), "{head}: {:?}", start.elapsed());
    }
}

#[tokio::test(start_paused = true)]
async fn a_head_that_is_completed_within_a_second_after_the_stop_is_answered() {
    let (mut server, connect) = Server::start_on_pipes();
    let mut client = connect();
    let (head, rest_of_head) = REQUEST.split_at(10);
    client.write_all(head).await.unwrap();
    sleep(LIMIT).await;
    server.stop();
    sleep(Duration::from_millis(900)).await;
    client.write_all(rest_of_head).await.unwrap();
    let response = rest(&mut client).await;
    assert!(response.ends_with("\r\n\r\nown"), "{response}");
    server.wait_for_end().await;
}

#[tokio::test(start_paused = true)]
async fn a_client_over_http_2_that_is_gone_does_not_hold_up_the_end() {
    // The preface and empty settings; a request for `/` on stream 1.
    let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
    let request = b"\0\0\x03\x01\x05\0\0\0\x01\x82\x86\x84";
    for has_asked in [false, true] {
        let (mut server, connect) = Server::start_on_pipes();
        let mut client = connect();
        client.write_all(preface).await.unwrap();
        if has_asked {
            client.write_all(request).await.unwrap();
            let mut received = Vec::new();
            while !received.ends_with(b"own") {
                received.push(timeout(LIMIT, client.read_u8()).await.unwrap().unwrap());
            }
        }
        sleep(Duration::from_millis(1)).await;
        let start = Instant::now();
        server.stop();
        server.wait_for_end().await;
        assert!(start.elapsed() < Duration::from_millis(2100), "{:?}", start.elapsed());
    }
}

#[tokio::test(start_paused = true)]
async fn the_server_waits_for_a_slow_response_and_for_a_slow_client() {
    let (mut server, connect) = Server::start_on_pipes();
    let [mut waits, mut reads] = [connect(), connect()];
    waits.write_all(b"GET /slow HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
    reads.write_all(b"GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
    sleep(Duration::from_millis(1)).await;
    // Of the other one, hyper has all that is left.
    server.wait_for_active(1).await;
    server.stop();
    sleep(LIMIT).await;
    server.slow.notify_one();
    let response = rest(&mut waits).await;
    assert!(response.ends_with("\r\n\r\nown"), "{response}");
    let response = rest(&mut reads).await;
    assert_eq!(response.split_once("\r\n\r\n").unwrap().1.len(), LARGE);
    server.wait_for_end().await;
}

#[tokio::test(start_paused = true)]
async fn the_server_waits_for_a_client_over_http_2_that_reads_slowly() {
    let (mut server, connect) = Server::start_on_pipes();
    let (mut sender, connection) = http2::Builder::new(TokioExecutor::new())
        .initial_stream_window_size(1024)
        .handshake(TokioIo::new(connect()))
        .await
        .unwrap();
    tokio::spawn(connection);
    let request = Request::get("http://localhost/large").body(Empty::<Bytes>::new()).unwrap();
    let response = sender.send_request(request).await.unwrap();
    sleep(Duration::from_millis(1)).await;
    // hyper has all that is left.
    server.wait_for_active(0).await;
    server.stop();
    sleep(LIMIT).await;
    let body = timeout(LIMIT, response.into_body().collect()).await.unwrap().unwrap();
    assert_eq!(body.to_bytes().len(), LARGE);
    server.wait_for_end().await;
}

#[tokio::test]
async fn dropping_the_server_aborts_its_connections_and_requests() {
    let server = Server::start().await;
    let mut client = server.connect().await;
    client.write_all(b"GET /never HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
    let (mut sender, _connection) = server.connect_http2().await;
    let never = tokio::spawn(async move {
        let request = Request::get("http://localhost/never").body(Empty::new()).unwrap();
        sender.send_request(request).await.is_ok()
    });
    server.wait_for_active(2).await;
    server.served.abort();
    server.wait_for_active(0).await;
    assert_eq!(rest(&mut client).await, "");
    assert!(!timeout(LIMIT, never).await.unwrap().unwrap());
}

/// Fails before each connection.
struct Failing {
    listener: TcpListener,
    has_failed: bool,
}

impl Accept for Failing {
    type Io = TcpStream;
    type Address = SocketAddr;

    async fn accept(&mut self) -> io::Result<(TcpStream, SocketAddr)> {
        self.has_failed = !self.has_failed;
        if self.has_failed {
            return Err(io::Error::other("too many open files"));
        }
        self.listener.accept().await
    }
}

#[tokio::test]
async fn an_error_of_a_connection_ends_neither_the_server_nor_its_end() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let mut server = Server::start_on(Failing { listener, has_failed: false }, address);
    for _ in 0..3 {
        ask(&mut server.connect().await).await;
    }
    server.stop();
    server.wait_for_end().await;
}

#[tokio::test]
async fn a_listener_that_closes_returns_the_connections_that_the_system_has_accepted() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    // The runtime has had no time to look for events.
    let clients = [(); 3].map(|()| std::net::TcpStream::connect(address).unwrap());
    let mut addresses: Vec<_> =
        Accept::close(listener).into_iter().map(|(_, address)| address).collect();
    addresses.sort_unstable();
    let mut expected = clients.map(|client| client.local_addr().unwrap());
    expected.sort_unstable();
    assert_eq!(addresses, expected);
    std::net::TcpStream::connect(address).unwrap_err();
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_tcp_listener_that_refuses_connections_keeps_those_that_the_system_has_accepted() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let _clients = [(); 3].map(|()| std::net::TcpStream::connect(address).unwrap());
    Accept::refuse(&listener);
    std::net::TcpStream::connect(address).unwrap_err();
    assert_eq!(Accept::close(listener).len(), 3);
}

/// A listener whose only connection is there when it refuses others.
struct Last {
    is_refusing: AtomicBool,
    connection: Option<DuplexStream>,
}

impl Accept for Last {
    type Io = DuplexStream;
    type Address = ();

    async fn accept(&mut self) -> io::Result<(DuplexStream, ())> {
        if !self.is_refusing.load(Ordering::Relaxed) {
            return pending().await;
        }
        match self.connection.take() {
            Some(connection) => Ok((connection, ())),
            None => pending().await,
        }
    }

    fn refuse(&self) {
        self.is_refusing.store(true, Ordering::Relaxed);
    }
}

#[tokio::test(start_paused = true)]
async fn the_server_that_stops_accepts_after_the_system_refuses_connections() {
    let (mut client, connection) = duplex(PIPE);
    let last = Last { is_refusing: AtomicBool::new(false), connection: Some(connection) };
    let mut server = Server::start_on(last, SocketAddr::from(([0; 4], 0)));
    client.write_all(REQUEST).await.unwrap();
    server.stop();
    assert!(rest(&mut client).await.ends_with("\r\n\r\nown"));
    server.wait_for_end().await;
}

#[cfg(unix)]
#[tokio::test]
async fn a_unix_socket_is_a_listener_too() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("socket");
    let listener = tokio::net::UnixListener::bind(&path).unwrap();
    let health = Health::builder().build().unwrap();
    let app = service_fn(|_| ready(Ok::<_, Infallible>(Response::new("own".to_owned()))));
    let served = tokio::spawn(serve(listener, move |_| app, health, pending()));
    let mut client = tokio::net::UnixStream::connect(&path).await.unwrap();
    client.write_all(b"GET /health HTTP/1.0\r\n\r\n").await.unwrap();
    let mut response = String::new();
    client.read_to_string(&mut response).await.unwrap();
    assert!(response.ends_with("\r\n\r\nOK"), "{response}");
    served.abort();
}

#[cfg(unix)]
#[tokio::test]
async fn a_unix_socket_that_closes_returns_the_connections_that_the_system_has_accepted() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("socket");
    let listener = tokio::net::UnixListener::bind(&path).unwrap();
    let _clients = [(); 3].map(|()| std::os::unix::net::UnixStream::connect(&path).unwrap());
    assert_eq!(Accept::close(listener).len(), 3);
    std::os::unix::net::UnixStream::connect(&path).unwrap_err();
}

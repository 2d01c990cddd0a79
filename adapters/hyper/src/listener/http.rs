//! The endpoints over HTTP, without an application.

use std::convert::Infallible;
use std::future::{Future, Ready, ready};
use std::io;
use std::net::{IpAddr, ToSocketAddrs};

use health_core::Endpoints;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;

use super::progress::{Phase, Progress, Tracked};
use super::{Context, Listener, Protocol, Stream, close, tcp};
use crate::{HealthService, cover, service};

/// Room for the head of a request, and for responses that the client has not read.
const BUFFER: usize = 16 * 1024;

/// Responds to health requests at `address`, and with 404 to all others, until the process ends.
///
/// Takes a [`Health`](crate::Health), an [`EndpointHandle`](crate::EndpointHandle) or an array of these.
///
/// For applications on any framework: the listener responds while the application's own is closed during a graceful
/// shutdown, and while the application's threads are busy or blocked. The endpoints may be mounted in the application
/// too.
///
/// ```no_run
/// use health_hyper::{Endpoint, Health};
///
/// let health = Health::builder().endpoint(Endpoint::liveness("/live")).build()?;
/// let listener = health_hyper::listen("0.0.0.0:8081", health.clone())?;
/// println!("health at {}", listener.local_addr());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// The listener runs on a detached thread with a small tokio runtime. It needs no runtime of the application, and it
/// ends with the process: dropping the returned value does not stop it.
///
/// If `address` is a host name, the call blocks until the system has resolved it.
///
/// # Checks
///
/// Call `listen` inside the application's tokio runtime, and checks that use tokio run in that one, whether they are
/// requested here or through the application. Outside a runtime, checks requested here run in the listener's own.
///
/// # Limits
///
/// - HTTP/1.1 and HTTP/1.0 without TLS. The head of a request has up to 16 KiB. Request bodies are not read.
/// - A quarter as many connections as the process may have file descriptors, and at most 512. For a new one beyond
///   these, an older one is closed.
/// - If the process has no file descriptor left for a new connection, up to half of the connections are closed, idle
///   and old ones first.
/// - A client has 5 seconds to send the head of a request, and 5 to read the response.
/// - A connection may be idle for 75 seconds between requests.
///
/// The first connection that is closed for one of the first two reasons is logged as a warning, and the next one after
/// a minute without any.
///
/// # Errors
///
/// - The address cannot be bound, because it is in use, for example; the error names it.
/// - The system cannot start a thread.
pub fn listen(
    address: impl ToSocketAddrs,
    endpoints: impl Into<Endpoints>,
) -> io::Result<Listener> {
    tcp::listen("health listener", address, Http::new(endpoints, NotFound))
}

/// Serves the endpoints, and passes every other request to `S`.
pub(super) struct Http<S> {
    http1: http1::Builder,
    service: HealthService<S>,
    context: Context,
}

impl<S> Http<S> {
    pub(super) fn new(endpoints: impl Into<Endpoints>, other: S) -> Self {
        let mut http1 = http1::Builder::new();
        http1
            // `Progress` limits the time.
            .header_read_timeout(None)
            .half_close(true)
            .max_buf_size(BUFFER);
        Self { http1, service: service(endpoints, other), context: Context::current() }
    }
}

/// What responds to a request that is not for an endpoint.
pub(super) trait Other:
    Service<
        Request<Incoming>,
        Response = Response<String>,
        Error = Infallible,
        Future = Ready<Result<Response<String>, Infallible>>,
    > + Clone
    + Send
    + Sync
    + 'static
{
}

impl<S: Other> Protocol for Http<S> {
    fn serve(
        &self,
        stream: impl Stream,
        client: Option<IpAddr>,
        progress: Progress,
    ) -> impl Future<Output = ()> + Send + 'static {
        let http1 = self.http1.clone();
        let (service, context) = (self.service.clone(), self.context.clone());
        let mut stream = Tracked::new(stream, progress.clone());
        async move {
            let respond = async |request: Request<Incoming>| {
                progress.enter(Phase::Responding);
                let response = cover(
                    &service.endpoints,
                    request,
                    move |_| client,
                    |request| service.inner.call(request),
                );
                let response = context.clone().within(response).await;
                progress.enter(Phase::Writing);
                response
            };
            let connection = http1.serve_connection(TokioIo::new(&mut stream), service_fn(respond));
            // An error is one of the client's, and hyper has sent the response to it.
            let _ = connection.await;
            progress.enter(Phase::Closing);
            close(stream).await;
        }
    }
}

/// An application without any route.
#[derive(Clone)]
pub(super) struct NotFound;

impl Other for NotFound {}

impl<B> Service<Request<B>> for NotFound {
    type Response = Response<String>;
    type Error = Infallible;
    type Future = Ready<Result<Response<String>, Infallible>>;

    fn call(&self, _: Request<B>) -> Self::Future {
        ready(Ok(empty(StatusCode::NOT_FOUND)))
    }
}

/// A response without a body.
pub(super) fn empty(status: StatusCode) -> Response<String> {
    let mut response = Response::default();
    *response.status_mut() = status;
    response
}

#[cfg(test)]
mod tests {
    use std::future::pending;
    use std::io;

    use health_core::Health;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex};
    use tokio::task::JoinHandle;
    use tokio::time::{Duration, Instant, sleep, timeout};

    use super::super::progress::{CLIENT_TIMEOUT, IDLE_TIMEOUT};
    use super::{BUFFER, Http, NotFound, Phase, Progress, Protocol as _};

    const REQUEST: &[u8] = b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n";

    /// A client of a listener, and the connection's task. Each side holds up to `room` bytes for the other.
    fn connect(room: usize) -> (DuplexStream, JoinHandle<()>) {
        let health = Health::builder().build().unwrap();
        let (client, server) = duplex(room);
        let progress = Progress::new();
        let connection = Http::new(health, NotFound).serve(server, None, progress.clone());
        (client, tokio::spawn(progress.limit(connection)))
    }

    /// All that the client receives until the connection ends, and the time until then.
    async fn rest(client: &mut DuplexStream) -> (String, Duration) {
        let start = Instant::now();
        let mut response = String::new();
        let end = client.read_to_string(&mut response);
        timeout(IDLE_TIMEOUT * 3, end).await.unwrap().unwrap();
        (response, start.elapsed())
    }

    async fn read_response(client: &mut DuplexStream) {
        let mut response = Vec::new();
        while !response.ends_with(b"\r\n\r\nOK") {
            response.push(client.read_u8().await.unwrap());
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_sends_no_whole_head_is_disconnected() {
        for bytes in [&b""[..], b"G", b"GET /health HTTP/1.1\r\nHo"] {
            let (mut client, _) = connect(1024);
            client.write_all(bytes).await.unwrap();
            let (response, time) = rest(&mut client).await;
            assert_eq!(response, "");
            assert_eq!(time, CLIENT_TIMEOUT);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_sends_a_byte_a_second_is_disconnected() {
        let (mut client, server) = connect(1024);
        let start = Instant::now();
        tokio::spawn(async move {
            for byte in REQUEST {
                client.write_u8(*byte).await?;
                sleep(Duration::from_secs(1)).await;
            }
            io::Result::Ok(())
        });
        server.await.unwrap();
        assert_eq!(start.elapsed(), CLIENT_TIMEOUT);
    }

    #[tokio::test(start_paused = true)]
    async fn the_head_of_a_further_request_has_its_limit_too() {
        let (mut client, _) = connect(1024);
        client.write_all(REQUEST).await.unwrap();
        read_response(&mut client).await;
        sleep(IDLE_TIMEOUT / 2).await;
        client.write_all(b"G").await.unwrap();
        let (response, time) = rest(&mut client).await;
        assert_eq!(response, "");
        assert_eq!(time, CLIENT_TIMEOUT);
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_may_be_idle_between_requests() {
        let (mut client, _) = connect(1024);
        for _ in 0..3 {
            client.write_all(REQUEST).await.unwrap();
            read_response(&mut client).await;
            sleep(IDLE_TIMEOUT - Duration::from_millis(1)).await;
        }
        let (response, time) = rest(&mut client).await;
        assert_eq!(response, "");
        assert_eq!(time, Duration::from_millis(1));
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_does_not_read_its_response_is_disconnected() {
        let (mut client, server) = connect(REQUEST.len());
        let start = Instant::now();
        client.write_all(REQUEST).await.unwrap();
        server.await.unwrap();
        assert_eq!(start.elapsed(), CLIENT_TIMEOUT);
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_sends_requests_and_reads_nothing_takes_a_bounded_amount_of_memory() {
        let (mut client, server) = connect(REQUEST.len());
        let mut sent = 0;
        while client.write_all(REQUEST).await.is_ok() {
            sent += REQUEST.len();
            assert!(sent < 4 * BUFFER, "{sent}");
        }
        server.await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_does_not_close_after_the_last_response_is_disconnected() {
        let (mut client, server) = connect(1024);
        let start = Instant::now();
        client.write_all(b"GET /health HTTP/1.0\r\n\r\n").await.unwrap();
        let (response, time) = rest(&mut client).await;
        assert!(response.ends_with("\r\n\r\nOK"), "{response}");
        assert_eq!(time, Duration::ZERO);
        server.await.unwrap();
        assert_eq!(start.elapsed(), CLIENT_TIMEOUT);
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_is_rejected_can_go_on_sending_for_a_while() {
        let (mut client, _) = connect(BUFFER * 2);
        let head = format!("GET /health HTTP/1.1\r\nX: {}", "x".repeat(BUFFER));
        client.write_all(head.as_bytes()).await.unwrap();
        let (response, _) = rest(&mut client).await;
        assert!(response.starts_with("HTTP/1.1 431 "), "{response}");
        client.write_all(head.as_bytes()).await.unwrap();
        client.write_all(head.as_bytes()).await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn the_time_of_the_checks_is_not_the_time_of_the_client() {
        let health =
            Health::builder().check("hangs", pending::<Result<(), String>>).build().unwrap();
        let (mut client, server) = duplex(1024);
        let progress = Progress::new();
        tokio::spawn(Http::new(health, NotFound).serve(server, None, progress.clone()));
        assert_eq!(progress.phase().0, Phase::Reading);
        let request = b"GET /health?checks=all HTTP/1.1\r\n\r\n";
        client.write_all(request).await.unwrap();
        sleep(Duration::from_millis(1)).await;
        assert_eq!(progress.phase().0, Phase::Responding);
    }

    #[tokio::test(start_paused = true)]
    async fn a_head_without_end_is_rejected() {
        for start in ["GET /", "GET /health HTTP/1.1\r\nX: "] {
            let (client, _) = connect(1024);
            let (mut read, mut write) = tokio::io::split(client);
            let send = async {
                write.write_all(start.as_bytes()).await?;
                for _ in 0..8 * BUFFER {
                    write.write_u8(b'x').await?;
                }
                io::Result::Ok(())
            };
            let mut response = String::new();
            let (sent, end) = tokio::join!(send, read.read_to_string(&mut response));
            end.unwrap();
            assert!(response.starts_with("HTTP/1.1 431 "), "{response}");
            // The rest was not taken.
            assert!(sent.is_err());
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_is_never_sent_delays_no_response() {
        let (mut client, _) = connect(1024);
        let start = Instant::now();
        client
            .write_all(b"POST /health HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n")
            .await
            .unwrap();
        read_response(&mut client).await;
        assert_eq!(start.elapsed(), Duration::ZERO);
    }
}

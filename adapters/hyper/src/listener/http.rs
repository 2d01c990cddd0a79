//! The endpoint over HTTP, by itself.

use std::convert::Infallible;
use std::future::{Future, Ready, ready};
use std::io;
use std::net::ToSocketAddrs;
use std::time::Duration;

use health_core::Health;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};

use super::{Answerer, Context, Listener, Stream, open_tcp};
use crate::{HealthService, service};

/// How long a request's head may take, and how long a connection may be idle. hyper knows one bound for both. It
/// is longer than most pollers' period, so that those that keep their connection need not open a new one.
pub(super) const PATIENCE: Duration = Duration::from_secs(75);

/// Room for the head of a request.
const BUFFER: usize = 16 * 1024;

/// Answers health requests at `address`, and 404 to any other, until the process ends.
///
/// For an application on any framework: whoever asks here is answered while the application's own listener is closed to
/// end in good order, and while its threads are busy or blocked. The endpoints may be mounted in the application as well.
///
/// ```no_run
/// use health_core::{Endpoint, Health};
///
/// let health = Health::builder().endpoint(Endpoint::liveness("/live")).build()?;
/// let listener = health_hyper::listen("0.0.0.0:8081", health.clone())?;
/// println!("health at {}", listener.local_addr());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// It serves on a detached thread with a runtime of its own, and ends with the process: nothing else stops it, and to drop
/// what this returns changes nothing.
///
/// **Checks** that talk through tokio find the runtime in which this is called, whether they are asked for here or by way
/// of the application. Call it inside the application's; called outside any, those that are asked for here find the
/// listener's own.
///
/// **Bounds.** HTTP/1.1 without TLS. The head of a request may take 75 seconds, and so long may a connection be idle. Of
/// more than 512 connections the oldest is closed.
///
/// # Errors
///
/// The address cannot be bound, as when it is in use, or the system has no thread to give.
pub fn listen(address: impl ToSocketAddrs, health: Health) -> io::Result<Listener> {
    open_tcp(address, Http::new(health))
}

pub(super) struct Http {
    protocol: http1::Builder,
    service: HealthService<Nothing>,
    context: Context,
}

impl Http {
    pub(super) fn new(health: Health) -> Self {
        let mut protocol = http1::Builder::new();
        protocol
            .timer(TokioTimer::new())
            .header_read_timeout(PATIENCE)
            .half_close(true)
            .max_buf_size(BUFFER);
        Self {
            protocol,
            service: service(health, Nothing),
            context: Context::current(),
        }
    }
}

impl Answerer for Http {
    fn answer(&self, stream: impl Stream) -> impl Future<Output = ()> + Send + 'static {
        let (service, context) = (self.service.clone(), self.context.clone());
        let service = service_fn(move |request: Request<Incoming>| {
            context.clone().within(service.call(request))
        });
        let connection = self
            .protocol
            .serve_connection(TokioIo::new(stream), service);
        // A client that has gone is its own loss.
        async { connection.await.unwrap_or_default() }
    }
}

/// An application without a path.
#[derive(Clone)]
struct Nothing;

impl<B> Service<Request<B>> for Nothing {
    type Response = Response<String>;
    type Error = Infallible;
    type Future = Ready<Result<Response<String>, Infallible>>;

    fn call(&self, _: Request<B>) -> Self::Future {
        let mut missing = Response::default();
        *missing.status_mut() = StatusCode::NOT_FOUND;
        ready(Ok(missing))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use health_core::Health;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};
    use tokio::time::{Instant, timeout};

    use super::{Answerer as _, Http, PATIENCE};

    /// What a client gets who sends `bytes` and waits for the end, and how long that took.
    async fn waiting(bytes: &[u8]) -> (String, Duration) {
        let health = Health::builder().build().unwrap();
        let (mut client, server) = duplex(1024);
        tokio::spawn(Http::new(health).answer(server));
        let start = Instant::now();
        client.write_all(bytes).await.unwrap();
        let mut answer = String::new();
        let end = client.read_to_string(&mut answer);
        timeout(PATIENCE * 3, end).await.unwrap().unwrap();
        (answer, start.elapsed())
    }

    #[tokio::test(start_paused = true)]
    async fn a_half_sent_request_is_cut_off() {
        for bytes in [&b""[..], b"GET /health HTTP/1.1\r\nHo"] {
            let (answer, time) = waiting(bytes).await;
            assert_eq!(answer, "");
            assert!(time >= PATIENCE && time < PATIENCE * 2, "{time:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_idle_connection_is_closed_in_the_end() {
        let (answer, time) = waiting(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
        assert!(answer.ends_with("\r\n\r\nOK"), "{answer}");
        assert!(time >= PATIENCE && time < PATIENCE * 2, "{time:?}");
    }
}

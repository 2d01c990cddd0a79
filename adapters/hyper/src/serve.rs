//! A server whose connections end with a drain (H26).

mod activity;
mod connection;
mod service;

use std::error::Error;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use health_core::{Endpoints, LOG_TARGET};
use hyper::body::{Body, Bytes, Incoming};
use hyper::service::Service;
use hyper::{Request, Response};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout_at};
use tracing::warn;

use self::activity::Activity;
use self::connection::Connection;
use self::service::Watched;
use crate::accept::{Accept, Episode, PAUSE, ip, is_of_one_connection};

/// How long the server goes on to accept when it stops. Handshakes that have begun have time to end. If the queue of the
/// listener was full, that needs the client to send its request again, which Linux does after 200 ms. It is less than
/// the half second that `shut_down_after` waits for a server after the deadline of the drain.
const LAST_ACCEPTS: Duration = Duration::from_millis(300);

/// The time between the ends of two idle connections, on average.
const BETWEEN_CLOSES: Duration = Duration::from_micros(50);

/// The time within which all idle connections are closed.
const SPREAD: Duration = Duration::from_millis(500);

/// What connections have to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Serve,
    /// A drain has begun.
    Drain,
    /// The server stops. Idle connections close within this time.
    Stop(Duration),
}

/// Serves an application and its health endpoints over HTTP/1 and HTTP/2, until `drained` completes and all connections
/// have ended. Returns a future that does nothing until it is polled; dropping it aborts all connections and their
/// requests.
///
/// `make_service` makes the service of a connection from the address of its client. The application is covered
/// like that of [`service`](crate::service), so it needs no other cover. `endpoints` is a [`Health`](crate::Health), an
/// [`EndpointHandle`](crate::EndpointHandle) or an array of these.
///
/// `drained` is the future of [`drain_when`](crate::Health::drain_when). Pass the returned future to
/// [`shut_down_after`](crate::Health::shut_down_after):
///
/// ```no_run
/// use std::time::Duration;
///
/// use health_hyper::{Drain, Health, Signals};
/// use hyper::{Request, Response, body::Incoming, service::service_fn};
/// use tokio::net::TcpListener;
///
/// async fn run(health: Health, signals: Signals) -> Result<(), Box<dyn std::error::Error>> {
///     let app = service_fn(async |_: Request<Incoming>| hyper::Result::Ok(Response::new("shop".to_owned())));
///     let listener = TcpListener::bind("127.0.0.1:8080").await?;
///     let drain = Drain::at_least(Duration::from_secs(5)).at_most(Duration::from_secs(25))?;
///     let drained = health.drain_when(signals, drain);
///     let server = health_hyper::serve(listener, move |_| app.clone(), &health, drained);
///     health.shut_down_after(server).await.exit()
/// }
/// ```
///
/// # Connections
///
/// From the beginning of the drain, HTTP/1 connections close after their next response, which says so, and HTTP/2
/// connections get GOAWAY as soon as they have had a request. The server goes on to accept connections.
///
/// When `drained` completes, the system [refuses](Accept::refuse) new connections. The server accepts those that the
/// system has queued, and closes the listener 300 ms later. A connection on which no request has arrived is kept until
/// one second after it was accepted. Other idle connections close at once if there are few; 10,000 close within 500 ms.
/// Requests on them are served until then. Connections that have requests end after their last response, and the server
/// waits for them without limit. The others end after another second, even if a part of a request has arrived, or a
/// client over HTTP/2 has not confirmed GOAWAY.
///
/// An error while a connection is accepted is logged, once per episode, and does not end the server. An upgraded
/// connection, such as a web socket, belongs to its handler: the server does not wait for it, except over HTTP/2, where
/// it is a part of a connection.
///
/// The head of a request has no time limit before the stop.
pub fn serve<A, M, E, S, B, D>(
    listener: A,
    make_service: M,
    endpoints: E,
    drained: D,
) -> impl Future<Output = ()> + Send
where
    A: Accept,
    E: Into<Endpoints>,
    M: FnMut(&A::Address) -> S + Send,
    S: Service<Request<Incoming>, Response = Response<B>, Future: Send + 'static> + Send + 'static,
    S::Error: Into<Box<dyn Error + Send + Sync>>,
    B: Body<Data: From<Bytes> + Send, Error: Into<Box<dyn Error + Send + Sync>>> + Send + 'static,
    D: Future<Output = ()> + Send,
{
    let endpoints = endpoints.into();
    endpoints.start_on_tokio();
    run(listener, make_service, endpoints, drained)
}

async fn run<A, M, S, B>(
    mut listener: A,
    mut make_service: M,
    endpoints: Endpoints,
    drained: impl Future<Output = ()> + Send,
) where
    A: Accept,
    M: FnMut(&A::Address) -> S + Send,
    S: Service<Request<Incoming>, Response = Response<B>, Future: Send + 'static> + Send + 'static,
    S::Error: Into<Box<dyn Error + Send + Sync>>,
    B: Body<Data: From<Bytes> + Send, Error: Into<Box<dyn Error + Send + Sync>>> + Send + 'static,
{
    let (stage, stages) = watch::channel(Stage::Serve);
    let mut connections = JoinSet::new();
    let mut opened = 0_u32;
    let mut open = |connections: &mut JoinSet<()>, io: A::Io, address: A::Address| {
        let activity = Activity::default();
        let service = Watched {
            inner: make_service(&address),
            endpoints: endpoints.clone(),
            client: ip(&address),
            activity: activity.clone(),
        };
        opened = opened.wrapping_add(1);
        let connection = Connection { number: opened, activity, stages: stages.clone() };
        connections.spawn(connection.serve(io, service));
    };
    let mut failing = Episode::default();
    let mut draining = pin!(endpoints.health().draining());
    let mut is_draining = false;
    let mut drained = pin!(drained);
    loop {
        let mut accepts = pin!(accept(&mut listener, &mut failing));
        let accepted = poll_fn(|context| {
            if !is_draining && draining.as_mut().poll(context).is_ready() {
                is_draining = true;
                stage.send_replace(Stage::Drain);
            }
            if drained.as_mut().poll(context).is_ready() {
                return Poll::Ready(None);
            }
            // Forgets those that have ended.
            while let Poll::Ready(Some(_)) = pin!(connections.join_next()).poll(context) {}
            accepts.as_mut().poll(context).map(Some)
        });
        match accepted.await {
            Some((io, address)) => open(&mut connections, io, address),
            None => break,
        }
    }
    listener.refuse();
    let end = Instant::now() + LAST_ACCEPTS;
    while let Ok((io, address)) = timeout_at(end, accept(&mut listener, &mut failing)).await {
        open(&mut connections, io, address);
    }
    for (io, address) in listener.close() {
        open(&mut connections, io, address);
    }
    let count = connections.len().try_into().unwrap_or(u32::MAX);
    stage.send_replace(Stage::Stop(SPREAD.min(BETWEEN_CLOSES.saturating_mul(count))));
    while connections.join_next().await.is_some() {}
}

/// The next connection, after any errors.
async fn accept<A: Accept>(listener: &mut A, failing: &mut Episode) -> (A::Io, A::Address) {
    loop {
        match listener.accept().await {
            Ok(accepted) => return accepted,
            Err(error) if is_of_one_connection(&error) => {}
            Err(error) => {
                if failing.begins() {
                    warn!(
                        target: LOG_TARGET,
                        "the server cannot accept a connection ({error}); it tries again every {PAUSE:?}"
                    );
                }
                sleep(PAUSE).await;
            }
        }
    }
}

//! An application with health endpoints in a container: hyper, and a drain on SIGTERM.

use std::convert::Infallible;
use std::future::{Future, poll_fn, ready};
use std::net::{Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use futures::channel::mpsc::{UnboundedSender, unbounded};
use health_core::{
    Health, HealthBuilder, HealthConfig, Runtime, StartupLatch, Task, ThreadRuntime,
};
use hyper::Response;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tonic::transport::server::TcpIncoming;

use crate::kubelet::Container;

pub(crate) struct Application {
    /// Adds endpoints and checks, at each start.
    describe: Box<dyn Fn(HealthBuilder) -> HealthBuilder>,
    /// How long it drains.
    drain_delay: Duration,
    is_over_grpc: bool,
    running: Option<Running>,
}

struct Running {
    time: ThreadedTime,
    health: Health,
    migrations: Option<StartupLatch>,
    sigterm: UnboundedSender<()>,
    drained: Pin<Box<dyn Future<Output = ()>>>,
    server: tokio::runtime::Runtime,
}

impl Application {
    pub(crate) fn new(
        drain_delay: u32,
        describe: impl Fn(HealthBuilder) -> HealthBuilder + 'static,
    ) -> Self {
        Self {
            describe: Box::new(describe),
            drain_delay: Duration::from_secs(drain_delay.into()),
            is_over_grpc: false,
            running: None,
        }
    }

    /// Serves the endpoints over gRPC alone.
    pub(crate) fn over_grpc(self) -> Self {
        Self { is_over_grpc: true, ..self }
    }

    pub(crate) fn health(&self) -> &Health {
        &self.running.as_ref().unwrap().health
    }

    /// Ends the start.
    pub(crate) fn finish_migrations(&mut self) {
        let running = self.running.as_mut().unwrap();
        running.migrations.take().unwrap().release();
    }
}

impl Container for Application {
    fn start(&mut self) -> SocketAddr {
        let time = ThreadedTime::default();
        let migrations = StartupLatch::new("migrations");
        let config = HealthConfig::default().with_disablefile("");
        let builder = Health::builder().config(config).runtime(time.clone()).latch(&migrations);
        let health = (self.describe)(builder).build().unwrap();
        let (sigterm, signals) = unbounded();
        let drained = Box::pin(health.drain_when(signals, self.drain_delay));
        let serve = if self.is_over_grpc { serve_grpc } else { serve };
        let (server, address) = serve(health.clone());
        self.running =
            Some(Running { time, health, migrations: Some(migrations), sigterm, drained, server });
        address
    }

    fn terminate(&mut self) {
        let running = self.running.as_mut().unwrap();
        running.sigterm.unbounded_send(()).unwrap();
        assert!(!running.has_drained(), "the drain takes a while");
    }

    fn kill(&mut self) {
        if let Some(running) = self.running.take() {
            running.server.shutdown_background();
        }
    }

    fn pass_second(&mut self) -> bool {
        let running = self.running.as_mut().unwrap();
        running.time.pass(Duration::from_secs(1));
        let has_ended = running.has_drained();
        if has_ended {
            self.kill();
        }
        !has_ended
    }
}

impl Running {
    /// Lets the application react to a signal or to the time that has passed. Whether its drain is over.
    fn has_drained(&mut self) -> bool {
        let context = &mut Context::from_waker(Waker::noop());
        self.drained.as_mut().poll(context).is_ready()
    }
}

/// A runtime for the server of a container, and its listener.
fn listen() -> (tokio::runtime::Runtime, TcpListener, SocketAddr) {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let listener = runtime.block_on(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)));
    let listener = listener.unwrap();
    let address = listener.local_addr().unwrap();
    (runtime, listener, address)
}

fn serve_grpc(health: Health) -> (tokio::runtime::Runtime, SocketAddr) {
    let (runtime, listener, address) = listen();
    let inside = runtime.enter();
    let service = health_tonic::service(health).unwrap();
    drop(inside);
    let server = tonic::transport::Server::builder().add_service(service);
    runtime.spawn(server.serve_with_incoming(TcpIncoming::from(listener)));
    (runtime, address)
}

fn serve(health: Health) -> (tokio::runtime::Runtime, SocketAddr) {
    let (runtime, listener, address) = listen();
    let app = service_fn(|_: hyper::Request<Incoming>| {
        ready(Ok::<_, Infallible>(Response::new("the shop".to_owned())))
    });
    let inside = runtime.enter();
    let app = health_hyper::service(health, app);
    drop(inside);
    runtime.spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let connection =
                http1::Builder::new().serve_connection(TokioIo::new(stream), app.clone());
            // A broken connection concerns its client only.
            tokio::spawn(async { connection.await.is_ok() });
        }
    });
    (runtime, address)
}

/// Time that passes when the kubelet says so, for tasks on threads. It wakes no sleeping task: the application is polled
/// after each second.
#[derive(Clone)]
struct ThreadedTime {
    start: Instant,
    passed: Arc<AtomicU64>,
}

impl Default for ThreadedTime {
    fn default() -> Self {
        Self { start: Instant::now(), passed: Arc::default() }
    }
}

impl ThreadedTime {
    fn pass(&self, time: Duration) {
        self.passed.fetch_add(time.as_secs(), Ordering::SeqCst);
    }
}

impl Runtime for ThreadedTime {
    fn now(&self) -> Instant {
        self.start + Duration::from_secs(self.passed.load(Ordering::SeqCst))
    }

    fn sleep_until(&self, deadline: Instant) -> Task {
        let time = self.clone();
        Box::pin(poll_fn(
            move |_| {
                if time.now() >= deadline { Poll::Ready(()) } else { Poll::Pending }
            },
        ))
    }

    fn spawn(&self, task: Task) {
        ThreadRuntime.spawn(task);
    }
}

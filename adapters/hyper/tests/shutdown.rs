//! A check that is stuck does not hold up the end of the process.

#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

use std::convert::Infallible;
use std::future::ready;
use std::net::Ipv4Addr;

use hyper::Response;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

#[tokio::main]
async fn serve(health: health_hyper::Health) {
    let mut terminated = signal(SignalKind::terminate()).unwrap();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    health_testees::shutdown::ready(listener.local_addr().unwrap());
    let app = service_fn(|_| ready(Ok::<_, Infallible>(Response::new(String::new()))));
    let app = health_hyper::service(health, app);
    let graceful = GracefulShutdown::new();
    loop {
        let (stream, _) = tokio::select! {
            accepted = listener.accept() => accepted.unwrap(),
            _ = terminated.recv() => break,
        };
        let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), app.clone());
        let connection = graceful.watch(connection);
        tokio::spawn(async { connection.await.unwrap_or_default() });
    }
    graceful.shutdown().await;
}

#[test]
fn sigterm_ends_a_process_whose_checks_are_stuck() {
    health_testees::shutdown::ends_while_checks_are_stuck(
        "sigterm_ends_a_process_whose_checks_are_stuck",
        serve,
    );
}

#[cfg(feature = "listener")]
#[tokio::main]
async fn serve_by_itself(health: health_hyper::Health) {
    let mut terminated = signal(SignalKind::terminate()).unwrap();
    let listener = health_hyper::listen("127.0.0.1:0", health).unwrap();
    health_testees::shutdown::ready(listener.local_addr());
    terminated.recv().await.unwrap();
}

#[cfg(feature = "listener")]
#[test]
fn the_listener_of_its_own_ends_with_the_process() {
    let test = "the_listener_of_its_own_ends_with_the_process";
    health_testees::shutdown::ends_while_checks_are_stuck(test, serve_by_itself);
}

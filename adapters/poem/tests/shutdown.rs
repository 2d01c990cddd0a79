//! A check that is stuck does not hold up the end of the process.

#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

use std::future::pending;
use std::net::Ipv4Addr;

use health_poem::{Drain, Health, Signals};
use poem::endpoint::{make, make_sync};
use poem::listener::TcpAcceptor;
use poem::{EndpointExt, Route, Server};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

#[tokio::main]
async fn serve(health: Health) {
    let mut terminated = signal(SignalKind::terminate()).unwrap();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    health_testees::shutdown::ready(listener.local_addr().unwrap());
    let app = Route::new().with(health_poem::middleware(health));
    let terminated = async move { terminated.recv().await.unwrap_or_default() };
    Server::new_with_acceptor(TcpAcceptor::from_tokio(listener).unwrap())
        .run_with_graceful_shutdown(app, terminated, None)
        .await
        .unwrap();
}

#[tokio::main]
async fn serve_covered(health: Health, drain: Drain) {
    let signals = Signals::new().unwrap();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    health_testees::shutdown::ready(listener.local_addr().unwrap());
    let active = health.clone();
    let app = Route::new()
        .at("/hangs", make(async |_| pending::<&str>().await))
        .at("/active", make_sync(move |_| active.active_requests().to_string()))
        .with(health_poem::middleware(health.clone()));
    let server = Server::new_with_acceptor(TcpAcceptor::from_tokio(listener).unwrap());
    let drained = health.drain_when(signals, drain);
    let server = server.run_with_graceful_shutdown(app, drained, None);
    health.shut_down_after(server).await.exit()
}

#[test]
fn a_drain_ends_a_process_whose_handler_hangs() {
    health_testees::shutdown::ends_while_a_handler_hangs(
        "a_drain_ends_a_process_whose_handler_hangs",
        serve_covered,
    );
}

#[test]
fn sigterm_ends_a_process_whose_checks_are_stuck() {
    health_testees::shutdown::ends_while_checks_are_stuck(
        "sigterm_ends_a_process_whose_checks_are_stuck",
        serve,
    );
}

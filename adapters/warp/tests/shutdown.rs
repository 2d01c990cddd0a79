//! A check that is stuck does not hold up the end of the process.

#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

use std::future::pending;
use std::net::Ipv4Addr;

use health_warp::{Drain, Health, Signals};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use warp::Filter as _;

#[tokio::main]
async fn serve(health: Health) {
    let mut terminated = signal(SignalKind::terminate()).unwrap();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    health_testees::shutdown::ready(listener.local_addr().unwrap());
    warp::serve(health_warp::filter(health))
        .incoming(listener)
        .graceful(async move { terminated.recv().await.unwrap_or_default() })
        .run()
        .await;
}

#[tokio::main]
async fn serve_covered(health: Health, drain: Drain) {
    let signals = Signals::new().unwrap();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    health_testees::shutdown::ready(listener.local_addr().unwrap());
    let active = health.clone();
    let app = warp::path!("hangs")
        .then(pending::<&str>)
        .or(warp::path!("active").map(move || active.active_requests().to_string()));
    let drained = health.drain_when(signals, drain);
    let app = health_warp::wrap(&health, app);
    let server = warp::serve(app).incoming(listener).graceful(drained).run();
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

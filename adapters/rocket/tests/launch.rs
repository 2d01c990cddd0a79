//! The stop of the server after a drain.

// Elsewhere, the server stops as it would by itself.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

use std::future::pending;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::sync::mpsc;
use std::thread::{self, JoinHandle};

use futures::channel::oneshot;
use health_rocket::{Health, fairing, launch};
use health_testees::stop::answers_who_has_just_connected;
use rocket::config::{Config, LogLevel};
use rocket::fairing::AdHoc;
use rocket::{Shutdown, get, routes};

struct Server {
    address: SocketAddr,
    health: Health,
    shutdown: Shutdown,
    served: JoinHandle<()>,
}

#[get("/")]
fn own() -> &'static str {
    "own"
}

/// Starts a server that serves until the future completes.
fn start(drained: impl Future<Output = ()> + Send + 'static) -> Server {
    let health = Health::builder().build().unwrap();
    let config = Config { port: 0, log_level: LogLevel::Off, ..Config::release_default() };
    let (started, start) = mpsc::channel();
    let lifted_off = AdHoc::on_liftoff("lifted off", move |rocket| {
        // Neither signal handling is enabled, although it is by default.
        assert!(!rocket.config().shutdown.ctrlc);
        assert!(rocket.config().shutdown.signals.is_empty());
        started.send((rocket.config().port, rocket.shutdown())).unwrap();
        Box::pin(async {})
    });
    let rocket = rocket::custom(config).mount("/", routes![own]);
    let rocket = rocket.attach(fairing(&health)).attach(lifted_off);
    let served = thread::spawn(|| rocket::execute(launch(rocket, drained)).unwrap());
    let (port, shutdown) = start.recv().unwrap();
    Server { address: (Ipv4Addr::LOCALHOST, port).into(), health, shutdown, served }
}

#[test]
fn clients_that_connect_just_before_the_stop_and_ask_just_after_it_are_answered() {
    let (drained, is_drained) = oneshot::channel();
    let server = start(async { is_drained.await.unwrap() });
    server.health.drain();
    answers_who_has_just_connected(server.address, "own", || drained.send(()).unwrap());
    server.served.join().unwrap();
}

#[test]
fn a_server_that_ends_by_itself_is_not_waited_for() {
    let server = start(pending());
    server.shutdown.notify();
    server.served.join().unwrap();
    // No copy of the listener is left.
    TcpStream::connect(server.address).unwrap_err();
}

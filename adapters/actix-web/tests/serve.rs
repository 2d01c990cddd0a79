//! The stop of the server after a drain.

// Elsewhere, the server stops as it would by itself.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

use std::future::pending;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::mpsc;
use std::thread::{self, JoinHandle};

use actix_web::dev::ServerHandle;
use actix_web::{App, HttpServer, rt, web};
use futures::channel::oneshot;
use futures::executor::block_on;
use health_actix_web::{Health, middleware, serve};
use health_testees::stop::answers_who_has_just_connected;

struct Server {
    address: SocketAddr,
    health: Health,
    handle: ServerHandle,
    served: JoinHandle<io::Result<()>>,
}

/// Starts a server that serves until the future completes.
fn start(drained: impl Future<Output = ()> + Send + 'static) -> Server {
    let health = Health::builder().build().unwrap();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    let endpoints = health.clone();
    let (started, start) = mpsc::channel();
    let served = thread::spawn(move || {
        rt::System::new().block_on(async move {
            let app = move || {
                App::new().route("/", web::get().to(async || "own")).wrap(middleware(&endpoints))
            };
            let server = HttpServer::new(app).workers(2).listen(listener.try_clone()?)?;
            let server = server.disable_signals().run();
            started.send(server.handle()).unwrap();
            serve(server, listener, drained).await
        })
    });
    Server { address, health, handle: start.recv().unwrap(), served }
}

#[test]
fn clients_that_connect_just_before_the_stop_and_ask_just_after_it_are_answered() {
    let (drained, is_drained) = oneshot::channel();
    let server = start(async { is_drained.await.unwrap() });
    server.health.drain();
    answers_who_has_just_connected(server.address, "own", || drained.send(()).unwrap());
    server.served.join().unwrap().unwrap();
}

#[test]
fn a_server_that_ends_by_itself_is_not_waited_for() {
    let server = start(pending());
    block_on(server.handle.stop(true));
    server.served.join().unwrap().unwrap();
    // No copy of the listener is left.
    std::net::TcpStream::connect(server.address).unwrap_err();
}

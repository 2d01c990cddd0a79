//! A liveness endpoint fails while handlers block every worker of the application.

#![expect(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

use std::net::Ipv4Addr;

use health_poem::{Check, Health};
use health_testees::blocked::{
    EXPIRY, TAG, block, liveness_fails_while_every_worker_is_blocked, ready,
};
use poem::listener::TcpAcceptor;
use poem::{EndpointExt as _, Route, Server, handler};
use tokio::net::TcpListener;

#[handler]
async fn blocking() -> &'static str {
    block();
    "free"
}

#[tokio::main(worker_threads = 2)]
async fn serve(health: Health) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    ready(listener.local_addr().unwrap());
    let app = Route::new().at("/block", blocking).with(health_poem::middleware(health));
    let acceptor = TcpAcceptor::from_tokio(listener).unwrap();
    Server::new_with_acceptor(acceptor).run(app).await.unwrap();
}

#[test]
fn liveness_fails_while_handlers_block_every_worker() {
    liveness_fails_while_every_worker_is_blocked(
        "liveness_fails_while_handlers_block_every_worker",
        |builder| builder.register(Check::tokio_runtime("runtime", EXPIRY).tag(TAG)),
        serve,
    );
}

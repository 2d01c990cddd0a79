//! A liveness endpoint fails while handlers block every worker of the application.

#![expect(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

use std::net::Ipv4Addr;

use health_testees::blocked::{
    EXPIRY, TAG, block, liveness_fails_while_every_worker_is_blocked, ready,
};
use health_warp::{Check, Health};
use tokio::net::TcpListener;
use warp::Filter as _;

#[tokio::main(worker_threads = 2)]
async fn serve(health: Health) {
    let blocking = warp::path("block").map(|| {
        block();
        "free"
    });
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    ready(listener.local_addr().unwrap());
    warp::serve(health_warp::filter(health).or(blocking)).incoming(listener).run().await;
}

#[test]
fn liveness_fails_while_handlers_block_every_worker() {
    liveness_fails_while_every_worker_is_blocked(
        "liveness_fails_while_handlers_block_every_worker",
        |builder| builder.register(Check::tokio_runtime("runtime", EXPIRY).tag(TAG)),
        serve,
    );
}

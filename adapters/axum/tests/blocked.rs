//! A liveness endpoint fails while handlers block every worker of the application.

#![expect(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

use std::net::Ipv4Addr;

use axum::Router;
use axum::routing::get;
use health_axum::{Check, Health};
use health_testees::blocked::{
    EXPIRY, TAG, block, liveness_fails_while_every_worker_is_blocked, ready,
};
use tokio::net::TcpListener;

#[tokio::main(worker_threads = 2)]
async fn serve(health: Health) {
    let app = Router::new().route("/block", get(|| async { block() }));
    let app = app.merge(health_axum::router(health));
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    ready(listener.local_addr().unwrap());
    axum::serve(listener, app).await.unwrap();
}

#[test]
fn liveness_fails_while_handlers_block_every_worker() {
    liveness_fails_while_every_worker_is_blocked(
        "liveness_fails_while_handlers_block_every_worker",
        |builder| builder.register(Check::tokio_runtime("runtime", EXPIRY).tag(TAG)),
        serve,
    );
}

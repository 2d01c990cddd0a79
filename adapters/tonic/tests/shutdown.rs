//! A check that is stuck does not hold up the end of the process.

#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tonic::service::Routes;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;

#[tokio::main]
async fn serve(health: health_tonic::Health) {
    let mut terminated = signal(SignalKind::terminate()).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    health_testees::shutdown::ready(listener.local_addr().unwrap());
    let service = health_tonic::service(&health).unwrap();
    let routes = Routes::from(health_axum::router(health)).add_service(service);
    Server::builder()
        .accept_http1(true)
        .add_routes(routes)
        .serve_with_incoming_shutdown(TcpIncoming::from(listener), async {
            terminated.recv().await.unwrap();
        })
        .await
        .unwrap();
}

#[test]
fn sigterm_ends_a_process_whose_checks_are_stuck() {
    health_testees::shutdown::ends_while_checks_are_stuck(
        "sigterm_ends_a_process_whose_checks_are_stuck",
        serve,
    );
}

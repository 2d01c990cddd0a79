//! A separate listener while the application shuts down.

#![expect(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

mod client;

use std::convert::Infallible;
use std::future::ready;
use std::io;
use std::net::{SocketAddr, TcpStream};
use std::pin::pin;
use std::time::Duration;

use futures::Stream;
use futures::channel::mpsc;
use health_core::{Endpoint, Health};
use hyper::Response;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::task::spawn_blocking;

/// Serves the application until it has drained. Then its listener is closed.
async fn serve(listener: TcpListener, health: Health, signals: impl Stream + Send) {
    let app = service_fn(|_| ready(Ok::<_, Infallible>(Response::new(String::new()))));
    let app = health_hyper::service(health.clone(), app);
    let mut drained = pin!(health.drain_when(signals, Duration::from_millis(1)));
    loop {
        let (stream, _) = tokio::select! {
            accepted = listener.accept() => accepted.unwrap(),
            () = &mut drained => return,
        };
        let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), app.clone());
        tokio::spawn(async { connection.await.unwrap_or_default() });
    }
}

async fn get(address: SocketAddr, target: &'static str) -> String {
    let ask = move || client::ask(TcpStream::connect(address).unwrap(), target);
    spawn_blocking(ask).await.unwrap()
}

#[tokio::test]
async fn it_reports_the_drain_after_the_application_has_closed_its_listener() {
    let health = Health::builder()
        .endpoint(Endpoint::readiness("/ready"))
        .endpoint(Endpoint::liveness("/live"))
        .build()
        .unwrap();
    let own = health_hyper::listen("127.0.0.1:0", health.clone()).unwrap();
    let own = own.local_addr();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let main = listener.local_addr().unwrap();
    let (signal, signals) = mpsc::unbounded();
    let served = tokio::spawn(serve(listener, health, signals));
    for address in [main, own] {
        let answer = get(address, "/ready").await;
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    }

    signal.unbounded_send(()).unwrap();
    served.await.unwrap();
    let refused = TcpStream::connect(main).unwrap_err();
    assert_eq!(refused.kind(), io::ErrorKind::ConnectionRefused);
    for _ in 0..3 {
        let answer = get(own, "/ready").await;
        assert!(answer.starts_with("HTTP/1.1 503 "), "{answer}");
        assert!(answer.ends_with("\r\n\r\nDRAINING"), "{answer}");
        let answer = get(own, "/live").await;
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    }
}

//! The server: the application, its endpoints, and how their connections end. `health-hyper` tests the rest.

#![expect(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

use std::future::pending;
use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::extract::{ConnectInfo, State};
use axum::routing::get;
use axum::serve::ListenerExt as _;
use health_axum::{Endpoint, Health, serve, serve_with_connect_info};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::time::timeout;

/// Much longer than anything here takes.
const LIMIT: Duration = Duration::from_secs(20);

fn health() -> Health {
    Health::builder().endpoint(Endpoint::readiness("/ready")).build().unwrap()
}

/// The response to a request, and all that follows it until the server closes the connection.
async fn ask(client: &mut TcpStream, request: &str) -> String {
    let request = format!("{request}\r\nHost: localhost\r\n\r\n");
    client.write_all(request.as_bytes()).await.unwrap();
    let mut response = String::new();
    timeout(LIMIT, client.read_to_string(&mut response)).await.unwrap().unwrap();
    response
}

#[tokio::test]
async fn the_application_and_its_endpoints_are_served_and_covered_until_the_drain_is_over() {
    let health = health();
    let active = async |State(health): State<Health>| health.active_requests().to_string();
    let app = Router::new().route("/active", get(active)).with_state(health.clone());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (drained, is_drained) = oneshot::channel::<()>();
    let is_drained = async { is_drained.await.unwrap_or_default() };
    let served = tokio::spawn(serve(listener, app, health.clone(), is_drained));
    let connect = async || TcpStream::connect(address).await.unwrap();

    let response = ask(&mut connect().await, "GET /ready HTTP/1.0").await;
    assert!(response.ends_with("\r\n\r\nOK"), "{response}");
    health.drain();
    let response = ask(&mut connect().await, "GET /ready HTTP/1.1").await;
    assert!(response.ends_with("\r\n\r\nDRAINING"), "{response}");
    let response = ask(&mut connect().await, "GET /active HTTP/1.1").await;
    assert!(response.contains("\r\nconnection: close\r\n"), "{response}");
    assert!(response.ends_with("\r\n\r\n1"), "{response}");
    let response = ask(&mut connect().await, "HEAD /active HTTP/1.1").await;
    assert!(response.contains("\r\ncontent-length: 1\r\n"), "{response}");
    assert!(response.ends_with("\r\n\r\n"), "{response}");
    let response = ask(&mut connect().await, "GET /unknown HTTP/1.1").await;
    assert!(response.starts_with("HTTP/1.1 404 "), "{response}");
    assert!(!served.is_finished());

    drained.send(()).unwrap();
    timeout(LIMIT, served).await.unwrap().unwrap();
}

#[tokio::test]
async fn handlers_learn_the_address_of_the_client_from_any_listener() {
    let who = async |ConnectInfo(client): ConnectInfo<SocketAddr>| client.to_string();
    let app = Router::new().route("/", get(who));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let listener = listener.tap_io(|stream| stream.set_nodelay(true).unwrap());
    let served = tokio::spawn(serve_with_connect_info(listener, app, health(), pending()));
    let mut client = TcpStream::connect(address).await.unwrap();
    let own = client.local_addr().unwrap();
    let response = ask(&mut client, "GET / HTTP/1.0").await;
    assert!(response.ends_with(&format!("\r\n\r\n{own}")), "{response}");
    served.abort();
}

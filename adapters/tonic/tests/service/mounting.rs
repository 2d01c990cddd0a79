//! Where the service is mounted: outside layers that reject requests, and beside axum.

use std::future::pending;
use std::net::SocketAddr;

use axum::extract::Request;
use axum::http::StatusCode;
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use health_tonic::{Endpoint, Health, HealthServer};
use tokio::net::TcpListener;
use tonic::service::{InterceptorLayer, Routes};
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tonic::{Code, Status};

use crate::client::ServingStatus::Serving;
use crate::served::{builder, check, client};

fn service() -> HealthServer {
    let health: Health = builder().endpoint(Endpoint::readiness("/ready")).build().unwrap();
    health_tonic::service(&health).unwrap()
}

fn app() -> axum::Router {
    axum::Router::new().route("/orders", get(|| async { "orders" }))
}

async fn shed(_: Request, _: Next) -> Response {
    StatusCode::TOO_MANY_REQUESTS.into_response()
}

async fn serve(routes: Routes) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = Server::builder().accept_http1(true).add_routes(routes);
    tokio::spawn(server.serve_with_incoming_shutdown(TcpIncoming::from(listener), pending()));
    address
}

/// The status code of the page of axum, over HTTP/1.
async fn page(address: SocketAddr) -> String {
    let ask = move || {
        use std::io::{Read as _, Write as _};
        let mut stream = std::net::TcpStream::connect(address).unwrap();
        let request = "GET /orders HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n";
        stream.write_all(request.as_bytes()).unwrap();
        let mut response = String::new();
        stream.read_to_string(&mut response).unwrap();
        response
    };
    let response = tokio::task::spawn_blocking(ask).await.unwrap();
    response.split(' ').nth(1).unwrap().to_owned()
}

#[tokio::test]
async fn it_is_served_beside_pages_of_axum() {
    let address = serve(Routes::from(app()).add_service(service())).await;
    assert_eq!(page(address).await, "200");
    assert_eq!(check(&mut client(address, "test").await, "/ready").await, Ok(Serving));
}

#[tokio::test]
async fn added_after_a_layer_that_rejects_every_request_it_responds() {
    let routes = Routes::from(app().layer(from_fn(shed))).add_service(service());
    let address = serve(routes).await;
    assert_eq!(page(address).await, "429");
    assert_eq!(check(&mut client(address, "test").await, "/ready").await, Ok(Serving));
}

#[tokio::test]
async fn below_a_layer_that_rejects_every_request_it_is_rejected() {
    let routes = Routes::from(app()).add_service(service()).into_axum_router();
    let address = serve(Routes::from(routes.layer(from_fn(shed)))).await;
    assert_eq!(page(address).await, "429");
    let rejected = check(&mut client(address, "test").await, "/ready").await;
    assert_eq!(rejected, Err(Code::Unavailable), "as gRPC maps the code");
}

#[tokio::test]
async fn a_layer_of_the_server_applies_to_it() {
    let reject = |_: tonic::Request<()>| Err(Status::unauthenticated("no password"));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = Server::builder().layer(InterceptorLayer::new(reject)).add_service(service());
    tokio::spawn(server.serve_with_incoming_shutdown(TcpIncoming::from(listener), pending()));
    let rejected = check(&mut client(address, "test").await, "/ready").await;
    assert_eq!(rejected, Err(Code::Unauthenticated));
}

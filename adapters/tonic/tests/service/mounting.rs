//! Where the service is mounted: outside layers that reject requests, and beside axum.

use std::future::pending;
use std::net::SocketAddr;
use std::time::Duration;

use axum::extract::Request;
use axum::http::StatusCode;
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use health_tonic::{Drain, Endpoint, Health, HealthServer};
use tokio::net::TcpListener;
use tonic::service::{InterceptorLayer, Routes};
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tonic::{Code, Status};

use crate::client::ServingStatus::{NotServing, Serving};
use crate::served::{builder, check, client, request};

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

#[tokio::test]
async fn the_server_of_the_axum_adapter_stops_at_the_maximum_of_a_drain_although_there_is_a_watch()
{
    let health = builder().endpoint(Endpoint::readiness("/ready")).build().unwrap();
    let service = health_tonic::service(&health).unwrap();
    let app = Routes::from(app()).add_service(service).into_axum_router();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let drain = Drain::at_least(Duration::ZERO).at_most(Duration::from_millis(300)).unwrap();
    let drained = health.drain_when(pending::<()>(), drain);
    let served = tokio::spawn(health_axum::serve(listener, app, health.clone(), drained));
    let mut client = client(address, "test").await;
    let mut watched = client.watch(request("/ready")).await.unwrap().into_inner();
    let mut next = async || Some(watched.message().await.unwrap()?.status());
    assert_eq!(next().await, Some(Serving));
    assert_eq!(health.active_requests(), 1, "the watch");
    health.drain();
    assert_eq!(next().await, Some(NotServing));
    assert_eq!(next().await, None);
    served.await.unwrap();
}

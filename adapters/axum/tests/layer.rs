//! The layer: endpoints, active requests, and connections that close during a drain (H26).

#![expect(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

use std::convert::Infallible;
use std::future::{pending, ready};
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::mpsc;

use allocation_counter::measure;
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::header::CONNECTION;
use axum::http::{StatusCode, Version};
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use axum::routing::{any, get};
use futures::executor::block_on;
use futures::{FutureExt as _, stream};
use health_axum::{Endpoint, Health, layer};
use health_testees::ask;
use health_testees::axum::serve_app;
use http_body_util::BodyExt as _;
use tower::ServiceExt as _;
use tower_layer::{Identity, Layer};
use tower_service::Service;

fn health() -> Health {
    Health::builder().endpoint(Endpoint::readiness("/ready")).build().unwrap()
}

fn draining() -> Health {
    let health = health();
    health.drain();
    health
}

fn request(path: &str) -> Request {
    Request::get(path).body(Body::empty()).unwrap()
}

fn own() -> Router {
    Router::new().route("/", get(async || "own"))
}

fn call(app: &Router, request: Request) -> Response {
    block_on(app.clone().oneshot(request)).unwrap()
}

#[test]
fn one_call_adds_the_endpoints_and_covers_the_application() {
    let health = health();
    let state = health.clone();
    let active = async |State(health): State<Health>| health.active_requests().to_string();
    let app = Router::new().route("/", get(active)).with_state(state).layer(layer(&health));
    let server = serve_app(|| app).unwrap();
    assert_eq!(ask(server.address(), "GET /ready"), (200, "OK".to_owned()));
    assert_eq!(ask(server.address(), "GET /"), (200, "1".to_owned()));
    assert_eq!(ask(server.address(), "GET /unknown").0, 404);
    health.drain();
    assert_eq!(ask(server.address(), "GET /ready"), (503, "DRAINING".to_owned()));
}

#[test]
fn while_draining_each_response_over_http_1_closes_the_connection() {
    for path in ["/", "/ready", "/unknown"] {
        for (health, version, closes) in [
            (health(), Version::HTTP_11, false),
            (draining(), Version::HTTP_11, true),
            (draining(), Version::HTTP_10, true),
            (draining(), Version::HTTP_2, false),
        ] {
            let mut request = request(path);
            *request.version_mut() = version;
            let response = call(&own().layer(layer(health)), request);
            let connection =
                response.headers().get(CONNECTION).map(|value| value.to_str().unwrap());
            assert_eq!(connection, closes.then_some("close"), "{path} {version:?}");
        }
    }
}

#[test]
fn a_switch_to_another_protocol_stays_as_it_is() {
    for status in [StatusCode::SWITCHING_PROTOCOLS, StatusCode::UPGRADE_REQUIRED] {
        let app = Router::new().route("/", get(async move || (status, [(CONNECTION, "upgrade")])));
        let response = call(&app.layer(layer(draining())), request("/"));
        assert_eq!(response.headers()[CONNECTION], "upgrade");
    }
}

#[test]
fn the_server_closes_the_connection_after_the_response() {
    let server = serve_app(|| own().layer(layer(draining()))).unwrap();
    for method in ["GET", "HEAD"] {
        let mut client = TcpStream::connect(server.address()).unwrap();
        write!(client, "{method} / HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
        let mut response = String::new();
        client.read_to_string(&mut response).unwrap();
        assert!(response.contains("\r\nconnection: close\r\n"), "{response}");
        assert_eq!(response.ends_with("\r\n\r\nown"), method == "GET", "{response}");
    }
}

#[test]
fn a_stream_keeps_its_request_active_until_its_end() {
    let health = health();
    let pieces = async || {
        let piece = ready(Ok::<_, Infallible>(Bytes::from_static(b"piece")));
        Body::from_stream(stream::once(piece))
    };
    let app = Router::new().route("/", get(pieces)).layer(layer(&health));
    let mut body = call(&app, request("/")).into_body();
    assert_eq!(health.active_requests(), 1);
    assert!(block_on(body.frame()).is_some());
    assert_eq!(health.active_requests(), 1);
    assert!(block_on(body.frame()).is_none());
    assert_eq!(health.active_requests(), 0);
    let response = call(&app, request("/"));
    assert_eq!(health.active_requests(), 1);
    drop(response);
    assert_eq!(health.active_requests(), 0);
}

#[test]
fn a_request_that_is_cancelled_is_not_active() {
    let health = health();
    let app = Router::new().route("/", get(async || pending::<()>().await)).layer(layer(&health));
    let mut called = Box::pin(app.oneshot(request("/")));
    assert!(called.as_mut().now_or_never().is_none());
    assert_eq!(health.active_requests(), 1);
    drop(called);
    assert_eq!(health.active_requests(), 0);
}

/// As a handler of a web socket does, whose request ends when the socket begins.
#[test]
fn a_handler_can_keep_what_it_starts_active() {
    let health = health();
    let (socket, sockets) = mpsc::channel();
    let upgrade = async move |State(health): State<Health>| socket.send(health.track()).unwrap();
    let app =
        Router::new().route("/", get(upgrade)).with_state(health.clone()).layer(layer(&health));
    drop(call(&app, request("/")));
    assert_eq!(health.active_requests(), 1);
    drop(sockets.recv().unwrap());
    assert_eq!(health.active_requests(), 0);
}

#[test]
fn the_endpoints_come_before_the_routes_of_the_application() {
    let app =
        Router::new().route("/health", get(async || "own")).route("/{page}", any(async || "own"));
    let server = serve_app(|| app.layer(layer(health()))).unwrap();
    for path in ["/health", "/ready"] {
        assert_eq!(ask(server.address(), &format!("GET {path}")), (200, "OK".to_owned()));
    }
    assert_eq!(ask(server.address(), "GET /other"), (200, "own".to_owned()));
}

#[test]
fn a_layer_rejects_polls_only_if_it_is_added_after_the_endpoints() {
    let reject = || from_fn(async |_: Request, _: Next| StatusCode::TOO_MANY_REQUESTS);
    let below = own().layer(reject()).layer(layer(health()));
    assert_eq!(call(&below, request("/ready")).status(), StatusCode::OK);
    assert_eq!(call(&below, request("/")).status(), StatusCode::TOO_MANY_REQUESTS);
    let around = own().layer(layer(health())).layer(reject());
    assert_eq!(call(&around, request("/ready")).status(), StatusCode::TOO_MANY_REQUESTS);
}

/// The allocations for one request to `app`, up to the end of its response.
fn allocations<S>(mut app: S) -> u64
where
    S: Service<Request, Response = Response, Error = Infallible>,
{
    // The executor of the test allocates at its first use.
    block_on(ready(()));
    let request = request("/");
    let respond = async { app.call(request).await.unwrap().into_body().collect().await };
    measure(|| drop(block_on(respond))).count_total
}

#[test]
fn the_layer_allocates_nothing() {
    // As a server does: otherwise axum makes the routes anew for each request.
    let own = || own().with_state(());
    // axum boxes each layer of a router.
    let with_another_layer = allocations(own().layer(Identity::new()).with_state(()));
    assert_eq!(allocations(own().layer(layer(health())).with_state(())), with_another_layer);
    let plain = allocations(own());
    assert_eq!(allocations(layer(health()).layer(own())), plain);
    assert!(plain < with_another_layer, "{plain} {with_another_layer}");
}

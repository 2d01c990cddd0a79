//! The middleware covers the application: its connections and its active requests.

use std::io;

use futures::executor::block_on;
use health_conformance::Server;
use health_poem::{Health, middleware};
use health_testees::covered::{BODY, Gate, LARGE};
use health_testees::poem::serve_app;
use poem::endpoint::{make, make_sync};
use poem::http::{StatusCode, Version};
use poem::{Body, Endpoint, EndpointExt as _, IntoResponse as _, Request, Response, Route};

fn serve(health: Health, gate: Gate) -> io::Result<Server> {
    let wait = gate.clone();
    let app = Route::new()
        .at("/", make_sync(|_| BODY))
        .at("/keep-alive", make_sync(|_| BODY.with_header("connection", "keep-alive")))
        .at("/upgrade-required", make_sync(|_| upgrade()))
        .at("/wait", make(move |_| wait_for(wait.clone())))
        .at("/stream", make_sync(move |_| Body::from_bytes_stream(gate.clone().parts())))
        .at("/large", make_sync(|_| vec![b'x'; LARGE]))
        .at("/panic", make_sync(|_| panics()));
    serve_app(move || app.with(middleware(health)))
}

fn upgrade() -> Response {
    let upgrade = Response::builder().status(StatusCode::UPGRADE_REQUIRED);
    upgrade.header("connection", "upgrade").header("upgrade", "test").finish()
}

async fn wait_for(gate: Gate) -> &'static str {
    gate.pass().await;
    BODY
}

#[expect(clippy::panic, reason = "to see what follows")]
fn panics() -> &'static str {
    panic!("on purpose")
}

health_testees::covered_tests!(serve);

#[test]
fn http_2_gets_no_connection_header() {
    let health = Health::builder().build().unwrap();
    let app = Route::new().with(middleware(&health));
    health.drain();
    for (version, closes) in [(Version::HTTP_11, true), (Version::HTTP_2, false)] {
        for path in ["/health", "/missing"] {
            let request = Request::builder().version(version).uri_str(path).finish();
            let response = block_on(app.get_response(request));
            assert_eq!(response.headers().contains_key("connection"), closes, "{version:?} {path}");
        }
    }
}

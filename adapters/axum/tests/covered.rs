//! The server covers the application: its connections and its active requests.

use std::io;

use axum::Router;
use axum::body::Body;
use axum::http::StatusCode;
use axum::routing::get;
use health_axum::Health;
use health_conformance::Server;
use health_testees::covered::{BODY, Gate, LARGE};

mod served;

use served::serve_app;

#[expect(clippy::panic, reason = "to see what follows")]
async fn panics() -> &'static str {
    panic!("on purpose")
}

fn serve(health: Health, gate: Gate) -> io::Result<Server> {
    let stream = gate.clone();
    let wait = async move || {
        gate.clone().pass().await;
        BODY
    };
    let upgrade = [("connection", "upgrade"), ("upgrade", "test")];
    let app = Router::new()
        .route("/", get(async || BODY))
        .route("/keep-alive", get(async || ([("connection", "keep-alive")], BODY)))
        .route("/upgrade-required", get(async move || (StatusCode::UPGRADE_REQUIRED, upgrade)))
        .route("/wait", get(wait))
        .route("/stream", get(async move || Body::from_stream(stream.clone().parts())))
        .route("/large", get(async || vec![b'x'; LARGE]))
        .route("/panic", get(panics));
    serve_app(health, app)
}

health_testees::covered_tests!(serve);

//! The application that `health_testees::covered_tests` asks.

use health_testees::covered::{BODY, Gate, LARGE};
use poem::endpoint::{make, make_sync};
use poem::http::StatusCode;
use poem::{Body, IntoResponse as _, Response, Route};

pub(crate) fn app(gate: Gate) -> Route {
    let wait = gate.clone();
    Route::new()
        .at("/", make_sync(|_| BODY))
        .at("/keep-alive", make_sync(|_| BODY.with_header("connection", "keep-alive")))
        .at("/upgrade-required", make_sync(|_| upgrade()))
        .at("/wait", make(move |_| wait_for(wait.clone())))
        .at("/stream", make_sync(move |_| Body::from_bytes_stream(gate.clone().parts())))
        .at("/large", make_sync(|_| vec![b'x'; LARGE]))
        .at("/panic", make_sync(|_| panics()))
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

//! The application that `health_testees::covered_tests` asks.

use health_testees::covered::{BODY, Gate, LARGE};
use warp::http::StatusCode;
use warp::reply::{Reply, Response, stream, with_header, with_status};
use warp::{Filter, Rejection};

pub(crate) fn app(
    gate: Gate,
) -> impl Filter<Extract = (Response,), Error = Rejection> + Clone + Send + Sync {
    let wait = gate.clone();
    warp::path::end()
        .map(|| BODY)
        .or(warp::path!("keep-alive").map(|| with_header(BODY, "connection", "keep-alive")))
        .or(warp::path!("upgrade-required").map(upgrade))
        .or(warp::path!("wait").then(move || wait_for(wait.clone())))
        .or(warp::path!("stream").map(move || stream(gate.clone().parts())))
        .or(warp::path!("large").map(|| vec![b'x'; LARGE]))
        .or(warp::path!("panic").map(panics))
        .map(Reply::into_response)
}

fn upgrade() -> impl Reply {
    let upgrade = with_header(warp::reply(), "connection", "upgrade");
    with_status(with_header(upgrade, "upgrade", "test"), StatusCode::UPGRADE_REQUIRED)
}

async fn wait_for(gate: Gate) -> &'static str {
    gate.pass().await;
    BODY
}

#[expect(clippy::panic, reason = "to see what follows")]
fn panics() -> &'static str {
    panic!("on purpose")
}

//! The server covers the application: its connections and its active requests.

use std::convert::Infallible;
use std::io;

use futures::{Stream, TryStreamExt as _};
use health_conformance::Server;
use health_hyper::Health;
use health_testees::covered::{BODY, Gate, LARGE};
use http_body_util::{BodyExt as _, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::header::{CONNECTION, UPGRADE};
use hyper::service::service_fn;
use hyper::{HeaderMap, Request, Response, StatusCode};

mod served;

use served::{Body, serve_app};

fn serve(health: Health, gate: Gate) -> io::Result<Server> {
    serve_app(health, service_fn(move |request| respond(request, gate.clone())))
}

#[expect(clippy::panic, reason = "to see what follows")]
async fn respond(request: Request<Incoming>, gate: Gate) -> Result<Response<Body>, Infallible> {
    let mut status = StatusCode::OK;
    let mut headers = HeaderMap::new();
    let mut set =
        |name, value| headers.insert(name, hyper::header::HeaderValue::from_static(value));
    let body = match request.uri().path() {
        "/" => whole(BODY),
        "/keep-alive" => {
            set(CONNECTION, "keep-alive");
            whole(BODY)
        }
        "/upgrade-required" => {
            status = StatusCode::UPGRADE_REQUIRED;
            set(CONNECTION, "upgrade");
            set(UPGRADE, "test");
            whole("")
        }
        "/wait" => {
            gate.pass().await;
            whole(BODY)
        }
        "/stream" => parts(gate.parts()),
        "/large" => whole("x".repeat(LARGE)),
        "/panic" => panic!("on purpose"),
        _ => {
            status = StatusCode::NOT_FOUND;
            whole("")
        }
    };
    let mut response = Response::new(body);
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    Ok(response)
}

/// A body that is known as a whole.
fn whole(text: impl Into<String>) -> Body {
    text.into().map_err(|never| match never {}).boxed_unsync()
}

/// A body that is a stream.
fn parts(parts: impl Stream<Item = io::Result<&'static str>> + Send + 'static) -> Body {
    StreamBody::new(parts.map_ok(|part| Frame::data(part.into()))).boxed_unsync()
}

health_testees::covered_tests!(serve);

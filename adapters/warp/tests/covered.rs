//! The wrapper covers the application: its connections and its active requests.

use std::convert::Infallible;
use std::io;

use futures::executor::block_on;
use health_conformance::Server;
use health_testees::ask;
use health_testees::covered::{BODY, Gate};
use health_testees::warp::serve_app;
use health_warp::{Health, wrap};
use tower_service::Service as _;
use warp::http::{Request, Version};
use warp::reply::{Reply, Response};
use warp::{Filter, Rejection};

mod application;

use application::app;

fn serve(health: Health, gate: Gate) -> io::Result<Server> {
    serve_app(move || wrap(health, app(gate)))
}

health_testees::covered_tests!(serve);

fn respond(
    app: impl Filter<Extract = (Response,), Error = Infallible>,
    request: Request<String>,
) -> Response {
    let Ok(response) = block_on(warp::service(app).call(request));
    response
}

#[test]
fn http_2_gets_no_connection_header() {
    let health = Health::builder().build().unwrap();
    let app = wrap(&health, warp::path!("own").map(|| BODY));
    health.drain();
    for (version, closes) in [(Version::HTTP_11, true), (Version::HTTP_2, false)] {
        for path in ["/health", "/own", "/missing"] {
            let mut request = Request::new(String::new());
            *request.version_mut() = version;
            *request.uri_mut() = path.parse().unwrap();
            let response = respond(app.clone(), request);
            assert_eq!(response.headers().contains_key("connection"), closes, "{version:?} {path}");
        }
    }
}

/// One filter for each kind of rejection, at its path.
fn rejects() -> impl Filter<Extract = (impl Reply + use<>,), Error = Rejection> + Clone + use<> {
    #[derive(Debug)]
    struct Custom;
    impl warp::reject::Reject for Custom {}

    let custom = async || Err::<&str, _>(warp::reject::custom(Custom));
    let own = warp::path!("post").and(warp::post()).map(|| BODY);
    own.or(warp::path!("header").and(warp::header::<u8>("number")).map(|_| BODY))
        .or(warp::path!("custom").and_then(custom))
}

#[test]
fn a_rejected_request_gets_the_response_of_warp() {
    let health = Health::builder().build().unwrap();
    let covered = serve_app(|| wrap(&health, rejects())).unwrap();
    let plain = serve_app(rejects).unwrap();
    for draining in [false, true] {
        for (path, status) in [("/post", 405), ("/header", 400), ("/custom", 500), ("/", 404)] {
            let request = format!("GET {path}");
            let response = ask(covered.address(), &request);
            assert_eq!(response.0, status, "{path} {draining}");
            assert_eq!(response, ask(plain.address(), &request), "{path} {draining}");
        }
        health.drain();
    }
    assert_eq!(health.active_requests(), 0);
}

#[test]
fn a_rejected_request_closes_its_connection_too() {
    let health = Health::builder().build().unwrap();
    health.drain();
    let server = serve_app(|| wrap(&health, rejects())).unwrap();
    assert_eq!(health_testees::covered::connection(server.address(), "GET /custom"), ["close"]);
}

#[test]
fn an_application_that_recovers_is_covered_as_well() {
    let health = Health::builder().build().unwrap();
    let recovers = rejects().recover(async |_: Rejection| Ok::<_, Infallible>("recovered"));
    let server = serve_app(|| wrap(&health, recovers)).unwrap();
    assert_eq!(ask(server.address(), "GET /post"), (200, "recovered".to_owned()));
    assert_eq!(ask(server.address(), "GET /health"), (200, "OK".to_owned()));
}

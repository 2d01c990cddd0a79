//! What becomes of the application's own routes at and around an endpoint's path, and of a second mount.

#![expect(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

use health_testees::ask;
use health_testees::warp::serve_app;
use health_warp::{Endpoint, Health, filter, wrap};
use warp::http::StatusCode;
use warp::reply::Reply;
use warp::{Filter, Rejection};

fn health() -> Health {
    let ready = Endpoint::readiness("/ready");
    Health::builder().endpoint(ready).build().unwrap()
}

/// One that can be told from the others: its `/ready` is draining.
fn draining() -> Health {
    let health = health();
    health.drain();
    health
}

/// What `GET` of each path is answered with.
fn answers<F, R, const N: usize>(app: F, paths: [&str; N]) -> [(u16, String); N]
where
    F: Filter<Extract = (R,)> + Clone + Send + Sync + 'static,
    R: Reply + 'static,
{
    let server = serve_app(|| app).unwrap();
    paths.map(|path| ask(server.address(), &format!("GET {path}")))
}

/// A catch-all.
fn every() -> impl Filter<Extract = (&'static str,), Error = Rejection> + Clone {
    warp::any().and_then(async || Ok::<_, Rejection>("own"))
}

fn is(status: u16, body: &str) -> (u16, String) {
    (status, body.to_owned())
}

#[test]
fn the_first_filter_that_matches_is_the_one_that_answers() {
    let own = || warp::path!("health").map(|| "own");
    let is_own = [is(200, "own")];
    assert_eq!(answers(own().or(filter(health())), ["/health"]), is_own);
    assert_eq!(answers(every().or(filter(health())), ["/health"]), is_own);
    let is_ok = [is(200, "OK")];
    assert_eq!(answers(filter(health()).or(own()), ["/health"]), is_ok);
    assert_eq!(answers(filter(health()).or(every()), ["/health"]), is_ok);
}

#[test]
fn of_two_mounts_the_first_answers() {
    let got = answers(filter(draining()).or(filter(health())), ["/ready"]);
    assert_eq!(got, [is(503, "DRAINING")]);
}

#[test]
fn a_prefix_has_to_be_part_of_the_path() {
    let app = warp::path("ready").and(filter(health()));
    let got = answers(app, ["/ready", "/health", "/ready/health"]);
    assert_eq!(got.map(|(status, _)| status), [200, 404, 404]);
}

#[test]
fn a_target_without_a_path_reaches_the_filters_of_the_application() {
    let app = filter(health()).or(every());
    let server = serve_app(|| app).unwrap();
    for request in ["GET health", "POST localhost:80", "OPTIONS *"] {
        assert_eq!(ask(server.address(), request), is(200, "own"), "{request}");
    }
}

#[test]
fn one_endpoint_can_be_mounted_without_the_others() {
    let got = answers(filter(health().at("/ready").unwrap()), ["/ready", "/health"]);
    assert_eq!(got.map(|(status, _)| status), [200, 404]);
}

#[test]
fn the_response_of_the_core_is_one_of_warp_with_headers() {
    let health = draining();
    let own = warp::path!("own").then(move || {
        let health = health.clone();
        async move { health_warp::response(health.respond("").await) }
    });
    assert_eq!(answers(own, ["/own"]), [is(299, "MAINTENANCE")]);
}

#[test]
fn a_filter_in_front_of_the_application_alone_rejects_no_polls() {
    let authorized = || warp::header::exact("authorization", "Bearer secret");
    let paths = ["/ready", "/"];
    let status = |(status, _)| status;
    let got = answers(filter(health()).or(authorized().and(every())), paths);
    assert_eq!(got.map(status), [200, 400]);
    let got = answers(authorized().and(every()).or(filter(health())), paths);
    assert_eq!(got.map(status), [200, 400]);
    let got = answers(authorized().and(filter(health()).or(every())), paths);
    assert_eq!(got.map(status), [400, 400]);
}

/// Every request gets 429, as behind a rate limit that is used up.
fn limited<F>(_below: F) -> impl Filter<Extract = (StatusCode,), Error = Rejection> + Clone {
    warp::any().and_then(async || Ok::<_, Rejection>(StatusCode::TOO_MANY_REQUESTS))
}

#[test]
fn a_wrapper_of_the_application_alone_rejects_no_polls_if_the_endpoints_come_first() {
    let paths = ["/ready", "/"];
    let status = |(status, _)| status;
    let got = answers(filter(health()).or(every().with(warp::wrap_fn(limited))), paths);
    assert_eq!(got.map(status), [200, 429]);
    let got = answers(every().with(warp::wrap_fn(limited)).or(filter(health())), paths);
    assert_eq!(got.map(status), [429, 429]);
    let got = answers(filter(health()).or(every()).with(warp::wrap_fn(limited)), paths);
    assert_eq!(got.map(status), [429, 429]);
    let got = answers(wrap(health(), every().with(warp::wrap_fn(limited))), paths);
    assert_eq!(got.map(status), [200, 429]);
    let got = answers(wrap(health(), every()).with(warp::wrap_fn(limited)), paths);
    assert_eq!(got.map(status), [429, 429]);
}

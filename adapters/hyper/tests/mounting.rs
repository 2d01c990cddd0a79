//! What becomes of the application's own paths at and around an endpoint's, and of a second mount.

#![expect(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

use std::convert::Infallible;
use std::future::ready;

use health_hyper::{Endpoint, Health, service};
use health_testees::ask;
use health_testees::hyper::serve_app;
use hyper::body::{Body, Incoming};
use hyper::service::{Service, service_fn};
use hyper::{Request, Response, StatusCode};

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

fn is(status: u16, body: &str) -> (u16, String) {
    (status, body.to_owned())
}

#[test]
fn the_endpoint_comes_before_an_application_with_every_path() {
    let own = service_fn(|_| ready(Ok::<_, Infallible>(Response::new("own".to_owned()))));
    let server = serve_app(|| service(health(), own)).unwrap();
    let got = ["GET /health", "GET /ready", "GET /other", "GET health"];
    let got = got.map(|request| ask(server.address(), request));
    assert_eq!(got, [is(200, "OK"), is(200, "OK"), is(200, "own"), is(200, "own")]);
}

#[test]
fn of_two_mounts_the_outer_answers() {
    let own = service_fn(|_| ready(Ok::<_, Infallible>(Response::new("own".to_owned()))));
    let server = serve_app(|| service(draining(), service(health(), own))).unwrap();
    assert_eq!(ask(server.address(), "GET /ready"), is(503, "DRAINING"));
}

#[test]
fn one_endpoint_can_be_mounted_without_the_others() {
    let own = service_fn(|_| ready(Ok::<_, Infallible>(Response::new("own".to_owned()))));
    let server = serve_app(|| service(health().at("/ready").unwrap(), own)).unwrap();
    let got = ["GET /ready", "GET /health"].map(|request| ask(server.address(), request));
    assert_eq!(got, [is(200, "OK"), is(200, "own")]);
}

#[test]
fn the_response_of_the_core_is_one_of_hyper_with_headers_and_reason() {
    let response = futures::executor::block_on(draining().respond(""));
    let response: Response<String> = health_hyper::response(response);
    assert_eq!(response.status(), 299);
    assert_eq!(response.headers()["cache-control"], "no-store");
    let reason = response.extensions().get::<hyper::ext::ReasonPhrase>();
    assert_eq!(reason.unwrap().as_bytes(), b"MAINTENANCE");
}

/// Rejects every request before it reaches `_below`, as a rate limit or an authentication may.
fn rejecting<S, B: Body>(
    _below: S,
) -> impl Service<Request<B>, Response = Response<String>, Error = Infallible, Future: Send> + Clone
{
    service_fn(|_| {
        let mut response = Response::default();
        *response.status_mut() = StatusCode::TOO_MANY_REQUESTS;
        ready(Ok(response))
    })
}

#[test]
fn a_service_rejects_polls_only_around_the_endpoints() {
    let own = || {
        service_fn(|_: Request<Incoming>| {
            ready(Ok::<_, Infallible>(Response::new("own".to_owned())))
        })
    };
    let below = serve_app(|| service(health(), rejecting(own()))).unwrap();
    let got = ["GET /ready", "GET /"].map(|request| ask(below.address(), request));
    assert_eq!(got, [is(200, "OK"), is(429, "")]);
    let around = serve_app(|| rejecting(service(health(), own()))).unwrap();
    assert_eq!(ask(around.address(), "GET /ready"), is(429, ""));
}

//! What becomes of the application's own routes at and around an endpoint's path, and of a second mount.

#![expect(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

use std::panic::{AssertUnwindSafe, catch_unwind};

use axum::Router;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::middleware::{Next, from_fn};
use axum::routing::{any, get};
use health_axum::{Endpoint, Endpoints, Health, router};
use health_testees::ask;
use health_testees::axum::serve_app;

fn health() -> Health {
    let ready = Endpoint::readiness("/ready");
    Health::builder().endpoint(ready).build().unwrap()
}

fn own(path: &str) -> Router {
    Router::new().route(path, get(async || "own"))
}

/// The message of the panic in `mount`.
fn panic(mount: impl FnOnce() -> Router) -> String {
    let payload = catch_unwind(AssertUnwindSafe(mount)).unwrap_err();
    *payload.downcast::<String>().unwrap()
}

/// What `GET` of each path is answered with.
fn answers<const N: usize>(app: Router, paths: [&str; N]) -> [(u16, String); N] {
    let server = serve_app(|| app).unwrap();
    paths.map(|path| ask(server.address(), &format!("GET {path}")))
}

fn is(status: u16, body: &str) -> (u16, String) {
    (status, body.to_owned())
}

#[test]
fn a_route_at_the_path_of_an_endpoint_panics_in_either_order_and_for_any_method() {
    let patch = || Router::new().route("/health", axum::routing::patch(async || "own"));
    let every = || Router::new().route("/health", any(async || "own"));
    for message in [
        panic(|| own("/health").merge(router(health()))),
        panic(|| router(health()).merge(own("/health"))),
        panic(|| patch().merge(router(health()))),
        panic(|| every().merge(router(health()))),
        panic(|| router(health()).route("/health", get(async || "own"))),
    ] {
        assert!(message.contains("\"/health\""), "{message}");
    }
}

#[test]
fn an_endpoint_that_is_mounted_twice_panics() {
    let same = health();
    let twice = panic(|| router(same.clone()).merge(router(same)));
    let two = panic(|| router(health()).merge(router(health())));
    for message in [twice, two] {
        assert!(message.contains("Invalid route"), "{message}");
    }
}

#[test]
fn a_catch_all_is_less_specific_in_either_order() {
    for app in [
        own("/{*rest}").merge(router(health())),
        router(health()).merge(own("/{*rest}")),
        own("/{page}").merge(router(health())),
    ] {
        let got = answers(app, ["/health", "/other"]);
        assert_eq!(got, [is(200, "OK"), is(200, "own")]);
    }
}

#[test]
fn in_a_nest_the_prefix_comes_before_the_path() {
    let app = Router::new().nest("/internal", router(health())).merge(own("/health"));
    let got = answers(app, ["/internal/health", "/internal/ready", "/health"]);
    assert_eq!(got, [is(200, "OK"), is(200, "OK"), is(200, "own")]);
}

#[test]
fn one_endpoint_can_be_mounted_without_the_others() {
    let ready = health().at("/ready").unwrap();
    let got = answers(router(ready.clone()), ["/ready", "/health"]);
    assert_eq!(got, [is(200, "OK"), is(404, "")]);
    let both = Endpoints::from([ready, health().at("/health").unwrap()]);
    let got = answers(router(both), ["/ready", "/health"]);
    assert_eq!(got, [is(200, "OK"), is(200, "OK")]);
}

#[test]
fn the_response_of_the_core_is_one_of_axum_with_headers_and_reason() {
    let health = health();
    health.maintenance_switch().turn_on();
    let handler = async move || health_axum::response(health.respond("").await);
    let app = Router::new().route("/own", get(handler));
    assert_eq!(answers(app, ["/own"]), [is(299, "MAINTENANCE")]);
}

#[test]
fn a_layer_rejects_polls_only_if_it_is_added_after_the_endpoints() {
    let reject = || from_fn(async |_: Request, _: Next| StatusCode::TOO_MANY_REQUESTS);
    let (rejected, ok) = (is(429, ""), is(200, "OK"));
    let paths = ["/ready", "/", "/unknown"];
    let below = router(health()).merge(own("/").layer(reject()));
    assert_eq!(answers(below, paths), [ok.clone(), rejected.clone(), rejected.clone()]);
    let below = own("/").layer(reject()).merge(router(health()));
    assert_eq!(answers(below, paths), [ok, rejected.clone(), is(404, "")]);
    let around = own("/").merge(router(health())).layer(reject());
    assert_eq!(answers(around, paths), [rejected.clone(), rejected.clone(), rejected]);
}

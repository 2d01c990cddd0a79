//! What becomes of the application's own routes at and around an endpoint's path, and of a second mount.

#![expect(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

use health_poem::{Endpoint, Health, middleware};
use health_testees::ask;
use health_testees::poem::serve_app;
use poem::endpoint::make_sync;
use poem::http::StatusCode;
use poem::{EndpointExt, Error, Route, get};

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

fn own(path: &str) -> Route {
    Route::new().at(path, get(make_sync(|_| "own")))
}

/// What `GET` of each path is answered with.
fn answers<E: poem::Endpoint + 'static, const N: usize>(
    app: E,
    paths: [&str; N],
) -> [(u16, String); N] {
    let server = serve_app(|| app).unwrap();
    paths.map(|path| ask(server.address(), &format!("GET {path}")))
}

fn is(status: u16, body: &str) -> (u16, String) {
    (status, body.to_owned())
}

#[test]
fn the_endpoint_comes_before_a_route_at_its_path_and_a_catch_all() {
    for path in ["/health", "/*rest"] {
        let got = answers(own(path).with(middleware(health())), ["/health"]);
        assert_eq!(got, [is(200, "OK")], "{path}");
    }
}

#[test]
fn of_two_mounts_the_last_answers() {
    let app = own("/").with(middleware(health())).with(middleware(draining()));
    assert_eq!(answers(app, ["/ready"]), [is(503, "DRAINING")]);
}

#[test]
fn in_a_nest_the_prefix_comes_before_the_path() {
    let inner = Route::new().with(middleware(health()));
    let app = own("/health").nest("/internal", inner);
    let got = answers(app, ["/internal/health", "/internal/ready", "/health"]);
    assert_eq!(got, [is(200, "OK"), is(200, "OK"), is(200, "own")]);
}

#[test]
fn one_endpoint_can_be_mounted_without_the_others() {
    let app = own("/").with(middleware(health().at("/ready").unwrap()));
    let got = answers(app, ["/ready", "/health"]);
    assert_eq!(got.map(|(status, _)| status), [200, 404]);
}

#[test]
fn the_response_of_the_core_is_one_of_poem_with_headers() {
    let health = draining();
    let response = futures::executor::block_on(health.respond(""));
    let response = health_poem::response(response);
    assert_eq!(response.status(), 299);
    assert_eq!(response.headers()["cache-control"], "no-store");
}

#[test]
fn a_middleware_rejects_polls_only_if_it_is_added_after_the_endpoints() {
    let too_many = async || Err::<&str, _>(Error::from_status(StatusCode::TOO_MANY_REQUESTS));
    let paths = ["/ready", "/"];
    let status = |(status, _)| status;
    let below = own("/").around(move |_, _| too_many()).with(middleware(health()));
    assert_eq!(answers(below, paths).map(status), [200, 429]);
    let around = own("/").with(middleware(health())).around(move |_, _| too_many());
    assert_eq!(answers(around, paths).map(status), [429, 429]);
}

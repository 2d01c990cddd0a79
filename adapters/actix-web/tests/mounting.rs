//! What becomes of the application's own routes at and around an endpoint's path, and of a second mount.

#![expect(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::{Next, from_fn};
use actix_web::test::{TestRequest, call_service, init_service};
use actix_web::web::{self, ServiceConfig};
use actix_web::{App, HttpResponse};
use health_actix_web::{Endpoint, Health, middleware, service};
use health_testees::actix_web::{serve_app, serve_covered};
use health_testees::ask;

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

fn own(app: &mut ServiceConfig, path: &str) {
    app.route(path, web::get().to(async || "own"));
}

/// What `GET` of each path is answered with.
fn answers<const N: usize>(
    configure: impl Fn(&mut ServiceConfig) + Clone + Send + 'static,
    paths: [&str; N],
) -> [(u16, String); N] {
    let server = serve_app(configure).unwrap();
    paths.map(|path| ask(server.address(), &format!("GET {path}")))
}

fn is(status: u16, body: &str) -> (u16, String) {
    (status, body.to_owned())
}

#[test]
fn the_first_service_at_a_path_is_the_one_that_answers() {
    for path in ["/health", "/{tail:.*}"] {
        let health = health();
        let after = health.clone();
        let got = answers(
            move |app| {
                own(app, path);
                app.service(service(after.clone()));
            },
            ["/health"],
        );
        assert_eq!(got, [is(200, "own")], "{path} before the endpoint");
        let got = answers(
            move |app| {
                app.service(service(health.clone()));
                own(app, path);
            },
            ["/health"],
        );
        assert_eq!(got, [is(200, "OK")], "{path} behind the endpoint");
    }
}

#[test]
fn of_two_mounts_the_first_answers() {
    let (first, second) = (draining(), health());
    let got = answers(
        move |app| {
            app.service(service(first.clone())).service(service(second.clone()));
        },
        ["/ready"],
    );
    assert_eq!(got, [is(503, "DRAINING")]);
}

#[test]
fn in_a_scope_the_prefix_comes_before_the_path() {
    let health = health();
    let got = answers(
        move |app| {
            app.service(web::scope("/internal").service(service(health.clone())));
            own(app, "/health");
        },
        ["/internal/health", "/internal/ready", "/health"],
    );
    assert_eq!(got, [is(200, "OK"), is(200, "OK"), is(200, "own")]);
}

#[test]
fn one_endpoint_can_be_mounted_without_the_others() {
    let health = health();
    let got = answers(
        move |app| {
            app.service(service(health.at("/ready").unwrap()));
        },
        ["/ready", "/health"],
    );
    assert_eq!(got, [is(200, "OK"), is(404, "")]);
}

#[test]
fn the_response_of_the_core_is_one_of_actix_web_with_headers_and_reason() {
    let health = draining();
    let response = futures::executor::block_on(health.respond(""));
    let response = health_actix_web::response(response);
    assert_eq!(response.status().as_u16(), 299);
    assert_eq!(response.head().reason(), "MAINTENANCE");
    assert_eq!(response.headers().get("cache-control").unwrap(), "no-store");
}

/// Rejects every request, as a rate limit or an authentication may.
async fn reject(
    request: ServiceRequest,
    _: Next<impl MessageBody>,
) -> Result<ServiceResponse, actix_web::Error> {
    Ok(request.into_response(HttpResponse::TooManyRequests().finish()))
}

#[test]
fn a_middleware_of_a_scope_rejects_no_polls_of_endpoints_before_the_scope() {
    let (rejected, ok) = (is(429, ""), is(200, "OK"));
    let scope = || web::scope("").wrap(from_fn(reject));
    let (first, last, inside) = (health(), health(), health());
    let paths = ["/ready", "/"];
    let got = answers(
        move |app| {
            app.service(service(first.clone())).service(scope().configure(|app| own(app, "/")));
        },
        paths,
    );
    assert_eq!(got, [ok, rejected.clone()]);
    let got = answers(
        move |app| {
            app.service(scope().configure(|app| own(app, "/"))).service(service(last.clone()));
        },
        paths,
    );
    assert_eq!(got, [rejected.clone(), rejected.clone()]);
    let got = answers(
        move |app| {
            app.service(scope().service(service(inside.clone())));
        },
        paths,
    );
    assert_eq!(got, [rejected.clone(), rejected]);
}

#[actix_web::test]
async fn a_middleware_of_the_app_rejects_polls_only_if_it_is_added_after_the_endpoints() {
    let app = || App::new().route("/", web::get().to(async || "own"));
    let request = |path| TestRequest::get().uri(path).to_request();
    let below = app().wrap(from_fn(reject)).wrap(middleware(health()));
    let below = init_service(below).await;
    assert_eq!(call_service(&below, request("/ready")).await.status().as_u16(), 200);
    assert_eq!(call_service(&below, request("/")).await.status().as_u16(), 429);
    let around = app().wrap(middleware(health())).wrap(from_fn(reject));
    let around = init_service(around).await;
    assert_eq!(call_service(&around, request("/ready")).await.status().as_u16(), 429);
}

#[test]
fn the_middleware_comes_before_every_service() {
    let (covers, inner) = (health(), draining());
    let server = serve_covered(covers, move |app| {
        own(app, "/health");
        app.service(service(inner.clone()));
        own(app, "/{tail:.*}");
    })
    .unwrap();
    let got = ["/health", "/ready", "/%68ealth"]
        .map(|path| ask(server.address(), &format!("GET {path}")));
    assert_eq!(got, [is(200, "OK"), is(200, "OK"), is(200, "own")]);
}

#[actix_web::test]
async fn a_middleware_of_the_app_rejects_polls_of_a_service() {
    let app = App::new().service(service(health())).wrap(from_fn(reject));
    let app = init_service(app).await;
    let response = call_service(&app, TestRequest::get().uri("/ready").to_request()).await;
    assert_eq!(response.status().as_u16(), 429);
}

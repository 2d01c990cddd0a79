//! The middleware covers the application: its connections and its active requests.

use std::future::ready;
use std::io;

use actix_web::body::{BodySize, BodyStream, MessageBody, to_bytes};
use actix_web::dev::{Service as _, ServiceRequest, ServiceResponse};
use actix_web::http::{StatusCode, Version};
use actix_web::middleware::{
    Compat, Condition, ErrorHandlerResponse, ErrorHandlers, Logger, Next, from_fn,
};
use actix_web::test::{TestRequest, call_service, init_service};
use actix_web::web::{self, Bytes, ServiceConfig};
use actix_web::{App, Error, HttpResponse};
use futures::StreamExt as _;
use health_actix_web::{Health, middleware};
use health_conformance::Server;
use health_testees::actix_web::serve_covered;
use health_testees::covered::{BODY, Gate, LARGE};

/// The length of the largest body that counts as sent with its head (H26).
const LARGEST: usize = 64 * 1024;

fn serve(health: Health, gate: Gate) -> io::Result<Server> {
    serve_covered(health, move |app| application(app, &gate))
}

fn application(app: &mut ServiceConfig, gate: &Gate) {
    let (wait, stream) = (gate.clone(), gate.clone());
    let keep_alive = || HttpResponse::Ok().insert_header(("connection", "keep-alive")).body(BODY);
    let upgrade = || {
        let mut upgrade = HttpResponse::build(StatusCode::UPGRADE_REQUIRED);
        upgrade.insert_header(("upgrade", "test")).finish()
    };
    let parts = move || {
        let parts = stream.clone().parts();
        let parts = parts.map(|part| part.map(|part| Bytes::from_static(part.as_bytes())));
        HttpResponse::Ok().body(BodyStream::new(Box::pin(parts)))
    };
    app.route("/", web::get().to(async || BODY))
        .route("/", web::head().to(async || BODY))
        .route("/keep-alive", web::get().to(move || async move { keep_alive() }))
        .route("/upgrade-required", web::get().to(move || async move { upgrade() }))
        .route("/wait", web::get().to(move || wait_for(wait.clone())))
        .route("/stream", web::get().to(move || ready(parts())))
        .route("/large", web::get().to(async || vec![b'x'; LARGE]))
        .route("/panic", web::get().to(panics));
}

async fn wait_for(gate: Gate) -> &'static str {
    gate.pass().await;
    BODY
}

#[expect(clippy::panic, reason = "to see what follows")]
async fn panics() -> &'static str {
    panic!("on purpose")
}

health_testees::covered_tests!(serve);

#[actix_web::test]
async fn http_2_is_not_told_to_close() {
    let health = Health::builder().build().unwrap();
    let app = init_service(App::new().wrap(middleware(&health))).await;
    health.drain();
    for (version, keeps) in [(Version::HTTP_11, false), (Version::HTTP_2, true)] {
        for path in ["/health", "/missing"] {
            let request = TestRequest::with_uri(path).version(version).to_request();
            let response = call_service(&app, request).await;
            let head = response.response().head();
            assert_eq!(head.keep_alive(), keeps, "{version:?} {path}");
        }
    }
    assert_eq!(health.active_requests(), 0);
}

async fn fails<B: MessageBody>(_: ServiceRequest, _: Next<B>) -> Result<ServiceResponse<B>, Error> {
    Err(actix_web::error::ErrorTooManyRequests("later"))
}

#[actix_web::test]
async fn an_error_of_a_middleware_closes_its_connection_too() {
    let health = Health::builder().build().unwrap();
    let app = init_service(App::new().wrap(from_fn(fails)).wrap(middleware(&health))).await;
    for closes in [false, true] {
        let result = app.call(TestRequest::with_uri("/").to_request()).await;
        let error = result.map(drop).unwrap_err();
        assert_eq!(error.to_string(), "later");
        let response = error.error_response();
        assert_eq!(response.status(), StatusCode::TOO_MANY_REQUESTS);
        assert_eq!(response.head().keep_alive(), !closes);
        health.drain();
    }
    assert_eq!(health.active_requests(), 0);
}

#[actix_web::test]
async fn only_a_body_that_outlasts_the_head_keeps_its_request_active() {
    let health = Health::builder().build().unwrap();
    let text = |length| web::get().to(move || ready("x".repeat(length)));
    let app = App::new().route("/", text(LARGEST)).route("/larger", text(LARGEST + 1));
    let app = init_service(app.wrap(middleware(&health))).await;

    let response = call_service(&app, TestRequest::with_uri("/").to_request()).await;
    assert_eq!(health.active_requests(), 0);
    assert_eq!(response.into_body().try_into_bytes().unwrap().len(), LARGEST);

    let response = call_service(&app, TestRequest::with_uri("/larger").to_request()).await;
    assert_eq!(health.active_requests(), 1);
    assert_eq!(response.response().body().size(), BodySize::Sized(LARGEST as u64 + 1));
    let body = to_bytes(response.into_body()).await.unwrap();
    assert_eq!(body.len(), LARGEST + 1);
    assert_eq!(health.active_requests(), 0);
}

/// Of these, the inner ones give the body another type, and the outer ones take that of a covered response.
#[actix_web::test]
async fn other_middlewares_go_inside_and_outside() {
    let health = Health::builder().build().unwrap();
    let app = App::new()
        .route("/", web::get().to(async || BODY))
        .wrap(Condition::new(true, errors()))
        .wrap(Logger::default())
        .wrap(Condition::new(true, middleware(&health)))
        .wrap(errors())
        .wrap(Condition::new(true, Logger::default()))
        .wrap(Compat::new(middleware(&health)));
    let app = init_service(app).await;
    for path in ["/", "/health", "/none"] {
        let response = call_service(&app, TestRequest::with_uri(path).to_request()).await;
        let status = response.status();
        let body = to_bytes(response.into_body()).await.unwrap();
        match path {
            "/" => assert_eq!((status, &*body), (StatusCode::OK, BODY.as_bytes())),
            "/health" => assert_eq!((status, &*body), (StatusCode::OK, &b"OK"[..])),
            _ => assert_eq!((status, &*body), (StatusCode::NOT_FOUND, &b""[..])),
        }
        assert_eq!(health.active_requests(), 0, "{path}");
    }
}

fn errors<B: 'static>() -> ErrorHandlers<B> {
    ErrorHandlers::new().handler(StatusCode::NOT_FOUND, keep)
}

fn keep<B>(response: ServiceResponse<B>) -> actix_web::Result<ErrorHandlerResponse<B>> {
    Ok(ErrorHandlerResponse::Response(response.map_into_left_body()))
}

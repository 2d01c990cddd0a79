//! The endpoint takes and changes no path of the application but its own.

use std::convert::Infallible;

use health_hyper::Health;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};

async fn app<B>(request: Request<B>) -> Result<Response<String>, Infallible> {
    let (status, text) = match (request.method(), request.uri().path()) {
        (_, "/") => (StatusCode::OK, "shop"),
        (&Method::POST, "/orders") => (StatusCode::OK, "ordered"),
        (_, "/orders") => (StatusCode::METHOD_NOT_ALLOWED, ""),
        (_, "/health/deep") => (StatusCode::OK, "deep"),
        (_, path) if path.starts_with("/orders/") => (StatusCode::OK, "order"),
        _ => (StatusCode::NOT_FOUND, "nothing here"),
    };
    let mut response = Response::new(text.to_owned());
    *response.status_mut() = status;
    Ok(response)
}

#[test]
fn every_other_path_answers_as_without_the_endpoint() {
    let health = Health::builder().build().unwrap();
    let with = health_testees::hyper::serve_app(|| health_hyper::service(health, service_fn(app)))
        .unwrap();
    let without = health_testees::hyper::serve_app(|| service_fn(app)).unwrap();
    let differences =
        health_conformance::neighbours::differences(with.address(), without.address());
    assert_eq!(differences.unwrap(), Vec::<String>::new());
}

//! The endpoint takes and changes no path of the application but its own.

use axum::Router;
use axum::routing::{get, post};
use health_axum::Health;

fn app() -> Router {
    Router::new()
        .route("/", get(|| async { "shop" }))
        .route("/orders", post(|| async { "ordered" }))
        .route("/orders/{id}", get(|| async { "order" }))
        .route("/health/deep", get(|| async { "deep" }))
        .fallback(|| async { "nothing here" })
}

#[test]
fn every_other_path_answers_as_without_the_endpoint() {
    let health = Health::builder().build().unwrap();
    let with =
        health_testees::axum::serve_app(|| app().merge(health_axum::router(health))).unwrap();
    let without = health_testees::axum::serve_app(app).unwrap();
    let differences =
        health_conformance::neighbours::differences(with.address(), without.address());
    assert_eq!(differences.unwrap(), Vec::<String>::new());
}

//! The endpoint takes and changes no path of the application but its own.

use actix_web::web::{self, ServiceConfig};
use health_actix_web::Health;

fn app(app: &mut ServiceConfig) {
    app.route("/", web::get().to(|| async { "shop" }))
        .route("/orders", web::post().to(|| async { "ordered" }))
        .route("/orders/{id}", web::get().to(|| async { "order" }))
        .route("/health/deep", web::get().to(|| async { "deep" }))
        .default_service(web::to(|| async { "nothing here" }));
}

#[test]
fn a_covered_application_answers_as_one_that_is_not() {
    let health = Health::builder().build().unwrap();
    let with = health_testees::actix_web::serve_covered(health, app).unwrap();
    let without = health_testees::actix_web::serve_app(app).unwrap();
    let differences =
        health_conformance::neighbours::differences(with.address(), without.address());
    assert_eq!(differences.unwrap(), Vec::<String>::new());
}

#[test]
fn every_other_path_answers_as_without_the_endpoint() {
    let health = Health::builder().build().unwrap();
    let with = health_testees::actix_web::serve_app(move |config| {
        app(config);
        config.service(health_actix_web::service(health.clone()));
    })
    .unwrap();
    let without = health_testees::actix_web::serve_app(app).unwrap();
    let differences =
        health_conformance::neighbours::differences(with.address(), without.address());
    assert_eq!(differences.unwrap(), Vec::<String>::new());
}

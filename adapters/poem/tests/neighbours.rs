//! The endpoint takes and changes no path of the application but its own.

use health_poem::Health;
use poem::endpoint::make_sync;
use poem::{EndpointExt, Route, get, post};

fn app() -> Route {
    Route::new()
        .at("/", get(make_sync(|_| "shop")))
        .at("/orders", post(make_sync(|_| "ordered")))
        .at("/orders/:id", get(make_sync(|_| "order")))
        .at("/health/deep", get(make_sync(|_| "deep")))
}

#[test]
fn every_other_path_answers_as_without_the_endpoint() {
    let health = Health::builder().build().unwrap();
    let with =
        health_testees::poem::serve_app(|| app().with(health_poem::middleware(health))).unwrap();
    let without = health_testees::poem::serve_app(app).unwrap();
    let differences =
        health_conformance::neighbours::differences(with.address(), without.address());
    assert_eq!(differences.unwrap(), Vec::<String>::new());
}

//! The endpoint takes and changes no path of the application but its own.

use health_rocket::Health;
use rocket::http::Method;
use rocket::route::{Outcome, Route};
use rocket::{Build, Data, Request, Rocket};

/// Says the path of its route.
fn route(method: Method, path: &str) -> Route {
    fn handler<'r>(request: &'r Request<'_>, _: Data<'r>) -> rocket::route::BoxFuture<'r> {
        let path = request.route().map(|route| route.uri.to_string());
        Box::pin(async move { Outcome::from(request, path) })
    }
    Route::new(method, path, handler)
}

fn app(app: Rocket<Build>) -> Rocket<Build> {
    let routes = vec![
        route(Method::Get, "/"),
        route(Method::Post, "/orders"),
        route(Method::Get, "/orders/<id>"),
        route(Method::Get, "/health/deep"),
    ];
    app.mount("/", routes)
}

#[test]
fn every_other_path_answers_as_without_the_endpoint() {
    let health = Health::builder().build().unwrap();
    let with = health_testees::rocket::serve_app(|rocket| {
        app(rocket).attach(health_rocket::fairing(health))
    })
    .unwrap();
    let without = health_testees::rocket::serve_app(app).unwrap();
    let differences =
        health_conformance::neighbours::differences(with.address(), without.address());
    assert_eq!(differences.unwrap(), Vec::<String>::new());
}

//! The endpoint takes and changes no path of the application but its own.

use health_warp::Health;
use warp::reply::Reply;
use warp::{Filter, Rejection};

fn app() -> impl Filter<Extract = (impl Reply + use<>,), Error = Rejection> + Clone + use<> {
    let shop = warp::path::end().and(warp::get()).map(|| "shop");
    let orders = warp::path!("orders").and(warp::post()).map(|| "ordered");
    let order = warp::path!("orders" / String).map(|_| "order");
    let deep = warp::path!("health" / "deep").and(warp::get()).map(|| "deep");
    shop.or(orders).or(order).or(deep)
}

#[test]
fn a_covered_application_answers_as_one_that_is_not() {
    let health = Health::builder().build().unwrap();
    let with = health_testees::warp::serve_app(|| health_warp::wrap(health, app())).unwrap();
    let without = health_testees::warp::serve_app(app).unwrap();
    let differences =
        health_conformance::neighbours::differences(with.address(), without.address());
    assert_eq!(differences.unwrap(), Vec::<String>::new());
}

#[test]
fn every_other_path_answers_as_without_the_endpoint() {
    let health = Health::builder().build().unwrap();
    let with = health_testees::warp::serve_app(|| health_warp::filter(health).or(app())).unwrap();
    let without = health_testees::warp::serve_app(app).unwrap();
    let differences =
        health_conformance::neighbours::differences(with.address(), without.address());
    assert_eq!(differences.unwrap(), Vec::<String>::new());
}

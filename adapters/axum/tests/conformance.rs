//! The whole conformance suite against each way to serve the endpoints, in this process.

#![expect(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

use std::io;

use axum::Router;
use axum::body::Body;
use axum::routing::any;
use health_axum::Health;
use health_conformance::Server;
use health_conformance::testee::{Application, run_suite};

#[cfg(feature = "serve")]
mod served;

fn passes_every_scenario(
    serve: impl Fn(Health, Application) -> io::Result<Server> + Sync,
    known: &str,
) {
    let report = run_suite(serve, known).unwrap();
    assert!(report.conforms(), "{report}");
    println!("{report}");
}

#[test]
fn every_scenario_passes() {
    passes_every_scenario(health_testees::axum::serve, include_str!("known.toml"));
}

fn app(application: &Application) -> Router {
    let (slow, stream) = (application.clone(), application.clone());
    let slow = async move || {
        slow.finish().await;
        "finished"
    };
    Router::new()
        .route("/application", any(async || "application"))
        .route("/slow", any(slow))
        .route("/stream", any(async move || Body::from_stream(stream.stream())))
}

#[test]
fn every_scenario_passes_through_the_layer() {
    let serve = |health, application: Application| {
        let mount = || app(&application).layer(health_axum::layer(health));
        health_testees::axum::serve_app(mount)
    };
    passes_every_scenario(serve, "");
}

#[cfg(feature = "serve")]
#[test]
fn every_scenario_passes_on_the_server() {
    let serve = |health, application: Application| served::serve_app(health, app(&application));
    passes_every_scenario(serve, "");
}

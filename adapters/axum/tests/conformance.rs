//! The whole conformance suite against each way to serve the endpoints, in this process.

#![expect(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

use std::io;

use health_axum::Health;
use health_conformance::Server;
use health_conformance::testee::{Application, run_suite};

#[cfg(feature = "serve")]
mod served;

fn passes_every_scenario(
    serve: impl Fn(Health, Application) -> io::Result<Server> + Sync,
    lacks: &str,
) {
    let known = [include_str!("known.toml"), lacks].concat();
    let report = run_suite(serve, &known).unwrap();
    assert!(report.conforms(), "{report}");
    println!("{report}");
}

#[test]
fn every_scenario_passes() {
    passes_every_scenario(health_testees::axum::serve, "");
}

#[test]
fn every_scenario_passes_on_a_router() {
    passes_every_scenario(health_testees::axum::serve_router, health_testees::NO_APPLICATION);
}

#[cfg(feature = "serve")]
#[test]
fn every_scenario_passes_on_the_server() {
    let serve =
        |health, application| served::serve_app(health, health_testees::axum::pages(application));
    passes_every_scenario(serve, "");
}

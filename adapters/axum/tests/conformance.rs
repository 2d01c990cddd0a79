//! The whole conformance suite against the axum adapter, in this process.

#![expect(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

use std::io;

use axum::Router;
use health_axum::Health;
use health_conformance::Server;
use health_conformance::testee::run_suite;
use health_testees::axum::{serve, serve_app};

fn passes_every_scenario(serve: impl Fn(Health) -> io::Result<Server> + Sync) {
    let report = run_suite(serve, include_str!("known.toml")).unwrap();
    assert!(report.conforms(), "{report}");
    println!("{report}");
}

#[test]
fn every_scenario_passes() {
    passes_every_scenario(serve);
}

#[test]
fn every_scenario_passes_through_the_layer() {
    passes_every_scenario(|health| serve_app(|| Router::new().layer(health_axum::layer(health))));
}

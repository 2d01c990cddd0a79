//! The whole conformance suite against each way to mount the endpoints, in this process.

#![expect(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

use std::io;

use health_actix_web::Health;
use health_conformance::Server;
use health_conformance::testee::{Application, run_suite};
use health_testees::actix_web::{serve, serve_app};

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
    passes_every_scenario(serve, "");
}

#[test]
fn every_scenario_passes_with_the_service_alone() {
    passes_every_scenario(
        |health, _| {
            serve_app(move |app| {
                app.service(health_actix_web::service(health.clone()));
            })
        },
        health_testees::NO_APPLICATION,
    );
}

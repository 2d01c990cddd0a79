//! The whole conformance suite against the actix-web adapter, in this process.

#![expect(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

use std::io;

use health_actix_web::Health;
use health_conformance::Server;
use health_conformance::testee::run_suite;

fn passes_every_scenario(serve: impl Fn(Health) -> io::Result<Server> + Sync) {
    let report = run_suite(serve, include_str!("known.toml")).unwrap();
    assert!(report.conforms(), "{report}");
    println!("{report}");
}

#[test]
fn every_scenario_passes() {
    passes_every_scenario(health_testees::actix_web::serve);
}

#[test]
fn every_scenario_passes_with_the_middleware() {
    let serve = |health| health_testees::actix_web::serve_covered(health, |_| {});
    passes_every_scenario(serve);
}

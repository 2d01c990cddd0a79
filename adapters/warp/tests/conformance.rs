//! The whole conformance suite against the warp adapter, in this process.

#![expect(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

use std::io;

use health_conformance::Server;
use health_conformance::testee::run_suite;
use health_warp::Health;
use warp::Filter as _;

fn passes_every_scenario(serve: impl Fn(Health) -> io::Result<Server> + Sync) {
    let report = run_suite(serve, include_str!("known.toml")).unwrap();
    assert!(report.conforms(), "{report}");
    println!("{report}");
}

#[test]
fn every_scenario_passes() {
    passes_every_scenario(health_testees::warp::serve);
}

#[test]
fn every_scenario_passes_with_the_wrapper() {
    let serve = |health| {
        let app = warp::path!("application").map(|| "application");
        health_testees::warp::serve_app(|| health_warp::wrap(health, app))
    };
    passes_every_scenario(serve);
}

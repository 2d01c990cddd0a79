//! The whole conformance suite against the Rocket adapter, in this process.

#[path = "../examples/rocket_testee.rs"]
#[expect(dead_code, reason = "its main is for the program")]
mod rocket_testee;

use health_conformance::testee::run_suite;

#[test]
fn every_scenario_passes() {
    let report = run_suite(rocket_testee::serve, include_str!("known.toml")).unwrap();
    assert!(report.conforms(), "{report}");
    println!("{report}");
}

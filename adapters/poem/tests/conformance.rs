//! The whole conformance suite against the poem adapter, in this process.

#[path = "../examples/poem_testee.rs"]
#[expect(dead_code, reason = "its main is for the program")]
mod poem_testee;

use health_conformance::testee::run_suite;

#[test]
fn every_scenario_passes() {
    let report = run_suite(poem_testee::serve, include_str!("known.toml")).unwrap();
    assert!(report.conforms(), "{report}");
    println!("{report}");
}

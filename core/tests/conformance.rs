//! The whole conformance suite against the core, behind a server of the standard library, in this process.

#[path = "../examples/core_testee.rs"]
#[expect(dead_code, reason = "its main is for the program")]
mod core_testee;

use health_conformance::testee::run_suite;

#[test]
fn every_scenario_passes() {
    let report = run_suite(core_testee::serve, include_str!("known.toml")).unwrap();
    assert!(report.conforms(), "{report}");
    println!("{report}");
}

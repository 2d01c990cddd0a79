//! The whole conformance suite against the poem adapter, in this process.

use health_conformance::testee::run_suite;

#[test]
fn every_scenario_passes() {
    let report = run_suite(health_testees::poem::serve, include_str!("known.toml")).unwrap();
    assert!(report.conforms(), "{report}");
    println!("{report}");
}

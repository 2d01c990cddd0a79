//! The whole conformance suite against the actix-web adapter, in this process.

#[path = "../examples/actix_web_testee.rs"]
#[expect(dead_code, reason = "its main is for the program")]
mod actix_web_testee;

use health_conformance::testee::run_suite;

#[test]
fn every_scenario_passes() {
    let report = run_suite(actix_web_testee::serve, include_str!("known.toml")).unwrap();
    assert!(report.conforms(), "{report}");
    println!("{report}");
}

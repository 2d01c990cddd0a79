//! Errors about checks when the endpoints are built, and their messages.

use std::time::Duration;

use health_core::{BuildError, Check, HealthBuilder};

use crate::{builder, passing};

const SECOND: Duration = Duration::from_secs(1);

fn refusal(describe: impl FnOnce(HealthBuilder) -> HealthBuilder) -> String {
    describe(builder()).build().unwrap_err().to_string()
}

#[test]
fn an_invalid_name_is_refused() {
    for name in ["", &"x".repeat(129), "a\nb", "\u{7f}", "\u{9b}"] {
        for check in [passing(name), Check::blocking(name, || Ok::<(), String>(()))] {
            let error = builder().register(check).build().unwrap_err();
            assert!(matches!(error, BuildError::CheckName { .. }), "{error}");
            let error = error.to_string();
            assert!(!error.contains(char::is_control), "{error}");
            let rule = "a name has 1 to 128 characters, none of them a control character";
            assert!(error.contains(rule), "{error}");
        }
    }
    let longest = "é".repeat(128);
    assert!(builder().register(passing(&longest)).build().is_ok());
    let endless = refusal(|b| b.register(passing(&"x".repeat(1_000_000))));
    assert!(endless.len() < 2000);
}

#[test]
fn two_checks_of_one_name_are_refused_whatever_their_kind() {
    let expected = r#"two checks are named "database": give each its own name"#;
    for second in [
        passing("database"),
        Check::blocking("database", || Ok::<(), String>(())),
        Check::event("database", |_| ()),
    ] {
        let error = refusal(|b| {
            b.register(passing("database")).register(passing("queue")).register(second)
        });
        assert_eq!(error, expected);
    }
}

#[test]
fn a_timeout_of_zero_is_refused() {
    assert_eq!(
        refusal(|b| b.register(passing("database").timeout(Duration::ZERO))),
        r#"the timeout of the check "database" is zero: it must be longer"#
    );
}

#[test]
fn a_period_for_failing_is_refused_without_another_or_if_it_is_too_short() {
    let refusal = |check: Check| builder().register(check).build().unwrap_err().to_string();
    let check = || passing("database").timeout(Duration::from_secs(2));
    let (short, long) = (Duration::from_secs(1), Duration::from_secs(60));
    assert_eq!(
        refusal(check().every_while_failing(long)),
        "Check::every_while_failing has no effect on the check \"database\", which does not run in the background: \
         remove the call, or call Check::every"
    );
    assert_eq!(
        refusal(check().every(long).every_while_failing(short)),
        "the check \"database\" runs every 1s, but may take 2s: make the period at least as long as the timeout"
    );
    assert_eq!(
        refusal(check().every(long).every_while_failing(Duration::ZERO)),
        "the period of the check \"database\" is zero: it must be longer"
    );
}

#[test]
fn a_period_shorter_than_the_timeout_is_refused() {
    assert_eq!(
        refusal(|b| b.register(passing("database").timeout(2 * SECOND).every(SECOND))),
        r#"the check "database" runs every 1s, but may take 2s: make the period at least as long as the timeout"#
    );
    let same = passing("database").timeout(SECOND).every(SECOND);
    assert!(builder().register(same).build().is_ok());
    assert_eq!(
        refusal(|b| b.register(passing("database").every(Duration::ZERO))),
        r#"the period of the check "database" is zero: it must be longer"#
    );
}

#[test]
fn a_run_that_ends_before_the_timeout_of_its_check_is_refused() {
    let check = || passing("database").timeout(2 * SECOND);
    assert_eq!(
        refusal(|b| b.run_timeout(SECOND).register(check())),
        r#"the check "database" may take 2s, but a run only 1s: make HealthBuilder::run_timeout at least as long"#
    );
    assert_eq!(
        refusal(|b| b.timeout(3 * SECOND).run_timeout(SECOND).register(passing("database"))),
        r#"the check "database" may take 3s, but a run only 1s: make HealthBuilder::run_timeout at least as long"#
    );
    let accepted = |check| builder().run_timeout(SECOND).register(check).build().is_ok();
    // A run does not execute background checks, and a check that sets no timeout gets that of the run.
    assert!(accepted(check().every(60 * SECOND)));
    assert!(accepted(passing("database")));
}

#[test]
fn a_threshold_of_zero_is_refused() {
    let expected = r#"a threshold of the check "database" is zero: it must be 1 or more"#;
    let failures = passing("database").failure_threshold(0);
    assert_eq!(refusal(|b| b.register(failures)), expected);
    let successes = passing("database").success_threshold(0);
    assert_eq!(refusal(|b| b.register(successes)), expected);
}

#[test]
fn a_share_for_slow_checks_is_a_part_of_the_timeout() {
    for share in [0.0, -0.5, 1.01, f64::NAN, f64::INFINITY] {
        let expected = "it must be above 0 and at most 1, which is the whole timeout";
        let error = refusal(|b| b.slow_share(share));
        assert_eq!(error, format!("HealthBuilder::slow_share is {share}: {expected}"));
    }
    assert!(builder().slow_share(1.0).build().is_ok());
}

#[test]
fn a_limit_of_zero_is_refused() {
    for (limit, error) in [
        ("timeout", refusal(|b| b.timeout(Duration::ZERO))),
        ("run_timeout", refusal(|b| b.run_timeout(Duration::ZERO))),
        ("maintenance_timeout", refusal(|b| b.maintenance_timeout(Duration::ZERO))),
        ("concurrent_checks", refusal(|b| b.concurrent_checks(0))),
        ("blocking_threads", refusal(|b| b.blocking_threads(0))),
    ] {
        assert_eq!(error, format!("HealthBuilder::{limit} is zero: it must be more"));
    }
}

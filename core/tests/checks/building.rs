//! Errors about checks when the endpoints are built, and their messages.

use std::time::Duration;

use health_core::{BuildError, Check, Criticality, Health, HealthBuilder, HealthConfig};

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

#[test]
fn facts_that_a_page_could_not_show_are_refused() {
    let text_rule = "it must have 1 to 1024 bytes and no control character";
    let long = "x".repeat(1025);
    for text in ["", "two\nlines", &long] {
        let shown = if text == long { format!("{}…", &long[1..]) } else { text.to_owned() };
        let refused = |fact: &str| {
            format!("the check \"database\" cannot have the {fact} {shown:?}: {text_rule}")
        };
        let description = passing("database").description(text);
        assert_eq!(refusal(|b| b.register(description)), refused("description"));
        let owner = passing("database").owner(text);
        assert_eq!(refusal(|b| b.register(owner)), refused("owner"));
    }
    for url in [
        "",
        "https://",
        "runbooks/database",
        "javascript:alert(1)",
        "HTTPS://example.org",
        "https://example.org/a b",
        "https://example.org/\u{202e}",
        "https://example.org/\"onmouseover=alert(1)//",
        "https://example.org/<b>",
        &format!("https://{long}"),
    ] {
        let error = refusal(|b| b.register(passing("database").runbook(url)));
        assert!(error.starts_with("the check \"database\" cannot have the runbook \""), "{error}");
        assert!(error.contains("it must start with https:// or http://"), "{error}");
    }
}

#[test]
fn a_check_is_described_by_what_the_program_and_the_settings_say_of_it() {
    let pairs = [
        ("healthcheck.disablefile", ""),
        ("healthcheck.check.database.timeout", "700ms"),
        ("healthcheck.check.database.every", "9s"),
    ];
    let database = passing("database")
        .description("Reads one row")
        .owner("storage")
        .runbook("https://example.org/database?page=1")
        .shared()
        .tag("deep");
    let health = Health::builder()
        .config(HealthConfig::from_pairs(pairs).unwrap())
        .register(database)
        .register(passing("cache").optional().process_only())
        .build()
        .unwrap();
    let [database, cache] = &health.checks().collect::<Vec<_>>()[..] else { panic!() };
    assert_eq!(database.name, "database");
    assert_eq!(database.description.as_deref(), Some("Reads one row"));
    assert_eq!(database.owner.as_deref(), Some("storage"));
    assert_eq!(database.runbook.as_deref(), Some("https://example.org/database?page=1"));
    assert_eq!(database.timeout, Duration::from_millis(700));
    assert_eq!(database.period, Some(9 * SECOND));
    assert!(database.is_shared && database.tags.contains("deep"));
    assert_eq!(database.criticality, Criticality::Required);
    assert_eq!(cache.criticality, Criticality::Optional);
    assert!(cache.is_process_only && !cache.is_shared && cache.description.is_none());
}

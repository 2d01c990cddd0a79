//! What is refused when an endpoint is built.

use std::future::ready;
use std::time::Duration;

use health_core::{BuildError, Check, HealthBuilder};

use crate::builder;

const SECOND: Duration = Duration::from_secs(1);

fn check(name: &str) -> Check {
    Check::new(name, || ready(Ok::<(), String>(())))
}

fn refusal(describe: impl FnOnce(HealthBuilder) -> HealthBuilder) -> BuildError {
    describe(builder()).build().unwrap_err()
}

#[test]
fn a_name_that_is_none_is_refused() {
    for name in ["", &"x".repeat(129), "a\nb", "\u{7f}", "\u{9b}"] {
        for check in [check(name), Check::blocking(name, || Ok::<(), String>(()))] {
            let error = refusal(|b| b.register(check));
            let expected = BuildError::CheckName {
                name: name.to_owned(),
            };
            assert_eq!(error, expected);
            let shown = error.to_string();
            assert!(!shown.contains(char::is_control), "{shown}");
        }
    }
    assert!(builder().register(check(&"é".repeat(128))).build().is_ok());
    let endless = refusal(|b| b.register(check(&"x".repeat(1_000_000))));
    assert!(endless.to_string().len() < 2000);
}

#[test]
fn a_deadline_of_zero_is_refused() {
    let error = refusal(|b| b.register(check("database").timeout(Duration::ZERO)));
    let name = "database".to_owned();
    assert_eq!(error, BuildError::ZeroTimeout { name });
    assert!(error.to_string().contains("\"database\""), "{error}");
}

#[test]
fn a_period_shorter_than_the_deadline_is_refused() {
    let error = refusal(|b| b.register(check("database").timeout(2 * SECOND).every(SECOND)));
    assert_eq!(
        error,
        BuildError::ShortPeriod {
            name: "database".to_owned(),
            period: SECOND,
            timeout: 2 * SECOND,
        }
    );
    let same = check("database").timeout(SECOND).every(SECOND);
    assert!(builder().register(same).build().is_ok());
    let zero = refusal(|b| b.register(check("database").every(Duration::ZERO)));
    let name = "database".to_owned();
    assert_eq!(zero, BuildError::ZeroPeriod { name });
}

#[test]
fn a_threshold_of_zero_is_refused() {
    let expected = BuildError::ZeroThreshold {
        name: "database".to_owned(),
    };
    assert_eq!(
        refusal(|b| b.register(check("database").failure_threshold(0))),
        expected
    );
    assert_eq!(
        refusal(|b| b.register(check("database").success_threshold(0))),
        expected
    );
}

#[test]
fn a_bound_of_zero_is_refused_and_named() {
    let bound = |describe: fn(HealthBuilder) -> HealthBuilder| match refusal(describe) {
        BuildError::ZeroBound { bound } => bound,
        error => panic!("{error}"),
    };
    assert_eq!(bound(|b| b.timeout(Duration::ZERO)), "timeout");
    assert_eq!(bound(|b| b.run_timeout(Duration::ZERO)), "run_timeout");
    assert_eq!(
        bound(|b| b.maintenance_timeout(Duration::ZERO)),
        "maintenance_timeout"
    );
    assert_eq!(bound(|b| b.concurrent_checks(0)), "concurrent_checks");
    assert_eq!(bound(|b| b.blocking_threads(0)), "blocking_threads");
}

#[test]
fn a_subscriber_with_a_name_shares_it_with_no_check() {
    struct Silent;
    #[health_core::async_trait]
    impl health_core::HealthSubscriber for Silent {
        async fn on_health_check(&self, _: &mut health_core::HealthCheckEvent) {}
    }
    let both = |b: HealthBuilder| {
        b.register(check("database"))
            .register(Check::subscriber("database", Silent))
    };
    let name = "database".to_owned();
    assert_eq!(refusal(both), BuildError::DuplicateCheck { name });
}

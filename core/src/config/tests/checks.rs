//! When checks run, how long they may take and how often they run, as settings.

use std::time::Duration;

use super::{pair, refusal, variable};
use crate::config::{CheckSetting, ConfigRule, HealthConfig, RunChecks};

#[test]
fn checks_run_on_request_always_or_never() {
    for (text, expected) in [
        ("on_request", RunChecks::OnRequest),
        ("always", RunChecks::Always),
        ("never", RunChecks::Never),
    ] {
        assert_eq!(pair("healthcheck.run_checks", text).unwrap().run_checks(), expected);
        assert_eq!(expected.to_string(), text);
    }
    for text in ["", "Never", "never ", "false", "off", "request"] {
        assert_eq!(refusal("healthcheck.run_checks", text), ConfigRule::RunChecks);
    }
}

#[test]
fn a_duration_that_is_malformed_is_refused_by_every_setting_that_takes_one() {
    for key in [
        "healthcheck.timeout",
        "healthcheck.check.database.timeout",
        "healthcheck.check.database.every",
    ] {
        for text in ["", "2", "0s", "2 s", "1.5s", "forever"] {
            assert_eq!(refusal(key, text), ConfigRule::Duration, "{key}");
        }
    }
    let timeout = pair("healthcheck.timeout", "1500ms").unwrap().timeout();
    assert_eq!(timeout, Some(Duration::from_millis(1500)));
}

/// The number of the check that each setting is for, and what it sets.
fn of_checks(config: &HealthConfig, names: &[&str]) -> Vec<(Option<usize>, CheckSetting, u64)> {
    let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
    let settings = config.of_checks().iter().map(|setting| {
        let number = setting.find(&names).unwrap();
        (number, setting.setting, setting.value.as_secs())
    });
    settings.collect()
}

#[test]
fn a_key_names_a_check_exactly_whatever_its_name_holds() {
    let names = ["database", "db.primary", "stock list", "a.timeout"];
    let config = HealthConfig::from_pairs([
        ("healthcheck.check.db.primary.timeout", "1s"),
        ("healthcheck.check.stock list.every", "60s"),
        ("healthcheck.check.a.timeout.timeout", "3s"),
    ]);
    assert_eq!(
        of_checks(&config.unwrap(), &names),
        [
            (Some(1), CheckSetting::Timeout, 1),
            (Some(2), CheckSetting::Every, 60),
            (Some(3), CheckSetting::Timeout, 3),
        ]
    );
}

#[test]
fn a_variable_names_a_check_in_capitals_with_underscores_for_all_else() {
    let names = ["stock-list", "db.primary", "größe", "a timeout"];
    let config = HealthConfig::from_variables(
        [
            ("HEALTHCHECK_CHECK_DB_PRIMARY_TIMEOUT", "1s"),
            ("HEALTHCHECK_CHECK_STOCK_LIST_EVERY", "60s"),
            ("HEALTHCHECK_CHECK_GR__E_TIMEOUT", "3s"),
            ("HEALTHCHECK_CHECK_A_TIMEOUT_TIMEOUT", "4s"),
            ("HEALTHCHECK_CHECK_OTHER_TIMEOUT", "5s"),
        ]
        .map(|(name, value)| (name.into(), value.into())),
    )
    .unwrap();
    assert_eq!(
        of_checks(&config, &names),
        [
            (Some(1), CheckSetting::Timeout, 1),
            (Some(0), CheckSetting::Every, 60),
            (Some(2), CheckSetting::Timeout, 3),
            (Some(3), CheckSetting::Timeout, 4),
            (None, CheckSetting::Timeout, 5),
        ]
    );
    assert_eq!(config.unknown_variables(), [""; 0]);
}

#[test]
fn a_key_of_a_check_that_does_not_exist_is_refused_with_those_that_do() {
    let config = pair("healthcheck.check.databse.timeout", "2s").unwrap();
    let known = vec!["database".to_owned(), "mail".to_owned()];
    let error = config.of_checks()[0].find(&known).unwrap_err();
    assert_eq!(error.rule(), &ConfigRule::UnknownCheck { known });
    assert_eq!(
        error.to_string(),
        "healthcheck.check.databse.timeout = \"2s\" is refused: there is no such check; the checks are \"database\", \
         \"mail\""
    );
}

#[test]
fn a_variable_that_two_checks_answer_to_is_refused_with_both() {
    let config = variable("HEALTHCHECK_CHECK_A_B_TIMEOUT", "2s").unwrap();
    let names = ["c", "a-b", "a.b"].map(str::to_owned);
    let error = config.of_checks()[0].find(&names).unwrap_err();
    let checks = names[1..].to_vec();
    assert_eq!(error.rule(), &ConfigRule::AmbiguousVariable { checks });
    assert!(error.to_string().contains("\"a-b\", \"a.b\""), "{error}");
}

#[test]
fn of_two_settings_for_one_check_the_later_counts() {
    let config = pair("healthcheck.check.db.timeout", "1s")
        .and_then(|config| config.with_pairs([("healthcheck.check.db.timeout", "2s")]))
        .and_then(|config| {
            config.with_variables([("HEALTHCHECK_CHECK_DB_TIMEOUT".into(), "3s".into())])
        });
    let settings = of_checks(&config.unwrap(), &["db"]);
    assert_eq!(settings.last().unwrap().2, 3);
    assert_eq!(settings.len(), 2);
}

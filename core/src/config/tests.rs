//! What each setting accepts and refuses, one test a row.

mod checks;
mod environment;
mod odd;
#[cfg(feature = "serde")]
mod serde;

use std::ffi::OsString;
use std::path::Path;

use super::{ConfigError, ConfigRule, HealthConfig, RunChecks};

fn pair(key: &str, value: &str) -> Result<HealthConfig, ConfigError> {
    HealthConfig::from_pairs([(key, value)])
}

fn variable(name: &str, value: impl Into<OsString>) -> Result<HealthConfig, ConfigError> {
    HealthConfig::from_variables([(name.into(), value.into())])
}

/// The rule that refuses; the message names key, value and rule.
fn refusal(key: &str, value: &str) -> ConfigRule {
    let error = pair(key, value).unwrap_err();
    assert_eq!((error.key(), error.value()), (key, value));
    let message = error.to_string();
    assert!(message.contains(key), "{message}");
    assert!(message.contains(&format!("{value:?}")), "{message}");
    assert!(message.contains(&error.rule().to_string()), "{message}");
    error.rule().clone()
}

#[test]
fn nothing_set_means_the_documented_defaults() {
    let config = HealthConfig::from_pairs::<&str, &str>([]).unwrap();
    assert_eq!(config, HealthConfig::default());
    assert_eq!(config.url(), "/health");
    assert_eq!(config.disablefile(), Some(Path::new("/tmp/maintenance")));
    assert_eq!(config.maintenance_code(), 299);
    assert_eq!(config.failure_code(), 503);
    assert_eq!(config.run_checks(), RunChecks::OnRequest);
    assert_eq!(config.timeout(), None);
}

#[test]
fn settings_are_equal_when_they_set_the_same() {
    let default = HealthConfig::default();
    for (key, value) in [
        ("healthcheck.url", "/status"),
        ("healthcheck.disablefile", "/run/shop/maintenance"),
        ("healthcheck.maintenance_code", "503"),
        ("healthcheck.failure_code", "500"),
        ("healthcheck.run_checks", "never"),
        ("healthcheck.timeout", "5s"),
        ("healthcheck.check.database.timeout", "5s"),
    ] {
        assert_ne!(pair(key, value).unwrap(), default, "{key}");
    }
    assert_eq!(variable("HEALTHCHECK_INTERVAL", "30s").unwrap(), default);
}

#[test]
fn a_url_without_a_slash_is_refused() {
    assert_eq!(refusal("healthcheck.url", "health"), ConfigRule::UrlStart);
}

#[test]
fn an_empty_url_is_refused() {
    assert_eq!(refusal("healthcheck.url", ""), ConfigRule::UrlStart);
}

#[test]
fn a_url_with_a_pattern_is_refused() {
    for (url, character) in [("/{id}", '{'), ("/a/<id>", '<'), ("/*rest", '*'), ("/health*", '*')] {
        assert_eq!(refusal("healthcheck.url", url), ConfigRule::UrlCharacter(character));
    }
    for url in ["/:id", "/a/:id/b", "/a/b/:"] {
        assert_eq!(refusal("healthcheck.url", url), ConfigRule::UrlPattern);
    }
}

#[test]
fn a_url_with_a_character_that_no_path_holds_is_refused() {
    for character in ['?', '#', ' ', '\n', '\0', '\u{7f}', '\u{85}', '%', '"', 'é'] {
        assert_eq!(
            refusal("healthcheck.url", &format!("/a{character}b")),
            ConfigRule::UrlCharacter(character)
        );
    }
}

#[test]
fn every_character_of_a_path_is_accepted_in_a_url() {
    let url = "/AZaz09-._~!$&'()+,;=:@//x/";
    assert_eq!(pair("healthcheck.url", url).unwrap().url(), url);
}

#[test]
fn code_99_is_refused() {
    assert_eq!(code_refusal("99"), ConfigRule::CodeRange);
}

#[test]
fn code_600_is_refused() {
    assert_eq!(code_refusal("600"), ConfigRule::CodeRange);
}

#[test]
fn codes_that_cannot_carry_a_body_are_refused() {
    for code in ["204", "205", "304"] {
        assert_eq!(code_refusal(code), ConfigRule::CodeWithoutBody);
    }
}

#[test]
fn a_code_that_is_no_whole_number_is_refused() {
    for code in ["abc", "", "+299", "-299", " 299", "299.0", "0x12b", "٢٩٩", "65836", "0299"] {
        assert_eq!(code_refusal(code), ConfigRule::CodeRange);
    }
}

fn code_refusal(code: &str) -> ConfigRule {
    let rule = refusal("healthcheck.maintenance_code", code);
    assert_eq!(refusal("healthcheck.failure_code", code), rule);
    rule
}

#[test]
fn every_other_code_from_200_to_599_is_accepted() {
    for code in (200..=599).filter(|code| ![204, 205, 304].contains(code)) {
        let config = HealthConfig::default().with_maintenance_code(code).unwrap();
        assert_eq!(config.maintenance_code(), code);
        let config = HealthConfig::default().with_failure_code(code).unwrap();
        assert_eq!(config.failure_code(), code);
    }
}

#[test]
fn an_unknown_setting_is_refused() {
    for key in [
        "healthcheck.ulr",
        "healthcheck.URL",
        "healthcheck.",
        "healthcheck.check",
        "healthcheck.check.timeout",
        "healthcheck.check..timeout",
        "healthcheck.check.database.tiemout",
    ] {
        assert_eq!(refusal(key, "/health"), ConfigRule::UnknownSetting);
    }
    assert_eq!(
        ConfigRule::UnknownSetting.to_string(),
        "there is no such setting, only healthcheck.url, healthcheck.disablefile, \
         healthcheck.maintenance_code, healthcheck.failure_code, healthcheck.run_checks, healthcheck.timeout, \
         healthcheck.check.<NAME>.timeout, healthcheck.check.<NAME>.every"
    );
}

#[test]
fn a_refusal_of_what_the_program_sets_names_the_setting() {
    let config = HealthConfig::default;
    for (refused, key, value) in [
        (config().with_url("status"), "url", "status"),
        (config().with_maintenance_code(99), "maintenance_code", "99"),
        (config().with_failure_code(99), "failure_code", "99"),
    ] {
        let error = refused.unwrap_err();
        assert_eq!(error.key(), format!("healthcheck.{key}"));
        assert_eq!(error.value(), value);
    }
}

#[test]
fn settings_of_others_are_ignored() {
    let settings = [("app.name", "shop"), ("healthchecks.url", "")];
    let config = HealthConfig::from_pairs(settings).unwrap();
    assert_eq!(config, HealthConfig::default());
}

#[test]
fn of_a_setting_given_twice_the_later_value_counts() {
    let settings = [("healthcheck.url", "/a"), ("healthcheck.url", "/b")];
    assert_eq!(HealthConfig::from_pairs(settings).unwrap().url(), "/b");
}

#[test]
fn an_empty_disablefile_turns_maintenance_off() {
    let off = pair("healthcheck.disablefile", "").unwrap();
    assert_eq!(off.disablefile(), None);
    assert_eq!(HealthConfig::default().with_disablefile(""), off);
    assert_eq!(variable("HEALTHCHECK_DISABLEFILE", "").unwrap(), off);
}

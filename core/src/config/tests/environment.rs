//! Settings from environment variables.

use super::variable;
use crate::config::{HealthConfig, RunChecks};

#[test]
fn the_environment_sets_the_same_settings() {
    let variables = [
        ("HEALTHCHECK_URL", "/status"),
        ("HEALTHCHECK_DISABLEFILE", "/run/shop/maintenance"),
        ("HEALTHCHECK_MAINTENANCE_CODE", "503"),
        ("HEALTHCHECK_FAILURE_CODE", "500"),
        ("HEALTHCHECK_RUN_CHECKS", "never"),
        ("PATH", "/bin"),
    ];
    let expected = HealthConfig::default()
        .with_url("/status")
        .and_then(|config| config.with_maintenance_code(503))
        .and_then(|config| config.with_failure_code(500))
        .unwrap()
        .with_disablefile("/run/shop/maintenance")
        .with_run_checks(RunChecks::Never);
    assert_eq!(
        HealthConfig::from_variables(variables.map(|(k, v)| (k.into(), v.into()))).unwrap(),
        expected
    );
}

#[test]
fn an_error_from_the_environment_names_the_variable() {
    let error = variable("HEALTHCHECK_FAILURE_CODE", "abc").unwrap_err();
    assert_eq!(error.key(), "HEALTHCHECK_FAILURE_CODE");
}

#[test]
fn one_source_can_be_laid_over_another() {
    let file = [("healthcheck.url", "/file"), ("healthcheck.failure_code", "500")];
    let environment = [("HEALTHCHECK_URL".into(), "/environment".into())];
    let config = HealthConfig::from_pairs(file)
        .and_then(|config| config.with_variables(environment))
        .unwrap();
    assert_eq!(config.url(), "/environment");
    assert_eq!(config.failure_code(), 500);
}

#[test]
fn an_unknown_variable_is_kept_for_a_warning() {
    let config = variable("HEALTHCHECK_INTERVAL", "30s").unwrap();
    assert_eq!(config.unknown_variables(), ["HEALTHCHECK_INTERVAL"]);
    assert_eq!(config.url(), "/health");
}

#[cfg(unix)]
#[test]
fn a_variable_that_is_not_utf8_is_refused_unless_it_is_the_path() {
    use std::ffi::OsString;
    use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};

    use crate::config::ConfigRule;

    let bytes = || OsString::from_vec(b"/m\xff".to_vec());
    for name in [
        "HEALTHCHECK_URL",
        "HEALTHCHECK_MAINTENANCE_CODE",
        "HEALTHCHECK_FAILURE_CODE",
        "HEALTHCHECK_RUN_CHECKS",
        "HEALTHCHECK_TIMEOUT",
        "HEALTHCHECK_CHECK_DATABASE_EVERY",
    ] {
        let error = variable(name, bytes()).unwrap_err();
        assert_eq!((error.key(), error.rule()), (name, &ConfigRule::NotUtf8));
    }
    let config = variable("HEALTHCHECK_DISABLEFILE", bytes()).unwrap();
    let path = config.disablefile().unwrap();
    assert_eq!(path.as_os_str().as_bytes(), b"/m\xff");

    let unknown = OsString::from_vec(b"HEALTHCHECK_\xff".to_vec());
    let config = HealthConfig::from_variables([(unknown, bytes())]).unwrap();
    assert_eq!(config.unknown_variables(), ["HEALTHCHECK_\u{fffd}"]);
}

//! What is said of a setting that is odd, whether it is refused or accepted.

use std::path::Path;

use super::{pair, variable};
use crate::config::{ConfigRule, HealthConfig};

#[test]
fn an_error_reports_likely_mistakes_in_the_value() {
    for (name, value, said) in [
        ("HEALTHCHECK_FAILURE_CODE", "503\r", "carriage return"),
        ("HEALTHCHECK_FAILURE_CODE", "503 ", "blank"),
        ("HEALTHCHECK_MAINTENANCE_CODE", "\"503\"", "quote"),
        ("HEALTHCHECK_MAINTENANCE_CODE", "503 # unavailable", "`#`"),
        ("HEALTHCHECK_MAINTENANCE_CODE", "${CODE}", "`${CODE}`"),
        ("HEALTHCHECK_URL", "'/health'", "quote"),
        ("HEALTHCHECK_URL", "/health\r", "carriage return"),
        ("HEALTHCHECK_URL", "/he%20alth", "percent escape"),
        ("HEALTHCHECK_URL", "$URL", "`$URL`"),
        ("HEALTHCHECK_URL", "~/health", "`~`"),
        ("HEALTHCHECK_URL", "\u{feff}/health", "U+FEFF"),
        ("HEALTHCHECK_TIMEOUT", "2s\n", "line break"),
        ("HEALTHCHECK_RUN_CHECKS", "\"never\"", "quote"),
    ] {
        let error = variable(name, value).unwrap_err().to_string();
        assert!(error.contains(said), "{error} lacks {said}");
        assert!(!error.contains(char::is_control), "{error:?}");
    }
    let plain = variable("HEALTHCHECK_FAILURE_CODE", "99").unwrap_err();
    assert!(!plain.to_string().contains("of the value"), "{plain}");
}

#[test]
fn an_error_reports_likely_mistakes_in_the_key() {
    for (key, said) in [
        ("healthcheck.url ", "blank"),
        ("healthcheck.url\r", "carriage return"),
        ("\u{feff}healthcheck.url", "U+FEFF"),
        ("\"healthcheck.url\"", "quote"),
        ("HEALTHCHECK.URL", "only healthcheck.url"),
    ] {
        let error = pair(key, "/status").unwrap_err();
        assert_eq!(error.rule(), &ConfigRule::UnknownSetting, "{key:?}");
        let error = error.to_string();
        assert!(error.contains(said), "{error} lacks {said}");
        assert!(!error.contains(char::is_control), "{error:?}");
    }
}

#[test]
fn keys_that_only_resemble_the_prefix_are_of_others() {
    let others = [
        ("HealthCheck.Enabled", "true"),
        ("\"healthcheck\"", ""),
        ("healthcheck", ""),
        ("app.healthcheck.url", ""),
    ];
    let config = HealthConfig::from_pairs(others).unwrap();
    assert_eq!(config, HealthConfig::default());
}

#[test]
fn a_variable_that_was_meant_for_a_setting_is_kept_for_a_warning() {
    for name in [
        "healthcheck_url",
        "healthcheck.url",
        "HEALTHCHECK.URL",
        "export HEALTHCHECK_URL",
        "\u{feff}HEALTHCHECK_URL",
        "HEALTHCHECK-URL",
        "HEALTHCHECK_URL\r",
        "HEALTHCHECK_CHECK_A_TIEMOUT",
        "healthcheck.check.a.timeout",
    ] {
        let config = variable(name, "/status").unwrap();
        assert_eq!(config.unknown_variables(), [name]);
        assert_eq!(config.url(), "/health");
    }
    for name in ["healthcheck_interval", "MY_HEALTHCHECK_URL", "HEALTH_URL", "URL"] {
        let config = variable(name, "/status").unwrap();
        assert_eq!(config.unknown_variables(), [""; 0], "{name}");
    }
}

#[test]
fn a_path_with_a_nul_is_refused_as_no_file_can_have_that_name() {
    let error = pair("healthcheck.disablefile", "/run/shop/m\0").unwrap_err();
    assert_eq!(error.rule(), &ConfigRule::PathNul);
    assert!(error.to_string().contains("NUL"), "{error}");
    let in_code = HealthConfig::default().with_disablefile("/run/shop/m\0");
    assert_eq!(in_code.recheck().unwrap_err(), error);
    assert_eq!(HealthConfig::default().recheck(), Ok(()));
}

/// What is odd about the text of a path.
fn odd_path(path: &str) -> Vec<String> {
    HealthConfig::default().with_disablefile(path).odd_disablefile()
}

#[test]
fn a_disablefile_that_no_touch_will_reach_is_odd() {
    for (path, said) in [
        ("~/maintenance", "`~`"),
        ("'/run/shop/maintenance'", "quote"),
        ("/run/shop/maintenance\r", "carriage return"),
        ("/run/shop/maintenance ", "blank"),
        ("$RUNTIME_DIRECTORY/maintenance", "`$RUNTIME_DIRECTORY`"),
        ("maintenance", "working directory"),
        ("false", "an empty value turns maintenance off"),
        ("/run/shop/maintenance/", "slash"),
    ] {
        let odd = odd_path(path).join("; ");
        assert!(odd.contains(said), "{path:?}: {odd:?} lacks {said}");
    }
    let directory = std::env::current_dir().unwrap();
    let shown = format!("{:?}", Path::new(&directory));
    assert!(odd_path("maintenance").join("; ").contains(&shown));
    for path in ["", "/run/shop/maintenance", "/srv/my shop/c#/100%"] {
        assert_eq!(odd_path(path), [""; 0], "{path:?}");
    }
}

/// The odd settings, each with its clauses.
fn odd_settings(config: HealthConfig) -> Vec<String> {
    let odd = config.odd_settings().into_iter();
    let odd = odd.map(|it| format!("{} = {}: {}", it.key, it.value, it.odd.join("; ")));
    odd.collect()
}

#[test]
fn a_code_below_400_is_odd() {
    let codes = |maintenance, failure| {
        let config = HealthConfig::default().with_maintenance_code(maintenance);
        odd_settings(config.and_then(|it| it.with_failure_code(failure)).unwrap())
    };
    for code in [200, 201, 299, 300, 399] {
        let odd = codes(299, code).join("\n");
        assert!(odd.contains(&format!("healthcheck.failure_code = {code}: ")), "{odd}");
        assert!(odd.contains("will not notice a failure"), "{odd}");
    }
    for code in [200, 298, 300, 302, 399] {
        let odd = codes(code, 503).join("\n");
        assert!(odd.contains(&format!("healthcheck.maintenance_code = {code}: ")), "{odd}");
    }
    assert_eq!(codes(200, 200).len(), 2);
    for code in [400, 404, 429, 500, 503, 599] {
        assert_eq!(codes(code, code), [""; 0], "{code}");
    }
    assert_eq!(odd_settings(HealthConfig::default()), [""; 0]);
}

#[test]
fn a_url_that_is_accepted_with_a_placeholder_or_quote_in_it_is_odd() {
    for (url, said) in [("/$NAME/health", "`$NAME`"), ("/health'", "quote")] {
        let config = HealthConfig::default().with_url(url).unwrap();
        let odd = odd_settings(config).join("\n");
        assert!(odd.contains("healthcheck.url") && odd.contains(said), "{odd}");
    }
}

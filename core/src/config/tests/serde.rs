//! Settings from TOML and JSON, and where their errors point.

use crate::HealthConfig;

#[test]
fn a_map_sets_the_same_settings_in_any_format() {
    let expected = HealthConfig::from_pairs([
        ("healthcheck.url", "/status"),
        ("healthcheck.disablefile", ""),
        ("healthcheck.failure_code", "500"),
        ("healthcheck.maintenance_code", "503"),
        ("healthcheck.run_checks", "never"),
        ("healthcheck.timeout", "3s"),
        ("healthcheck.check.stock.list.timeout", "2s"),
        ("healthcheck.check.stock.list.every", "1m"),
    ])
    .unwrap();
    let toml = "
        url = '/status'
        disablefile = ''
        failure_code = 500
        maintenance_code = '503'
        run_checks = 'never'
        timeout = '3s'
        [check.'stock.list']
        timeout = '2s'
        every = '1m'
    ";
    assert_eq!(toml::from_str::<HealthConfig>(toml).unwrap(), expected);
    let json = r#"{
        "url": "/status", "disablefile": "", "failure_code": 500, "maintenance_code": "503", "run_checks": "never",
        "timeout": "3s", "check": { "stock.list": { "timeout": "2s", "every": "1m" } }
    }"#;
    assert_eq!(serde_json::from_str::<HealthConfig>(json).unwrap(), expected);
}

#[test]
fn what_is_no_map_is_refused() {
    let error = serde_json::from_str::<HealthConfig>("[]").unwrap_err();
    let message = error.to_string();
    assert!(message.contains("expected a map of the settings"), "{message}");
}

/// What the error of TOML points at, and says.
fn refused(toml: &str) -> (String, String) {
    let error = toml::from_str::<HealthConfig>(toml).unwrap_err();
    let span = error.span().unwrap();
    (toml[span].to_owned(), error.message().to_owned())
}

#[test]
fn an_error_of_toml_points_at_the_key_or_value_that_is_wrong() {
    let sound = "url = '/status'\ndisablefile = '/run/shop/maintenance'\n";
    for (wrong, pointed, said) in [
        ("failure_code = 99", "99", "200 to 599"),
        ("maintenance_code = 'abc'", "'abc'", "200 to 599"),
        ("failure_code = true", "true", "expected text or a whole number"),
        ("failure_cod = 503", "failure_cod", "no such setting"),
        ("run_checks = 'often'", "'often'", "on_request, always or never"),
        ("timeout = 2", "2", "500ms or 2s"),
        ("check.database.timeout = '2'", "'2'", "500ms or 2s"),
        ("check.database.tiemout = '2s'", "tiemout", "no such setting"),
        ("check.database = '2s'", "'2s'", "`healthcheck.check.database`"),
        ("check = '2s'", "'2s'", "`healthcheck.check`"),
    ] {
        let (at, message) = refused(&format!("{sound}{wrong}\n"));
        assert_eq!(at, pointed, "{wrong}: {message}");
        assert!(message.contains(said), "{wrong}: {message}");
    }
}

#[test]
fn an_error_names_key_value_and_rule() {
    for (json, words) in [
        (r#"{"ulr":"/health"}"#, ["healthcheck.ulr", "no such setting", "healthcheck.url"]),
        (r#"{"failure_code":99}"#, ["healthcheck.failure_code", "99", "200 to 599"]),
        (r#"{"failure_code":-1}"#, ["healthcheck.failure_code", "-1", "200 to 599"]),
        (r#"{"url":true}"#, ["healthcheck.url", "true", "text or a whole number"]),
        (r#"{"url":null}"#, ["healthcheck.url", "null", "text or a whole number"]),
    ] {
        let message = serde_json::from_str::<HealthConfig>(json).unwrap_err().to_string();
        for word in words {
            assert!(message.contains(word), "{message} lacks {word}");
        }
    }
}

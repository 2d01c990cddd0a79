//! `HealthConfig` from a self-describing serde format: a map of settings without their prefix.

use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, Visitor};

use super::{HealthConfig, setting};

/// Reads a map such as `{"url": "/status", "maintenance_code": 503}`, over the defaults; codes may be
/// numbers or text. The format has to be self-describing, as JSON, TOML and YAML are.
///
/// # Errors
///
/// What [`HealthConfig::from_pairs`] refuses, and values that are neither text nor whole numbers.
///
/// ```
/// # #[derive(serde::Deserialize)]
/// # struct Settings { #[serde(default)] healthcheck: health_core::HealthConfig }
/// let settings: Settings = toml::from_str("
///     [healthcheck]
///     disablefile = '/run/shop/maintenance'
///     maintenance_code = 503
/// ")?;
/// assert_eq!(settings.healthcheck.maintenance_code(), 503);
/// # Ok::<(), toml::de::Error>(())
/// ```
impl<'de> Deserialize<'de> for HealthConfig {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Settings)
    }
}

struct Settings;

impl<'de> Visitor<'de> for Settings {
    type Value = HealthConfig;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map of the settings under `healthcheck`")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<HealthConfig, A::Error> {
        let mut pairs = Vec::new();
        while let Some(name) = map.next_key::<String>()? {
            let key = format!("{}{name}", setting::PREFIX);
            let value = map.next_value_seed(Text { key: &key })?;
            pairs.push((key, value));
        }
        HealthConfig::from_pairs(pairs).map_err(A::Error::custom)
    }
}

/// A value as it would stand in a settings file.
struct Text<'a> {
    key: &'a str,
}

impl<'de> DeserializeSeed<'de> for Text<'_> {
    type Value = String;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<String, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl Visitor<'_> for Text<'_> {
    type Value = String;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "text or a whole number for {}", self.key)
    }

    fn visit_str<E>(self, text: &str) -> Result<String, E> {
        Ok(text.to_owned())
    }

    fn visit_u64<E>(self, number: u64) -> Result<String, E> {
        Ok(number.to_string())
    }

    fn visit_i64<E>(self, number: i64) -> Result<String, E> {
        Ok(number.to_string())
    }
}

#[cfg(test)]
mod tests {
    use crate::HealthConfig;

    #[test]
    fn a_map_sets_the_same_settings_in_any_format() {
        let expected = HealthConfig::from_pairs([
            ("healthcheck.url", "/status"),
            ("healthcheck.disablefile", ""),
            ("healthcheck.failure_code", "500"),
            ("healthcheck.maintenance_code", "503"),
        ])
        .unwrap();
        let toml =
            "url = '/status'\ndisablefile = ''\nfailure_code = 500\nmaintenance_code = '503'";
        assert_eq!(toml::from_str::<HealthConfig>(toml).unwrap(), expected);
        let json =
            r#"{"url":"/status","disablefile":"","failure_code":500,"maintenance_code":"503"}"#;
        assert_eq!(
            serde_json::from_str::<HealthConfig>(json).unwrap(),
            expected
        );
    }

    #[test]
    fn what_is_no_map_is_refused() {
        let error = serde_json::from_str::<HealthConfig>("[]").unwrap_err();
        let message = error.to_string();
        assert!(
            message.contains("expected a map of the settings"),
            "{message}"
        );
    }

    #[test]
    fn an_error_names_key_value_and_rule() {
        for (json, words) in [
            (
                r#"{"ulr":"/health"}"#,
                ["healthcheck.ulr", "/health", "no such setting"],
            ),
            (
                r#"{"failure_code":99}"#,
                ["healthcheck.failure_code", "99", "200 to 599"],
            ),
            (
                r#"{"failure_code":-1}"#,
                ["healthcheck.failure_code", "-1", "200 to 599"],
            ),
            (
                r#"{"url":true}"#,
                ["healthcheck.url", "true", "text or a whole number"],
            ),
            (
                r#"{"url":null}"#,
                ["healthcheck.url", "null", "text or a whole number"],
            ),
        ] {
            let message = serde_json::from_str::<HealthConfig>(json)
                .unwrap_err()
                .to_string();
            for word in words {
                assert!(message.contains(word), "{message} lacks {word}");
            }
        }
    }
}

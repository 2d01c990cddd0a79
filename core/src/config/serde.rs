//! `HealthConfig` from a self-describing serde format: a map of settings without their prefix.

use std::ffi::OsStr;
use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, Visitor};

use super::setting::{self, Target};
use super::{ConfigRule, HealthConfig};

/// Reads a map such as `{"url": "/status", "maintenance_code": 503}`, over the defaults; codes may be
/// numbers or text. The settings of a check are a map in the map `check`. The format has to be self-describing, as JSON, TOML and
/// YAML are.
///
/// A misspelt name of the map itself is for the struct around it to refuse: with `#[serde(default)]` alone, `[heathcheck]` would
/// leave every setting at its default.
///
/// # Errors
///
/// What [`HealthConfig::from_pairs`] refuses, and values that are neither text nor whole numbers. The error arises at the key or
/// value, so that formats that know their lines show it.
///
/// ```
/// #[derive(serde::Deserialize)]
/// #[serde(deny_unknown_fields)]
/// struct Settings {
///     #[serde(default)]
///     healthcheck: health_core::HealthConfig,
/// }
///
/// let settings: Settings = toml::from_str("
///     [healthcheck]
///     disablefile = '/run/shop/maintenance'
///     maintenance_code = 503
///
///     [healthcheck.check.database]
///     timeout = '2s'
/// ")?;
/// assert_eq!(settings.healthcheck.maintenance_code(), 503);
///
/// let misspelt = toml::from_str::<Settings>("heathcheck.url = '/status'");
/// assert!(misspelt.is_err_and(|error| error.message().contains("`heathcheck`")));
/// # Ok::<(), toml::de::Error>(())
/// ```
impl<'de> Deserialize<'de> for HealthConfig {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut config = Self::default();
        let map = Map {
            config: &mut config,
            level: Level::Settings,
            path: "healthcheck",
        };
        deserializer.deserialize_map(map)?;
        Ok(config)
    }
}

/// Where a map stands: that of all settings, that of all checks in it, or that of one check in that.
#[derive(Clone, Copy)]
enum Level {
    Settings,
    Checks,
    Check,
}

/// The map of settings at `path`, which they are read into.
struct Map<'a> {
    config: &'a mut HealthConfig,
    level: Level,
    path: &'a str,
}

impl<'de> Visitor<'de> for Map<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a map of the settings under `{}`", self.path)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Self {
            config,
            level,
            path,
        } = self;
        while let Some((key, entry)) = map.next_key_seed(Key { level, path })? {
            let (config, path) = (&mut *config, &*key);
            match entry {
                Entry::Map(level) => map.next_value_seed(Map {
                    config,
                    level,
                    path,
                })?,
                Entry::Value(target) => map.next_value_seed(Value {
                    config,
                    target,
                    key: path,
                })?,
            }
        }
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for Map<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

/// Reads a key of the map at `path`: an unknown key is an error at the key.
struct Key<'a> {
    level: Level,
    path: &'a str,
}

/// What a key leads to.
enum Entry {
    Map(Level),
    Value(Target),
}

impl<'de> DeserializeSeed<'de> for Key<'_> {
    type Value = (String, Entry);

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Key<'_> {
    type Value = (String, Entry);

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the name of a setting under `{}`", self.path)
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Self::Value, E> {
        let key = format!("{}.{name}", self.path);
        let entry = match (self.level, name) {
            (Level::Settings, "check") => Some(Entry::Map(Level::Checks)),
            (Level::Checks, _) => Some(Entry::Map(Level::Check)),
            (Level::Settings | Level::Check, _) => {
                let name = key.strip_prefix(setting::PREFIX);
                name.and_then(Target::from_name).map(Entry::Value)
            }
        };
        match entry {
            Some(entry) => Ok((key, entry)),
            None => Err(E::custom(format_args!(
                "{key:?} is refused: {}",
                ConfigRule::UnknownSetting
            ))),
        }
    }
}

/// Reads a value, and sets it: one that is refused is an error at the value.
struct Value<'a> {
    config: &'a mut HealthConfig,
    target: Target,
    key: &'a str,
}

impl<'de> DeserializeSeed<'de> for Value<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl Visitor<'_> for Value<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "text or a whole number for {}", self.key)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        let set = self.config.set(self.target, self.key, OsStr::new(text));
        set.map_err(E::custom)
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<(), E> {
        self.visit_str(&number.to_string())
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<(), E> {
        self.visit_str(&number.to_string())
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
            (
                "failure_code = true",
                "true",
                "expected text or a whole number",
            ),
            ("failure_cod = 503", "failure_cod", "no such setting"),
            (
                "run_checks = 'often'",
                "'often'",
                "on_request, always or never",
            ),
            ("timeout = 2", "2", "500ms or 2s"),
            ("check.database.timeout = '2'", "'2'", "500ms or 2s"),
            (
                "check.database.tiemout = '2s'",
                "tiemout",
                "no such setting",
            ),
            (
                "check.database = '2s'",
                "'2s'",
                "`healthcheck.check.database`",
            ),
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
            (
                r#"{"ulr":"/health"}"#,
                ["healthcheck.ulr", "no such setting", "healthcheck.url"],
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

//! `HealthConfig` from a self-describing serde format: a map of settings without their prefix.

use std::ffi::OsStr;
use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, Visitor};

use super::setting::{self, Target};
use super::{ConfigRule, HealthConfig};

/// Reads a map such as `{"url": "/status", "maintenance_code": 503}`. Settings without a key keep their defaults. Codes
/// may be numbers or text. The settings of each check are a map inside the map `check`. The format must be
/// self-describing, like JSON, TOML and YAML.
///
/// Add `#[serde(deny_unknown_fields)]` to the struct that contains the settings: with `#[serde(default)]` alone, a
/// misspelled `[heathcheck]` would leave every setting at its default.
///
/// # Errors
///
/// The same as for [`HealthConfig::from_pairs`]; and a value is neither text nor a whole number. The error is raised at
/// the key or value, so that formats that track positions show its line.
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
        let map = Map { config: &mut config, level: Level::Settings, path: "healthcheck" };
        deserializer.deserialize_map(map)?;
        Ok(config)
    }
}

/// The level of a map: all settings, all checks, or one check.
#[derive(Clone, Copy)]
enum Level {
    Settings,
    Checks,
    Check,
}

/// Reads the map at `path` into the settings.
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
        let Self { config, level, path } = self;
        while let Some((key, entry)) = map.next_key_seed(Key { level, path })? {
            let config = &mut *config;
            let path = &*key;
            match entry {
                Entry::Map(level) => map.next_value_seed(Map { config, level, path })?,
                Entry::Value(target) => map.next_value_seed(Value { config, target, key: path })?,
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

/// The meaning of a key.
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
            None => {
                Err(E::custom(format_args!("{key:?} is refused: {}", ConfigRule::UnknownSetting)))
            }
        }
    }
}

/// Reads and sets a value. A rejected value is an error at its position.
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

//! Reads settings as text: pairs, and the environment (H11).

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use super::rules::{self, ConfigRule};
use super::setting::{self, Setting, Target};
use super::{ConfigError, HealthConfig, OfCheck};

impl HealthConfig {
    /// Reads pairs such as `("healthcheck.url", "/health")`. Settings without a pair keep their defaults.
    ///
    /// Keys without the prefix `healthcheck.` belong to other components and are ignored, so that a whole
    /// settings file can be passed. If a key comes twice, the later value is used.
    ///
    /// # Errors
    ///
    /// A value is not accepted; a key that starts with `healthcheck.` is not a setting; or a key would be a setting in
    /// lower case, or without the byte order mark, blanks or quotes around it.
    pub fn from_pairs<K, V>(pairs: impl IntoIterator<Item = (K, V)>) -> Result<Self, ConfigError>
    where
        K: AsRef<str>,
        V: AsRef<str>,
    {
        Self::default().with_pairs(pairs)
    }

    /// Replaces the settings that `pairs` contain and keeps all others, so that one source can override another.
    ///
    /// # Errors
    ///
    /// The same as for [`HealthConfig::from_pairs`].
    pub fn with_pairs<K, V>(
        mut self,
        pairs: impl IntoIterator<Item = (K, V)>,
    ) -> Result<Self, ConfigError>
    where
        K: AsRef<str>,
        V: AsRef<str>,
    {
        for (key, value) in pairs {
            let key = key.as_ref();
            let value = value.as_ref();
            let unknown = || ConfigError::new(key, value, ConfigRule::UnknownSetting);
            match key.strip_prefix(setting::PREFIX) {
                Some(name) => {
                    let target = Target::from_name(name).ok_or_else(unknown)?;
                    self.set(target, key, OsStr::new(value))?;
                }
                None if setting::is_near_key(key) => return Err(unknown()),
                None => {}
            }
        }
        Ok(self)
    }

    /// Reads the environment of this process: `HEALTHCHECK_URL` for `healthcheck.url`, and likewise for every other
    /// setting. Settings without a variable keep their defaults. In the name of a check, every character except ASCII
    /// letters and digits is written as `_`: `HEALTHCHECK_CHECK_STOCK_LIST_TIMEOUT` is for the check `stock-list`.
    ///
    /// # Errors
    ///
    /// The same as for [`HealthConfig::from_variables`].
    pub fn from_env() -> Result<Self, ConfigError> {
        Self::from_variables(std::env::vars_os())
    }

    /// Reads environment variables from an iterator. Settings without a variable keep their defaults.
    ///
    /// Other programs may share the prefix `HEALTHCHECK_`, so an unknown name with this prefix is not an error. It is
    /// logged at WARN when the endpoints are built, and so is a name that resembles a variable of this library, such as
    /// `healthcheck.url`.
    ///
    /// # Errors
    ///
    /// A value is not accepted, or is not UTF-8. `HEALTHCHECK_DISABLEFILE` is a path and may contain any bytes.
    pub fn from_variables(
        variables: impl IntoIterator<Item = (OsString, OsString)>,
    ) -> Result<Self, ConfigError> {
        Self::default().with_variables(variables)
    }

    /// Replaces the settings that `variables` contain and keeps all others: `with_variables(std::env::vars_os())` lets
    /// the environment override a file.
    ///
    /// # Errors
    ///
    /// The same as for [`HealthConfig::from_variables`].
    pub fn with_variables(
        mut self,
        variables: impl IntoIterator<Item = (OsString, OsString)>,
    ) -> Result<Self, ConfigError> {
        for (variable, value) in variables {
            let variable = variable.to_string_lossy();
            let name = variable.strip_prefix(setting::VARIABLE_PREFIX);
            match name.map(Target::from_variable) {
                Some(Some(target)) => self.set(target, &variable, &value)?,
                Some(None) => self.unknown_variables.push(variable.into_owned()),
                None if setting::is_near_variable(&variable) => {
                    self.unknown_variables.push(variable.into_owned());
                }
                None => {}
            }
        }
        self.unknown_variables.sort();
        Ok(self)
    }

    /// Validates and sets a value. `key` is the key as it was written, for the error.
    pub(super) fn set(
        &mut self,
        target: Target,
        key: &str,
        value: &OsStr,
    ) -> Result<(), ConfigError> {
        let refuse = |rule| ConfigError::new(key, &value.to_string_lossy(), rule);
        let text = || value.to_str().ok_or(ConfigRule::NotUtf8).map_err(refuse);
        match target {
            Target::All(Setting::Url) => self.url = rules::url(text()?).map_err(refuse)?,
            Target::All(Setting::Disablefile) => {
                rules::disablefile(value).map_err(refuse)?;
                self.disablefile = (!value.is_empty()).then(|| PathBuf::from(value));
            }
            Target::All(Setting::MaintenanceCode) => {
                self.maintenance_code = rules::code_from_text(text()?).map_err(refuse)?;
            }
            Target::All(Setting::FailureCode) => {
                self.failure_code = rules::code_from_text(text()?).map_err(refuse)?;
            }
            Target::All(Setting::RunChecks) => {
                self.run_checks = rules::run_checks(text()?).map_err(refuse)?;
            }
            Target::All(Setting::Timeout) => {
                self.timeout = Some(rules::duration(text()?).map_err(refuse)?);
            }
            Target::Check(check, setting) => {
                let value = rules::duration(text()?).map_err(refuse)?;
                let is_other = |it: &OfCheck| (&it.check, it.setting) != (&check, setting);
                self.of_checks.retain(is_other);
                self.of_checks.push(OfCheck {
                    check,
                    setting,
                    value,
                    key: key.to_owned(),
                    text: text()?.to_owned(),
                });
            }
        }
        Ok(())
    }
}

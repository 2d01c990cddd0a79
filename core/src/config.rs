//! Settings: text as written becomes a checked value once, when the endpoint is built (H11).

mod rules;
#[cfg(feature = "serde")]
mod serde;
mod setting;
#[cfg(test)]
mod tests;

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use http::StatusCode;

pub use self::rules::{ConfigError, ConfigRule};
pub(crate) use self::rules::{DEFAULT_MAINTENANCE_CODE, code, url};
use self::setting::Setting;

/// The checked settings of the endpoint (H11).
///
/// | setting | default | accepted |
/// |---|---|---|
/// | `healthcheck.url` | `/health` | a path: see [`HealthConfig::with_url`] |
/// | `healthcheck.disablefile` | `/tmp/maintenance` | any path; empty turns maintenance off |
/// | `healthcheck.maintenance_code` | `299` | 200–599 that may carry a body (not 204, 205, 304) |
/// | `healthcheck.failure_code` | `503` | the same |
///
/// Read them from the environment, from pairs as in an `.ini` file, from a serde format such as TOML (with
/// the feature `serde`), or set them in code:
///
/// ```
/// use health_core::HealthConfig;
///
/// let from_environment = HealthConfig::from_env()?;
/// let from_pairs = HealthConfig::from_pairs([("healthcheck.url", "/status")])?;
/// let in_code = HealthConfig::default()
///     .with_url("/status")?
///     .with_disablefile("/run/shop/maintenance")
///     .with_maintenance_code(503)?;
/// # Ok::<(), health_core::ConfigError>(())
/// ```
#[derive(Debug, Clone)]
pub struct HealthConfig {
    url: String,
    disablefile: Option<PathBuf>,
    maintenance_code: StatusCode,
    failure_code: StatusCode,
    unknown_variables: Vec<String>,
}

impl Default for HealthConfig {
    fn default() -> Self {
        Self {
            url: "/health".to_owned(),
            disablefile: Some("/tmp/maintenance".into()),
            maintenance_code: rules::DEFAULT_MAINTENANCE_CODE,
            failure_code: StatusCode::SERVICE_UNAVAILABLE,
            unknown_variables: Vec::new(),
        }
    }
}

impl HealthConfig {
    /// Reads pairs such as `("healthcheck.url", "/health")`, over the defaults.
    ///
    /// Keys without the prefix `healthcheck.` are other people's and are ignored, so that a whole
    /// settings file can be passed. Of a key that comes twice the later value counts.
    ///
    /// # Errors
    ///
    /// A value that its setting does not accept, or a key under `healthcheck.` that is no setting.
    pub fn from_pairs<K, V>(pairs: impl IntoIterator<Item = (K, V)>) -> Result<Self, ConfigError>
    where
        K: AsRef<str>,
        V: AsRef<str>,
    {
        Self::default().with_pairs(pairs)
    }

    /// The same settings, but for those that `pairs` set: so one source can be laid over another.
    ///
    /// # Errors
    ///
    /// As [`HealthConfig::from_pairs`].
    pub fn with_pairs<K, V>(
        mut self,
        pairs: impl IntoIterator<Item = (K, V)>,
    ) -> Result<Self, ConfigError>
    where
        K: AsRef<str>,
        V: AsRef<str>,
    {
        for (key, value) in pairs {
            let (key, value) = (key.as_ref(), value.as_ref());
            if let Some(name) = key.strip_prefix(setting::PREFIX) {
                let setting = Setting::from_name(name)
                    .ok_or_else(|| ConfigError::new(key, value, ConfigRule::UnknownSetting))?;
                self.set(setting, key, OsStr::new(value))?;
            }
        }
        Ok(self)
    }

    /// Reads `HEALTHCHECK_URL`, `HEALTHCHECK_DISABLEFILE`, `HEALTHCHECK_MAINTENANCE_CODE` and
    /// `HEALTHCHECK_FAILURE_CODE` of this process's environment, over the defaults.
    ///
    /// # Errors
    ///
    /// As [`HealthConfig::from_variables`].
    pub fn from_env() -> Result<Self, ConfigError> {
        Self::from_variables(std::env::vars_os())
    }

    /// Reads environment variables that were collected elsewhere, over the defaults.
    ///
    /// The prefix `HEALTHCHECK_` is shared with other programs: an unknown name under it is no error,
    /// and is logged at WARN when the endpoint is built.
    ///
    /// # Errors
    ///
    /// A value that its setting does not accept, or that is not UTF-8 (`HEALTHCHECK_DISABLEFILE` is a
    /// path and may be any bytes).
    pub fn from_variables(
        variables: impl IntoIterator<Item = (OsString, OsString)>,
    ) -> Result<Self, ConfigError> {
        Self::default().with_variables(variables)
    }

    /// The same settings, but for those that `variables` set: `with_variables(std::env::vars_os())` lays
    /// the environment over a file.
    ///
    /// # Errors
    ///
    /// As [`HealthConfig::from_variables`].
    pub fn with_variables(
        mut self,
        variables: impl IntoIterator<Item = (OsString, OsString)>,
    ) -> Result<Self, ConfigError> {
        for (variable, value) in variables {
            let variable = variable.to_string_lossy();
            let Some(name) = variable.strip_prefix(setting::VARIABLE_PREFIX) else {
                continue;
            };
            match Setting::from_variable(name) {
                Some(setting) => self.set(setting, &variable, &value)?,
                None => self.unknown_variables.push(variable.into_owned()),
            }
        }
        self.unknown_variables.sort();
        Ok(self)
    }

    /// The same settings, answering at `url`. Default: `/health`.
    ///
    /// # Errors
    ///
    /// `url` must start with `/` and hold nothing but letters, digits and any of ``-._~!$&'()+,;=:@/``:
    /// what RFC 3986 allows in a path unescaped, but for `*`. No segment may start with `:`. `*` and `:`
    /// are patterns to some routers.
    pub fn with_url(mut self, url: &str) -> Result<Self, ConfigError> {
        self.set(Setting::Url, &Setting::Url.key(), OsStr::new(url))?;
        Ok(self)
    }

    /// The same settings, in maintenance while `path` exists. An empty path turns maintenance off.
    ///
    /// Default: `/tmp/maintenance`, which any local user can create; a directory of the service, such
    /// as `/run/shop`, is better. A relative path is looked up in the working directory.
    #[must_use]
    pub fn with_disablefile(mut self, path: impl Into<PathBuf>) -> Self {
        self.disablefile = Some(path.into()).filter(|path| !path.as_os_str().is_empty());
        self
    }

    /// The same settings, answering `code` in maintenance. Default: 299.
    ///
    /// Many load balancers take 299, as every 2xx, for healthy: 503 takes a host out with all that ask by themselves.
    ///
    /// # Errors
    ///
    /// `code` must be from 200 to 599, and not 204, 205 or 304, which cannot carry the body.
    pub fn with_maintenance_code(mut self, code: u16) -> Result<Self, ConfigError> {
        self.maintenance_code = checked_code(Setting::MaintenanceCode, code)?;
        Ok(self)
    }

    /// The same settings, answering `code` when a check fails. Default: 503.
    ///
    /// # Errors
    ///
    /// As [`HealthConfig::with_maintenance_code`].
    pub fn with_failure_code(mut self, code: u16) -> Result<Self, ConfigError> {
        self.failure_code = checked_code(Setting::FailureCode, code)?;
        Ok(self)
    }

    /// The path the endpoint answers at.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The marker file; `None` when maintenance is off.
    pub fn disablefile(&self) -> Option<&Path> {
        self.disablefile.as_deref()
    }

    /// The code of a maintenance answer.
    pub fn maintenance_code(&self) -> StatusCode {
        self.maintenance_code
    }

    /// The code of an answer when a check fails.
    pub fn failure_code(&self) -> StatusCode {
        self.failure_code
    }

    /// Variables under `HEALTHCHECK_` that are no settings, sorted.
    pub(crate) fn unknown_variables(&self) -> &[String] {
        &self.unknown_variables
    }

    /// The one door in: `key` is the setting as the user wrote it, for the error.
    fn set(&mut self, setting: Setting, key: &str, value: &OsStr) -> Result<(), ConfigError> {
        let refuse = |rule| ConfigError::new(key, &value.to_string_lossy(), rule);
        let text = || value.to_str().ok_or(ConfigRule::NotUtf8).map_err(refuse);
        match setting {
            Setting::Url => self.url = rules::url(text()?).map_err(refuse)?,
            Setting::Disablefile => {
                self.disablefile = (!value.is_empty()).then(|| PathBuf::from(value));
            }
            Setting::MaintenanceCode => {
                self.maintenance_code = rules::code_from_text(text()?).map_err(refuse)?;
            }
            Setting::FailureCode => {
                self.failure_code = rules::code_from_text(text()?).map_err(refuse)?
            }
        }
        Ok(())
    }
}

fn checked_code(setting: Setting, code: u16) -> Result<StatusCode, ConfigError> {
    rules::code(code).map_err(|rule| ConfigError::new(&setting.key(), &code.to_string(), rule))
}

/// Whether they set the same; which unknown variables stood beside them does not matter.
impl PartialEq for HealthConfig {
    fn eq(&self, other: &Self) -> bool {
        self.url == other.url
            && self.disablefile == other.disablefile
            && self.maintenance_code == other.maintenance_code
            && self.failure_code == other.failure_code
    }
}

impl Eq for HealthConfig {}

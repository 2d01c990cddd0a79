//! Settings: text is validated once, before the endpoints are built (H11).

mod check;
mod duration;
mod error;
mod odd;
mod read;
mod rules;
mod run_checks;
#[cfg(feature = "serde")]
mod serde;
mod setting;
#[cfg(test)]
mod tests;
mod warning;

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use http::StatusCode;

pub(crate) use self::check::OfCheck;
pub use self::error::ConfigError;
pub use self::rules::ConfigRule;
pub(crate) use self::rules::{code, default_maintenance_code, url};
pub use self::run_checks::RunChecks;
pub(crate) use self::setting::{CheckSetting, variables, variables_of};
use self::setting::{Setting, Target};

/// The validated settings of the endpoint ([H11](crate::contract#h11)).
///
/// | setting | default | accepted |
/// |---|---|---|
/// | `healthcheck.url` | `/health` | a path: see [`HealthConfig::with_url`] |
/// | `healthcheck.disablefile` | `/tmp/maintenance` | any path without NUL; empty turns maintenance off |
/// | `healthcheck.maintenance_code` | `299` | 200–599 that may carry a body (not 204, 205, 304) |
/// | `healthcheck.failure_code` | `503` | the same |
/// | `healthcheck.run_checks` | `on_request` | `on_request`, `always`, `never`: see [`HealthConfig::with_run_checks`] |
/// | `healthcheck.timeout` | that of [`HealthBuilder::timeout`](crate::HealthBuilder::timeout) | a duration, for checks that set no timeout |
/// | `healthcheck.check.<NAME>.timeout` | that of the check | a duration: [`Check::timeout`](crate::Check::timeout) |
/// | `healthcheck.check.<NAME>.every` | that of the check | a duration: [`Check::every`](crate::Check::every) |
///
/// A duration is a whole number above 0 with a unit: `500ms`, `2s`, `5m`, `1h`. `<NAME>` is the name of a check; a setting
/// of a check replaces the value in the program.
///
/// Settings come from the environment, from pairs as in an `.ini` file, from a serde format such as TOML (feature
/// `serde`), or from code:
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
///
/// A setting that is accepted but probably a mistake, such as a disablefile in a directory that does not exist, is logged
/// at WARN when the endpoints are built: see [`Health::warnings`](crate::Health::warnings).
#[derive(Debug, Clone)]
pub struct HealthConfig {
    url: String,
    disablefile: Option<PathBuf>,
    maintenance_code: StatusCode,
    failure_code: StatusCode,
    run_checks: RunChecks,
    timeout: Option<Duration>,
    /// In the order in which they were set: the last one for a check wins.
    of_checks: Vec<OfCheck>,
    unknown_variables: Vec<String>,
}

impl Default for HealthConfig {
    fn default() -> Self {
        Self {
            url: "/health".to_owned(),
            disablefile: Some("/tmp/maintenance".into()),
            maintenance_code: rules::default_maintenance_code(),
            failure_code: StatusCode::SERVICE_UNAVAILABLE,
            run_checks: RunChecks::OnRequest,
            timeout: None,
            of_checks: Vec::new(),
            unknown_variables: Vec::new(),
        }
    }
}

impl HealthConfig {
    /// Sets the path of the endpoint. Default: `/health`.
    ///
    /// # Errors
    ///
    /// `url` does not start with `/`; it contains other characters than ASCII letters, digits and
    /// ``-._~!$&'()+,;=:@/``; or a segment starts with `:`. These are the characters that RFC 3986 allows in a path
    /// without an escape, except `*`. Some routers treat `*` and a leading `:` as patterns.
    pub fn with_url(mut self, url: &str) -> Result<Self, ConfigError> {
        self.set(Target::All(Setting::Url), &Setting::Url.key(), OsStr::new(url))?;
        Ok(self)
    }

    /// Sets the path of the disablefile. The application is in maintenance while it exists; an empty path disables
    /// this. A relative path is resolved in the working directory. A path that contains NUL is an error when the
    /// endpoints are built.
    ///
    /// Prefer a directory of the service, such as `/run/shop`: any local user can create a file in `/tmp`, and a
    /// service with a private `/tmp` does not see it. Default: `/tmp/maintenance`.
    #[must_use]
    pub fn with_disablefile(mut self, path: impl Into<PathBuf>) -> Self {
        self.disablefile = Some(path.into()).filter(|path| !path.as_os_str().is_empty());
        self
    }

    /// Sets the status code during maintenance. Default: 299.
    ///
    /// Many load balancers treat every 2xx as healthy, and so 299. With 503 every poller takes the host out of service.
    ///
    /// # Errors
    ///
    /// `code` is below 200 or above 599, or is 204, 205 or 304, which cannot carry a body.
    pub fn with_maintenance_code(mut self, code: u16) -> Result<Self, ConfigError> {
        self.maintenance_code = checked_code(Setting::MaintenanceCode, code)?;
        Ok(self)
    }

    /// Sets the status code when a check fails. Default: 503.
    ///
    /// # Errors
    ///
    /// The same as for [`HealthConfig::with_maintenance_code`].
    pub fn with_failure_code(mut self, code: u16) -> Result<Self, ConfigError> {
        self.failure_code = checked_code(Setting::FailureCode, code)?;
        Ok(self)
    }

    /// Sets for which requests the endpoint of `healthcheck.url` runs its checks. Default: [`RunChecks::OnRequest`].
    ///
    /// Use `Never` if untrusted clients can reach the url, because each request with `?checks=all` can start a run. Run
    /// the checks at [another endpoint](crate::Endpoint) instead, at a path or on a listener that they cannot reach.
    #[must_use]
    pub fn with_run_checks(mut self, run_checks: RunChecks) -> Self {
        self.run_checks = run_checks;
        self
    }

    /// The path of the endpoint.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The path of the disablefile; `None` if it is disabled.
    pub fn disablefile(&self) -> Option<&Path> {
        self.disablefile.as_deref()
    }

    /// The status code during maintenance.
    pub fn maintenance_code(&self) -> StatusCode {
        self.maintenance_code
    }

    /// The status code when a check fails.
    pub fn failure_code(&self) -> StatusCode {
        self.failure_code
    }

    /// For which requests the endpoint of `healthcheck.url` runs its checks.
    pub fn run_checks(&self) -> RunChecks {
        self.run_checks
    }

    /// The timeout of checks that do not set one; `None` if `healthcheck.timeout` is not set.
    pub fn timeout(&self) -> Option<Duration> {
        self.timeout
    }

    /// The settings of single checks, in the order in which to apply them.
    pub(crate) fn of_checks(&self) -> &[OfCheck] {
        &self.of_checks
    }

    /// Environment variables that look like settings but are not, sorted.
    pub(crate) fn unknown_variables(&self) -> &[String] {
        &self.unknown_variables
    }

    /// Validates the disablefile, which `with_disablefile` accepts without validation.
    pub(crate) fn recheck(&self) -> Result<(), ConfigError> {
        let Some(path) = &self.disablefile else {
            return Ok(());
        };
        rules::disablefile(path.as_os_str()).map_err(|rule| {
            ConfigError::new(&Setting::Disablefile.key(), &path.to_string_lossy(), rule)
        })
    }
}

fn checked_code(setting: Setting, code: u16) -> Result<StatusCode, ConfigError> {
    rules::code(code).map_err(|rule| ConfigError::new(&setting.key(), &code.to_string(), rule))
}

/// Compares the settings, and ignores unknown variables.
impl PartialEq for HealthConfig {
    fn eq(&self, other: &Self) -> bool {
        self.url == other.url
            && self.disablefile == other.disablefile
            && self.maintenance_code == other.maintenance_code
            && self.failure_code == other.failure_code
            && self.run_checks == other.run_checks
            && self.timeout == other.timeout
            && self.of_checks.len() == other.of_checks.len()
            && self.of_checks.iter().all(|one| other.of_checks.contains(one))
    }
}

impl Eq for HealthConfig {}

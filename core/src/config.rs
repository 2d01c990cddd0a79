//! Settings: text as written becomes a checked value once, when the endpoint is built (H11).

mod rules;
#[cfg(feature = "serde")]
mod serde;
mod setting;

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use http::StatusCode;

pub use self::rules::{ConfigError, ConfigRule};
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
    /// Many load balancers take 299, as every 2xx, for healthy: 503 drains with all of them.
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

#[cfg(test)]
mod tests {
    use std::ffi::OsString;
    use std::path::Path;

    use super::{ConfigError, ConfigRule, HealthConfig};

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
        for (url, character) in [
            ("/{id}", '{'),
            ("/a/<id>", '<'),
            ("/*rest", '*'),
            ("/health*", '*'),
        ] {
            assert_eq!(
                refusal("healthcheck.url", url),
                ConfigRule::UrlCharacter(character)
            );
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
        for code in [
            "abc", "", "+299", "-299", " 299", "299.0", "0x12b", "٢٩٩", "65836", "0299",
        ] {
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
        for key in ["healthcheck.ulr", "healthcheck.URL", "healthcheck."] {
            assert_eq!(refusal(key, "/health"), ConfigRule::UnknownSetting);
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

    #[test]
    fn the_environment_sets_the_same_settings() {
        let variables = [
            ("HEALTHCHECK_URL", "/status"),
            ("HEALTHCHECK_DISABLEFILE", "/run/shop/maintenance"),
            ("HEALTHCHECK_MAINTENANCE_CODE", "503"),
            ("HEALTHCHECK_FAILURE_CODE", "500"),
            ("PATH", "/bin"),
        ];
        let expected = HealthConfig::default()
            .with_url("/status")
            .and_then(|config| config.with_maintenance_code(503))
            .and_then(|config| config.with_failure_code(500))
            .unwrap()
            .with_disablefile("/run/shop/maintenance");
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
        let file = [
            ("healthcheck.url", "/file"),
            ("healthcheck.failure_code", "500"),
        ];
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
        use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};

        let bytes = || OsString::from_vec(b"/m\xff".to_vec());
        for name in [
            "HEALTHCHECK_URL",
            "HEALTHCHECK_MAINTENANCE_CODE",
            "HEALTHCHECK_FAILURE_CODE",
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
}

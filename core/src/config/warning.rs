//! Settings that are accepted but probably mistakes (H11).

use std::path::Path;

use http::StatusCode;

use super::HealthConfig;
use super::odd::odd_text;
use super::rules::DEFAULT_MAINTENANCE_CODE;
use super::setting::Setting;

/// A setting to warn of.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct OddSetting {
    pub(crate) key: String,
    pub(crate) value: String,
    /// What is odd about it, as clauses.
    pub(crate) odd: Vec<String>,
}

impl HealthConfig {
    /// What is odd about the settings but the disablefile.
    pub(crate) fn odd_settings(&self) -> Vec<OddSetting> {
        let settings = [
            (Setting::Url, self.url.clone(), odd_text(&self.url)),
            (
                Setting::MaintenanceCode,
                self.maintenance_code.as_str().to_owned(),
                odd_maintenance_code(self.maintenance_code),
            ),
            (
                Setting::FailureCode,
                self.failure_code.as_str().to_owned(),
                odd_failure_code(self.failure_code),
            ),
        ];
        let settings = settings.into_iter().filter(|(_, _, odd)| !odd.is_empty());
        let settings =
            settings.map(|(setting, value, odd)| OddSetting { key: setting.key(), value, odd });
        settings.collect()
    }

    /// What is odd about the text of the disablefile's path. What the file system knows of it is not asked here.
    pub(crate) fn odd_disablefile(&self) -> Vec<String> {
        let Some(path) = self.disablefile() else {
            return Vec::new();
        };
        let mut odd = odd_text(&path.to_string_lossy());
        if path.to_string_lossy().ends_with(std::path::is_separator) {
            odd.push("it ends in a slash, so that only a directory counts".to_owned());
        }
        if is_relative(path) {
            let directory = std::env::current_dir();
            let directory = directory.map_or_else(|_| String::new(), |it| format!(", {it:?} now"));
            odd.push(format!(
                "it is relative, and looked up in the working directory{directory} (an empty value turns \
                 maintenance off)"
            ));
        }
        odd
    }
}

/// A path that depends on the working directory.
fn is_relative(path: &Path) -> bool {
    !path.has_root()
}

/// Whether most pollers take `code` for healthy.
fn passes(code: StatusCode) -> bool {
    code.as_u16() < 400
}

fn odd_failure_code(code: StatusCode) -> Vec<String> {
    let clause = "pollers take a code below 400 for healthy, and will never see a failure";
    Vec::from_iter(passes(code).then(|| clause.to_owned()))
}

fn odd_maintenance_code(code: StatusCode) -> Vec<String> {
    let clause =
        "pollers take a code below 400 for healthy, and will send traffic during maintenance";
    let is_odd = passes(code) && code != DEFAULT_MAINTENANCE_CODE;
    Vec::from_iter(is_odd.then(|| clause.to_owned()))
}

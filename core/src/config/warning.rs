//! Settings that are accepted but probably mistakes (H11).

use std::path::Path;

use http::StatusCode;

use super::HealthConfig;
use super::odd::odd_text;
use super::rules::default_maintenance_code;
use super::setting::Setting;

/// A setting that deserves a warning.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct OddSetting {
    pub(crate) key: String,
    pub(crate) value: String,
    /// The likely mistakes, as clauses.
    pub(crate) odd: Vec<String>,
}

impl HealthConfig {
    /// The settings with likely mistakes, except the disablefile.
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
        settings
            .into_iter()
            .filter(|(_, _, odd)| !odd.is_empty())
            .map(|(setting, value, odd)| OddSetting { key: setting.key(), value, odd })
            .collect()
    }

    /// The likely mistakes in the path of the disablefile, without access to the file system.
    pub(crate) fn odd_disablefile(&self) -> Vec<String> {
        let Some(path) = self.disablefile() else {
            return Vec::new();
        };
        let mut odd = odd_text(&path.to_string_lossy());
        if path.to_string_lossy().ends_with(std::path::is_separator) {
            odd.push("it ends with a slash, so only a directory counts".to_owned());
        }
        if is_relative(path) {
            let directory = std::env::current_dir()
                .map_or_else(|_| String::new(), |directory| format!(", now {directory:?}"));
            odd.push(format!(
                "it is relative to the working directory{directory} (an empty value turns \
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

/// Whether most pollers treat `code` as healthy.
fn passes(code: StatusCode) -> bool {
    code.as_u16() < 400
}

fn odd_failure_code(code: StatusCode) -> Vec<String> {
    let clause = "most pollers treat a code below 400 as healthy, and will not notice a failure";
    Vec::from_iter(passes(code).then(|| clause.to_owned()))
}

fn odd_maintenance_code(code: StatusCode) -> Vec<String> {
    let clause =
        "most pollers treat a code below 400 as healthy, and will send traffic during maintenance";
    let is_odd = passes(code) && code != default_maintenance_code();
    Vec::from_iter(is_odd.then(|| clause.to_owned()))
}

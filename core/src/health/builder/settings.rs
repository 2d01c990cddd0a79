//! Applies settings to the description of the endpoints, and collects warnings about them (H11).

use crate::check::Check;
use crate::config::{CheckSetting, ConfigError, HealthConfig, variables_of};
use crate::log::LogRecord;
use crate::maintenance::Maintenance;

/// Applies the settings of single checks, which replace the values in the program. Returns a warning for each environment
/// variable that matches no check.
///
/// # Errors
///
/// A setting is for an unknown check, or matches several checks.
pub(super) fn apply(
    config: &HealthConfig,
    checks: &mut [Check],
) -> Result<Vec<LogRecord>, ConfigError> {
    let names: Vec<String> = checks.iter().map(|check| check.name.clone()).collect();
    let mut strangers = Vec::new();
    for setting in config.of_checks() {
        let Some(number) = setting.find(&names)? else {
            let variables: Vec<_> = names.iter().flat_map(|name| variables_of(name)).collect();
            strangers.push(LogRecord::unknown_check(setting.key(), &variables));
            continue;
        };
        let check = &mut checks[number];
        match setting.setting {
            CheckSetting::Timeout => check.timeout = Some(setting.value),
            CheckSetting::Every => check.period = Some(setting.value),
        }
    }
    Ok(strangers)
}

/// The warnings about variables, values and the disablefile, one record each.
pub(super) fn warnings(config: &HealthConfig, maintenance: &Maintenance) -> Vec<LogRecord> {
    let unknown = config.unknown_variables().iter();
    let mut warnings: Vec<_> = unknown.map(|name| LogRecord::unknown_variable(name)).collect();
    warnings.extend(
        config
            .odd_settings()
            .iter()
            .map(|setting| LogRecord::odd_setting(&setting.key, &setting.value, &setting.odd)),
    );
    if let Some(path) = config.disablefile() {
        let mut odd = config.odd_disablefile();
        odd.extend(maintenance.survey().iter().map(ToString::to_string));
        warnings.extend((!odd.is_empty()).then(|| LogRecord::odd_disablefile(path, &odd)));
    }
    warnings
}

//! H11: settings.

use health_core::{ConfigError, ConfigRule, HealthConfig};

use crate::fault::{Decoration, faults, records, refuse, setup};

const OF_CHECK: &str = "healthcheck.check.";
const RUN_CHECKS: &str = "healthcheck.run_checks";

faults! {
    /// No setting is checked.
    SettingsUnchecked:
        "setting/url-*",
        "setting/maintenance-code-*",
        "setting/failure-code-*",
        "setting/timeout-*",
        "setting/check-timeout-without-unit",
        "setting/check-every-negative",
        "setting/run-checks-other-word",
        "setting/run-checks-in-capitals",
        "setting/disablefile-with-nul" =>
        without_settings(|_| true);
    /// Unknown settings are ignored.
    UnknownSettingIgnored:
        "setting/unknown-key",
        "setting/key-*",
        "setting/prefix-in-capitals",
        "setting/check-unknown-setting" =>
        without_settings(|error| error.rule() == &ConfigRule::UnknownSetting);
    /// Settings of checks that do not exist are ignored.
    UnknownCheckIgnored: "setting/check-unknown" => setup(|setup| {
        let names: Vec<_> = setup.checks.iter().map(|check| check.name.clone()).collect();
        let is_of = |key: &str, name: &String| key.starts_with(&format!("{OF_CHECK}{name}."));
        setup.settings.retain(|key, _| {
            !key.starts_with(OF_CHECK) || names.iter().any(|name| is_of(key, name))
        });
    });
    /// Settings of checks are ignored.
    CheckSettingsIgnored: "setting/check-timeout-shorter", "setting/check-timeout-longer" =>
        setup(|setup| setup.settings.retain(|key, _| !key.starts_with(OF_CHECK)));
    /// Checks run on request, whatever the setting.
    RunChecksIgnored: "setting/run-checks-never", "setting/run-checks-always" => setup(|setup| {
        setup.settings.remove(RUN_CHECKS);
    });
    /// Checks never run if the setting is present.
    RunChecksIsNever: "setting/run-checks-on-request" => setup(|setup| {
        if let Some(value) = setup.settings.get_mut(RUN_CHECKS) {
            "never".clone_into(value);
        }
    });
    /// Settings of others are refused.
    OtherPrefixRefused: "setting/other-prefix" => refuse(|setup| {
        let other = setup.settings.keys().find(|key| !key.starts_with("healthcheck."));
        other.map_or(Ok(()), |key| Err(format!("{key} is not known")))
    });
    /// Codes end at 499.
    CodesEndAt499: "setting/code-599" => refuses("failure_code", |code| code == "599");
    /// A url may hold letters and slashes only.
    PunctuationRefused: "path/configured-with-punctuation" =>
        refuses("url", |url| url.contains(['-', '.', '~']));
    /// The url may not end with a slash.
    TrailingSlashRefused: "path/configured-with-trailing-slash" =>
        refuses("url", |url| url.len() > 1 && url.ends_with('/'));
    /// The url may not be the root.
    RootRefused: "path/configured-root" => refuses("url", |url| url == "/");
    /// Two codes that are set are refused.
    BothCodesRefused: "setting/both-codes" => refuse(|setup| {
        let codes = setup.settings.keys().filter(|key| key.ends_with("_code"));
        if codes.count() > 1 { Err("one code is enough".to_owned()) } else { Ok(()) }
    });
    /// A server without settings is refused.
    DefaultsRefused: "setting/default-disablefile" =>
        refuse(|setup| if setup.settings.is_empty() { Err("healthcheck.url is missing".to_owned()) } else { Ok(()) });
    /// A refusal does not say which setting.
    KeyNotNamed: "setting/failure-code-huge" =>
        says(|error| format!("a setting is {:?}, which is out of range", error.value()));
    /// A refusal does not say which value.
    ValueNotQuoted: "setting/failure-code-huge" =>
        says(|error| format!("{} is out of its range", error.key()));
    /// A refusal does not say why.
    RuleNotSaid: "setting/failure-code-huge" =>
        says(|error| format!("{} = {:?}", error.key(), error.value()));
    /// A setting that is probably a mistake is not warned of.
    OddNotSaid:
        "setting/disablefile-anyone-can-create",
        "setting/disablefile-with-tilde",
        "setting/disablefile-in-quotes",
        "setting/disablefile-with-carriage-return",
        "setting/disablefile-with-blank",
        "setting/disablefile-with-placeholder",
        "setting/disablefile-with-comment",
        "setting/disablefile-with-escape",
        "setting/disablefile-with-slash",
        "setting/disablefile-relative",
        "setting/disablefile-is-a-directory",
        "setting/odd-failure-code" =>
        records(|records| records.retain(|record| record.state().is_some()));
    /// Each oddity of a setting has a warning.
    OddSaidTwice: "setting/disablefile-odd-twice" => records(|records| {
        let warnings = records.iter().filter(|record| record.state().is_none());
        let warnings: Vec<_> = warnings.cloned().collect();
        records.extend(warnings);
    });
    /// Of settings that are probably mistakes only the first is warned of.
    OnlyFirstOddSaid: "setting/two-odd-settings" => records(|records| {
        let mut has_warned = false;
        records.retain(|record| {
            record.state().is_some() || !std::mem::replace(&mut has_warned, true)
        });
    });
    /// There is no default disablefile.
    NoDefaultDisablefile: "setting/default-disablefile" => setup(|setup| {
        setup.settings.entry("healthcheck.disablefile".to_owned()).or_default();
    });
}

/// Settings that are refused for such reasons are ignored.
fn without_settings(is_ignored: fn(&ConfigError) -> bool) -> Decoration {
    setup(move |setup| {
        setup.settings.retain(|key, value| {
            let error = HealthConfig::from_pairs([(key.clone(), value.clone())]).err();
            !error.is_some_and(|error| is_ignored(&error))
        });
    })
}

/// Another value of a setting is refused.
fn refuses(key: &'static str, is_bad: fn(&str) -> bool) -> Decoration {
    refuse(move |setup| {
        let key = format!("healthcheck.{key}");
        match setup.settings.get(&key) {
            Some(value) if is_bad(value) => Err(format!("{key} = {value:?} is not allowed")),
            _ => Ok(()),
        }
    })
}

/// What is refused is refused in other words.
fn says(words: fn(&ConfigError) -> String) -> Decoration {
    refuse(move |setup| match HealthConfig::from_pairs(&setup.settings) {
        Ok(_) => Ok(()),
        Err(error) => Err(words(&error)),
    })
}

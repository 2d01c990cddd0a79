//! H11: settings.

use health_core::{ConfigError, ConfigRule, HealthConfig};

use crate::fault::{Decoration, faults, records, refuse, setup};

faults! {
    /// No setting is checked.
    SettingsUnchecked: "setting/url-*", "setting/maintenance-code-*", "setting/failure-code-*" =>
        without_settings(|_| true);
    /// Unknown settings are ignored.
    UnknownSettingIgnored: "setting/unknown-key", "setting/key-in-upper-case" =>
        without_settings(|error| error.rule() == &ConfigRule::UnknownSetting);
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
        refuse(|setup| match setup.settings.is_empty() {
        true => Err("healthcheck.url is missing".to_owned()),
        false => Ok(()),
    });
    /// A refusal does not say which setting.
    KeyNotNamed: "setting/failure-code-huge" =>
        says(|error| format!("a setting is {:?}, which is out of range", error.value()));
    /// A refusal does not say which value.
    ValueNotQuoted: "setting/failure-code-huge" =>
        says(|error| format!("{} is out of its range", error.key()));
    /// A refusal does not say why.
    RuleNotSaid: "setting/failure-code-huge" =>
        says(|error| format!("{} = {:?}", error.key(), error.value()));
    /// A disablefile that anyone can create is not warned of.
    ExposureNotSaid: "setting/disablefile-anyone-can-create" =>
        records(|records| records.retain(|record| record.state().is_some()));
    /// The default disablefile is none.
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
    refuse(
        move |setup| match HealthConfig::from_pairs(&setup.settings) {
            Ok(_) => Ok(()),
            Err(error) => Err(words(&error)),
        },
    )
}

//! The names of the settings (H11).

/// The prefix of every key.
pub(super) const PREFIX: &str = "healthcheck.";
/// The prefix of every environment variable.
pub(super) const VARIABLE_PREFIX: &str = "HEALTHCHECK_";
/// Comes between the prefix and the name of a check.
const CHECK: &str = "check.";
const CHECK_VARIABLE: &str = "CHECK_";

/// A setting that does not belong to a single check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Setting {
    Url,
    Disablefile,
    MaintenanceCode,
    FailureCode,
    RunChecks,
    Timeout,
}

impl Setting {
    pub(super) const ALL: [Self; 6] = [
        Self::Url,
        Self::Disablefile,
        Self::MaintenanceCode,
        Self::FailureCode,
        Self::RunChecks,
        Self::Timeout,
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Url => "url",
            Self::Disablefile => "disablefile",
            Self::MaintenanceCode => "maintenance_code",
            Self::FailureCode => "failure_code",
            Self::RunChecks => "run_checks",
            Self::Timeout => "timeout",
        }
    }

    pub(super) fn key(self) -> String {
        format!("{PREFIX}{}", self.name())
    }
}

/// A setting of one check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CheckSetting {
    Timeout,
    Every,
}

impl CheckSetting {
    pub(super) const ALL: [Self; 2] = [Self::Timeout, Self::Every];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Timeout => "timeout",
            Self::Every => "every",
        }
    }
}

/// The name of a check, as it is written in a key or a variable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum CheckName {
    Exact(String),
    /// In capitals, with `_` for every character except ASCII letters and digits.
    Variable(String),
}

impl CheckName {
    pub(super) fn is_of(&self, check: &str) -> bool {
        match self {
            Self::Exact(exact) => check == exact,
            Self::Variable(written) => variable(check) == *written,
        }
    }
}

/// The setting that a key or a variable refers to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Target {
    All(Setting),
    Check(CheckName, CheckSetting),
}

impl Target {
    /// Parses a key without its prefix: `url`, `check.database.timeout`. The name of a check may contain dots.
    pub(super) fn from_name(name: &str) -> Option<Self> {
        let of_all = |setting: &Setting| setting.name() == name;
        if let Some(setting) = Setting::ALL.into_iter().find(of_all) {
            return Some(Self::All(setting));
        }
        let (check, setting) = name.strip_prefix(CHECK)?.rsplit_once('.')?;
        let setting = CheckSetting::ALL.into_iter().find(|one| one.name() == setting)?;
        (!check.is_empty()).then(|| Self::Check(CheckName::Exact(check.to_owned()), setting))
    }

    /// Parses a variable without its prefix: `URL`, `CHECK_STOCK_LIST_TIMEOUT`.
    pub(super) fn from_variable(name: &str) -> Option<Self> {
        let of_all = |setting: &Setting| variable(setting.name()) == name;
        if let Some(setting) = Setting::ALL.into_iter().find(of_all) {
            return Some(Self::All(setting));
        }
        let (check, setting) = name.strip_prefix(CHECK_VARIABLE)?.rsplit_once('_')?;
        let setting = CheckSetting::ALL.into_iter().find(|one| variable(one.name()) == setting)?;
        (!check.is_empty()).then(|| Self::Check(CheckName::Variable(check.to_owned()), setting))
    }
}

/// The form of a name in an environment variable: `STOCK_LIST` for `stock-list`.
pub(super) fn variable(name: &str) -> String {
    let letter = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' };
    name.chars().map(letter).collect()
}

/// Stands for the name of a check. A variable cannot contain these brackets.
const ANY_CHECK: &str = "<NAME>";

/// Every key, with [`ANY_CHECK`] for the name of a check.
pub(super) fn keys() -> impl Iterator<Item = String> {
    let of_all = Setting::ALL.into_iter().map(Setting::key);
    let of_check = |setting: CheckSetting| format!("{PREFIX}{CHECK}{ANY_CHECK}.{}", setting.name());
    of_all.chain(CheckSetting::ALL.into_iter().map(of_check))
}

/// Every variable, with [`ANY_CHECK`] for the name of a check.
pub(crate) fn variables() -> impl Iterator<Item = String> {
    let of_all = |setting: Setting| variable(&setting.key());
    let of_check = |setting: CheckSetting| {
        format!("{VARIABLE_PREFIX}{CHECK_VARIABLE}{ANY_CHECK}_{}", variable(setting.name()))
    };
    Setting::ALL.into_iter().map(of_all).chain(CheckSetting::ALL.into_iter().map(of_check))
}

/// The variables of the check of this name.
pub(crate) fn variables_of(check: &str) -> impl Iterator<Item = String> {
    let key = |setting: CheckSetting| format!("{PREFIX}{CHECK}{check}.{}", setting.name());
    CheckSetting::ALL.map(|setting| variable(&key(setting))).into_iter()
}

/// Whether `key` would be a setting without the byte order mark, blanks or quotes around it, or in lower case.
pub(super) fn is_near_key(key: &str) -> bool {
    let edge = |c: char| c.is_whitespace() || matches!(c, '\u{feff}' | '"' | '\'');
    let plain = key.trim_matches(edge).to_ascii_lowercase();
    let name = plain.strip_prefix(PREFIX);
    name.is_some_and(|name| Target::from_name(name).is_some())
}

/// Whether `name` would be a variable of ours without blanks or a byte order mark around it or `export` before it, in
/// capitals, and with `_` for punctuation.
pub(super) fn is_near_variable(name: &str) -> bool {
    let edge = |c: char| c.is_whitespace() || c == '\u{feff}';
    let name = name.trim_matches(edge);
    let name = name.strip_prefix("export ").unwrap_or(name);
    let plain = variable(name.trim_matches(edge));
    let name = plain.strip_prefix(VARIABLE_PREFIX);
    name.is_some_and(|name| Target::from_variable(name).is_some())
}

//! The names of the settings.

/// Before every key in a settings file.
pub(super) const PREFIX: &str = "healthcheck.";
/// Before every name in the environment.
pub(super) const VARIABLE_PREFIX: &str = "HEALTHCHECK_";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Setting {
    Url,
    Disablefile,
    MaintenanceCode,
    FailureCode,
}

impl Setting {
    pub(super) const ALL: [Self; 4] = [
        Self::Url,
        Self::Disablefile,
        Self::MaintenanceCode,
        Self::FailureCode,
    ];

    /// The setting called `name`, without a prefix.
    pub(super) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|setting| setting.name() == name)
    }

    /// The setting of an environment variable, without its prefix.
    pub(super) fn from_variable(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|setting| setting.name().to_ascii_uppercase() == name)
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Url => "url",
            Self::Disablefile => "disablefile",
            Self::MaintenanceCode => "maintenance_code",
            Self::FailureCode => "failure_code",
        }
    }

    pub(super) fn key(self) -> String {
        format!("{PREFIX}{}", self.name())
    }
}

//! The values that each setting accepts (H11).

use std::ffi::OsStr;
use std::fmt;
use std::time::Duration;

use http::StatusCode;

use super::duration;
use super::run_checks::RunChecks;
use super::setting;
use crate::text::List;

// Not a `const`: that needs http 1.4.
pub(crate) fn default_maintenance_code() -> StatusCode {
    StatusCode::from_u16(299).unwrap_or(StatusCode::SERVICE_UNAVAILABLE)
}

/// A rule for settings. [`Display`](fmt::Display) shows what is accepted, or how to fix the setting.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConfigRule {
    /// A url must start with `/`.
    UrlStart,
    /// A url must not contain this character: see [`HealthConfig::with_url`](crate::HealthConfig::with_url).
    UrlCharacter(char),
    /// A segment of a url must not start with `:`.
    UrlPattern,
    /// A status code must be a whole number from 200 to 599.
    CodeRange,
    /// A status code must not be 204, 205 or 304, which cannot carry a body.
    CodeWithoutBody,
    /// `run_checks` must be `on_request`, `always` or `never`.
    RunChecks,
    /// A duration must be a whole number above 0 and a unit.
    Duration,
    /// A path must not contain NUL.
    PathNul,
    /// There is no setting with this key.
    UnknownSetting,
    /// The key names a check that is not registered.
    #[non_exhaustive]
    UnknownCheck {
        /// The names of all checks, in the order of their registration.
        known: Vec<String>,
    },
    /// An environment variable matches several checks, whose names differ only in punctuation or case.
    #[non_exhaustive]
    AmbiguousVariable {
        /// The names of the checks that it matches.
        checks: Vec<String>,
    },
    /// The value must be UTF-8. Only the disablefile accepts other bytes.
    NotUtf8,
}

impl fmt::Display for ConfigRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UrlStart => f.write_str("a url must start with `/`"),
            Self::UrlCharacter(character) => write!(
                f,
                "a url must not contain {character:?}, only letters, digits and any of {PUNCTUATION}"
            ),
            Self::UrlPattern => f.write_str(
                "a segment of a url must not start with `:`, which is a pattern in some routers",
            ),
            Self::CodeRange => f.write_str("a code must be a whole number from 200 to 599"),
            Self::CodeWithoutBody => {
                f.write_str("a code must not be 204, 205 or 304, which cannot carry a body")
            }
            Self::RunChecks => {
                let [on_request, always, never] = RunChecks::ALL;
                write!(f, "it must be {on_request}, {always} or {never}")
            }
            Self::Duration => f.write_str(
                "a duration must be a whole number above 0 and a unit, ms, s, m or h, such as 500ms or 2s",
            ),
            Self::PathNul => f.write_str("a path must not contain NUL"),
            Self::UnknownSetting => {
                let keys: Vec<_> = setting::keys().collect();
                write!(f, "there is no such setting, only {}", keys.join(", "))
            }
            Self::UnknownCheck { known } => {
                write!(f, "there is no such check; {}", List("checks", known))
            }
            Self::AmbiguousVariable { checks } => write!(
                f,
                "the variable names several checks: {}; set healthcheck.check.<NAME>.… in a file instead, or rename one",
                quoted(checks)
            ),
            Self::NotUtf8 => f.write_str("the value must be UTF-8"),
        }
    }
}

fn quoted(names: &[String]) -> String {
    names.iter().map(|name| format!("{name:?}")).collect::<Vec<_>>().join(", ")
}

/// The punctuation that RFC 3986 allows in a path, with two exceptions: escapes, because frameworks disagree on whether
/// to decode before matching, and `*`, which is a pattern at the end of a path in actix-web, and at the start of a segment
/// in older routers.
const PUNCTUATION: &str = "-._~!$&'()+,;=:@/";

pub(crate) fn url(text: &str) -> Result<String, ConfigRule> {
    let Some(rest) = text.strip_prefix('/') else {
        return Err(ConfigRule::UrlStart);
    };
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || PUNCTUATION.contains(c);
    if let Some(character) = text.chars().find(|&c| !is_allowed(c)) {
        return Err(ConfigRule::UrlCharacter(character));
    }
    if rest.split('/').any(|segment| segment.starts_with(':')) {
        return Err(ConfigRule::UrlPattern);
    }
    Ok(text.to_owned())
}

/// Accepts three digits: no sign, space or fraction.
pub(super) fn code_from_text(text: &str) -> Result<StatusCode, ConfigRule> {
    let is_three_digits = text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_digit());
    let number = text.parse().ok().filter(|_| is_three_digits);
    code(number.ok_or(ConfigRule::CodeRange)?)
}

pub(super) fn run_checks(text: &str) -> Result<RunChecks, ConfigRule> {
    text.parse().map_err(|_| ConfigRule::RunChecks)
}

pub(super) fn duration(text: &str) -> Result<Duration, ConfigRule> {
    duration::parse(text).ok_or(ConfigRule::Duration)
}

/// Accepts any path that a file can have. The build of the endpoints warns about likely mistakes.
pub(super) fn disablefile(path: &OsStr) -> Result<(), ConfigRule> {
    if path.as_encoded_bytes().contains(&0) { Err(ConfigRule::PathNul) } else { Ok(()) }
}

pub(crate) fn code(number: u16) -> Result<StatusCode, ConfigRule> {
    let code = StatusCode::from_u16(number)
        .ok()
        .filter(|_| (200..=599).contains(&number))
        .ok_or(ConfigRule::CodeRange)?;
    match code {
        StatusCode::NO_CONTENT | StatusCode::RESET_CONTENT | StatusCode::NOT_MODIFIED => {
            Err(ConfigRule::CodeWithoutBody)
        }
        _ => Ok(code),
    }
}

//! What each setting accepts, and the error that says so (H11).

use std::fmt;

use http::StatusCode;

use super::setting::Setting;

pub(crate) const DEFAULT_MAINTENANCE_CODE: StatusCode = match StatusCode::from_u16(299) {
    Ok(code) => code,
    Err(_) => StatusCode::SERVICE_UNAVAILABLE,
};

/// A setting that was refused: which, what was written, and the rule it breaks.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{key} = {value:?} is refused: {rule}")]
pub struct ConfigError {
    key: String,
    value: String,
    rule: ConfigRule,
}

impl ConfigError {
    pub(super) fn new(key: &str, value: &str, rule: ConfigRule) -> Self {
        Self {
            key: key.to_owned(),
            value: value.to_owned(),
            rule,
        }
    }

    /// The setting as it was written: `healthcheck.url`, `HEALTHCHECK_URL`.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The value as it was written; bytes that are not UTF-8 show as `U+FFFD`.
    pub fn value(&self) -> &str {
        &self.value
    }

    /// The rule that it breaks.
    pub fn rule(&self) -> &ConfigRule {
        &self.rule
    }
}

/// The rules that settings are held to. [`Display`](fmt::Display) shows the sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConfigRule {
    /// A url starts with `/`.
    UrlStart,
    /// A url holds only characters that a path may hold unescaped; this one is not.
    UrlCharacter(char),
    /// No segment of a url starts with `:`.
    UrlPattern,
    /// A code is a whole number from 200 to 599.
    CodeRange,
    /// A code may carry a body, unlike 204, 205 and 304.
    CodeWithoutBody,
    /// Only settings that exist can be set.
    UnknownSetting,
    /// Settings are UTF-8, the disablefile's path excepted.
    NotUtf8,
}

impl fmt::Display for ConfigRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UrlStart => f.write_str("a url must start with `/`"),
            Self::UrlCharacter(character) => write!(
                f,
                "a url must not hold {character:?}, only letters, digits and any of {PUNCTUATION}"
            ),
            Self::UrlPattern => f.write_str(
                "a segment of a url must not start with `:`, which some routers take for a pattern",
            ),
            Self::CodeRange => f.write_str("a code must be a whole number from 200 to 599"),
            Self::CodeWithoutBody => {
                f.write_str("a code must not be 204, 205 or 304, which cannot carry the body")
            }
            Self::UnknownSetting => {
                f.write_str("there is no such setting, only")?;
                for (index, setting) in Setting::ALL.into_iter().enumerate() {
                    let comma = if index > 0 { "," } else { "" };
                    write!(f, "{comma} {}", setting.key())?;
                }
                Ok(())
            }
            Self::NotUtf8 => f.write_str("the value must be UTF-8"),
        }
    }
}

/// What RFC 3986 allows in a path beside letters and digits, with two exceptions: escapes, because
/// frameworks disagree on whether they decode before they compare, and `*`, which at the end of a path
/// is a pattern of actix-web and at the start of a segment one of older routers.
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

/// Three digits: no sign, space or fraction.
pub(super) fn code_from_text(text: &str) -> Result<StatusCode, ConfigRule> {
    let is_three_digits = text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_digit());
    let number = text.parse().ok().filter(|_| is_three_digits);
    code(number.ok_or(ConfigRule::CodeRange)?)
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

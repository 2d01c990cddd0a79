//! Enums whose variants have fixed names: one way to show them and to read them back.

use std::fmt;

/// Gives an enum `ALL`, `as_str`, `Display` and `FromStr`. The last accepts exactly the names that `as_str` returns.
macro_rules! names {
    ($enum:ident, $what:literal, { $($variant:ident => $name:literal),+ $(,)? }) => {
        impl $enum {
            /// Every value, in the order of the declaration.
            pub const ALL: [Self; [$($name),+].len()] = [$(Self::$variant),+];

            /// The name as text, for example in a log.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $name),+
                }
            }
        }

        impl std::fmt::Display for $enum {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl std::str::FromStr for $enum {
            type Err = $crate::text::UnknownName;

            /// # Errors
            ///
            /// `text` is not exactly one of the names; the error lists them.
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                let mut all = Self::ALL.into_iter();
                all.find(|value| value.as_str() == text)
                    .ok_or_else(|| $crate::text::UnknownName::new($what, text, &[$($name),+]))
            }
        }
    };
}

pub(crate) use names;

use super::cut;

/// A text that names no value of an enum.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownName {
    what: &'static str,
    text: String,
    accepted: &'static [&'static str],
}

impl UnknownName {
    pub(crate) fn new(what: &'static str, text: &str, accepted: &'static [&'static str]) -> Self {
        Self { what, text: cut(text), accepted }
    }
}

impl fmt::Display for UnknownName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { what, text, accepted } = self;
        write!(f, "{text:?} is not a {what}: accepted are {}", accepted.join(", "))
    }
}

impl std::error::Error for UnknownName {}

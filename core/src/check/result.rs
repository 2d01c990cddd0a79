//! The result of a check: its status, and what it says about it.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;

#[cfg(feature = "details")]
use super::reference::Reference;
use super::value::{Unit, Value, is_value_name};
use crate::text::{cut, cut_error, names};

/// The status of one result.
///
/// [`From<&str>`](Self::from) follows the original: only the exact `OK` is [`Status::Ok`], and any other text, such as
/// `ok`, `NOK`, `DEGRADED` or an empty one, is [`Status::Error`] ([H6](crate::contract#h6)).
/// [`FromStr`](std::str::FromStr) accepts `OK`, `DEGRADED` and `ERROR` only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Status {
    /// The check passed.
    Ok,
    /// The check passed, and a person should look at it ([H23](crate::contract#h23)).
    Degraded,
    /// The check failed.
    Error,
}

names!(Status, "status", {
    Ok => "OK",
    Degraded => "DEGRADED",
    Error => "ERROR",
});

impl From<&str> for Status {
    fn from(text: &str) -> Self {
        if text == "OK" { Self::Ok } else { Self::Error }
    }
}

/// What a check returns if it has more to say than `Ok(())` or an error ([H23](crate::contract#h23)).
///
/// ```
/// use health_core::{Check, CheckResult, Unit};
/// # fn free_bytes() -> Result<u64, std::io::Error> { Ok(20 << 30) }
///
/// let disk = Check::blocking("disk", || {
///     let free = free_bytes()?;
///     let result = match free {
///         0..1_000_000_000 => CheckResult::error("the disk is full").reason("full"),
///         1_000_000_000..10_000_000_000 => CheckResult::degraded("the disk is almost full"),
///         _ => CheckResult::ok(),
///     };
///     Ok::<_, std::io::Error>(result.value("free", free as f64, Unit::Bytes))
/// });
/// ```
///
/// All of it appears in the log only ([H9](crate::contract#h9)).
#[derive(Clone, PartialEq, Eq)]
#[must_use = "a result does nothing until the check returns it, or reports it to the event"]
pub struct CheckResult {
    pub(super) status: Status,
    pub(super) message: Option<String>,
    /// Most results have none.
    extras: Option<Box<Extras>>,
}

#[derive(Clone, Default, PartialEq, Eq)]
struct Extras {
    reason: Option<Cow<'static, str>>,
    /// Whether the message already says the reason: then the log does not repeat it.
    is_reason_in_message: bool,
    values: Vec<Value>,
    #[cfg(feature = "details")]
    reference: Option<Reference>,
    /// What is wrong with the first part that was left out.
    rejection: Option<String>,
}

/// The maximum number of values of a result.
const MAX_VALUES: usize = 32;

/// The maximum length of a reason in characters.
const MAX_REASON_LEN: usize = 32;

impl CheckResult {
    pub(super) fn new(status: Status, message: Option<String>) -> Self {
        Self { status, message, extras: None }
    }

    /// The message if the check failed.
    pub(crate) fn into_outcome(self) -> Result<(), String> {
        match self.status {
            Status::Ok | Status::Degraded => Ok(()),
            Status::Error => Err(self.message.unwrap_or_default()),
        }
    }

    fn extras(&mut self) -> &mut Extras {
        self.extras.get_or_insert_default()
    }

    /// The check passed.
    pub fn ok() -> Self {
        Self::new(Status::Ok, None)
    }

    /// The check passed, but a person should look at it: the state is [`Degraded`](crate::State::Degraded), for which
    /// most [endpoints](crate::Endpoint) respond `200 OK`. `message` is an error, which is logged with its causes, or a
    /// text.
    pub fn degraded(message: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::new(Status::Degraded, Some(cut_error(&*message.into())))
    }

    /// The check failed. `error` is an error, which is logged with its causes, or a text.
    pub fn error(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::new(Status::Error, Some(cut_error(&*error.into())))
    }

    /// Sets the message, which replaces an earlier one. It is cut to [`MAX_MESSAGE_LEN`](crate::MAX_MESSAGE_LEN).
    pub fn message(mut self, message: impl fmt::Display) -> Self {
        self.message = Some(cut(message));
        self
    }

    /// Sets the reason: one word for filters and alerts that never contains a secret, such as `refused`,
    /// `unauthorized`, `saturated`, `slow` or `expired`. It replaces an earlier one.
    ///
    /// A reason has 1 to 32 characters: lower-case ASCII letters, digits, `_` and `-`. Another text is left out, and
    /// one WARN is logged per check.
    pub fn reason(mut self, reason: impl Into<Cow<'static, str>>) -> Self {
        let reason = reason.into();
        if is_reason(&reason) {
            self.extras().reason = Some(reason);
        } else {
            self.reject(format_args!(
                "the reason {:?} is left out: a reason has 1 to {MAX_REASON_LEN} characters of a-z, 0-9, _ and -",
                cut(reason)
            ));
        }
        self
    }

    /// Adds a value, such as `("free", 2e9, Unit::Bytes)`. It replaces an earlier value of the same name
    /// and unit. The log shows it as `"free_bytes":2000000000`.
    ///
    /// A name has 1 to 64 characters: lower-case ASCII letters, digits and `_`, the first of them a letter. A value
    /// with another name, and a number that is NaN or infinite, is left out, and one WARN is logged per check. So is
    /// any value after the 32nd.
    pub fn value(mut self, name: impl Into<Cow<'static, str>>, number: f64, unit: Unit) -> Self {
        let name = name.into();
        if !is_value_name(&name) {
            self.reject(format_args!(
                "the value {:?} is left out: a name has 1 to 64 characters of a-z, 0-9 and _, the first of them a letter",
                cut(name)
            ));
        } else if !number.is_finite() {
            self.reject(format_args!(
                "the value {name:?} is left out: it is {number}, which is no finite number"
            ));
        } else {
            let value = Value { name, number, unit };
            let values = &mut self.extras().values;
            values.retain(|other| other.full_name() != value.full_name());
            if values.len() < MAX_VALUES {
                values.push(value);
            } else {
                self.reject(format_args!(
                    "the value {:?} is left out: a result has at most {MAX_VALUES}",
                    value.name
                ));
            }
        }
        self
    }

    fn reject(&mut self, sentence: fmt::Arguments<'_>) {
        self.extras().rejection.get_or_insert_with(|| sentence.to_string());
    }

    /// A failure that this library found. `message` says the reason.
    pub(crate) fn failure(reason: &'static str, message: impl fmt::Display) -> Self {
        Self::new(Status::Error, Some(cut(message))).with_said_reason(reason)
    }

    /// Sets a reason that the message already says.
    pub(crate) fn with_said_reason(mut self, reason: &'static str) -> Self {
        let extras = self.extras();
        extras.reason = Some(Cow::Borrowed(reason));
        extras.is_reason_in_message = true;
        self
    }

    pub(super) fn reason_word(&self) -> Option<&str> {
        self.extras.as_ref()?.reason.as_deref()
    }

    /// The reason, unless the message says it.
    pub(super) fn reason_to_log(&self) -> Option<&str> {
        let is_in_message = self.extras.as_ref()?.is_reason_in_message;
        self.reason_word().filter(|_| !is_in_message)
    }

    pub(super) fn all_values(&self) -> &[Value] {
        self.extras.as_ref().map_or(&[], |extras| &extras.values)
    }

    #[cfg(feature = "details")]
    pub(super) fn with_reference(mut self, reference: Reference) -> Self {
        self.extras().reference = Some(reference);
        self
    }

    #[cfg(feature = "details")]
    pub(super) fn reference(&self) -> Option<Reference> {
        self.extras.as_ref()?.reference
    }

    pub(super) fn rejection(&self) -> Option<&str> {
        self.extras.as_ref()?.rejection.as_deref()
    }
}

fn is_reason(text: &str) -> bool {
    let is_accepted = |byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-');
    (1..=MAX_REASON_LEN).contains(&text.len()) && text.bytes().all(is_accepted)
}

/// Omits the message: it may hold secrets, and `Debug` output travels.
impl fmt::Debug for CheckResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CheckResult").field("status", &self.status).finish_non_exhaustive()
    }
}

/// What a check may return: `Result<(), E>`, [`CheckResult`], or `Result<CheckResult, E>`, where `E` is any error that
/// converts into a boxed [`Error`].
///
/// There is no implementation for `()`: a check that ignores its result would always pass.
#[diagnostic::on_unimplemented(
    message = "a check cannot return `{Self}`",
    label = "the result of a check",
    note = "a check returns `Result<(), E>`, `CheckResult` or `Result<CheckResult, E>`; `E` converts into `Box<dyn Error + Send + Sync>`"
)]
pub trait IntoCheckResult {
    /// Converts it.
    fn into_check_result(self) -> CheckResult;
}

impl IntoCheckResult for CheckResult {
    fn into_check_result(self) -> CheckResult {
        self
    }
}

impl<E: Into<Box<dyn Error + Send + Sync>>> IntoCheckResult for Result<(), E> {
    fn into_check_result(self) -> CheckResult {
        match self {
            Ok(()) => CheckResult::ok(),
            Err(error) => CheckResult::error(error),
        }
    }
}

impl<E: Into<Box<dyn Error + Send + Sync>>> IntoCheckResult for Result<CheckResult, E> {
    fn into_check_result(self) -> CheckResult {
        self.unwrap_or_else(CheckResult::error)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::value::Unit;
    use super::{CheckResult, IntoCheckResult as _, Status};

    #[test]
    fn whatever_a_check_returns_has_a_status_and_a_message() {
        let shown = |result: CheckResult| (result.status, result.message);
        let text = |text: &str| Some(text.to_owned());
        assert_eq!(shown(Ok::<(), &str>(()).into_check_result()), (Status::Ok, None));
        assert_eq!(shown(Err::<(), _>("down").into_check_result()), (Status::Error, text("down")));
        let result = Ok::<_, &str>(CheckResult::degraded("slow"));
        assert_eq!(shown(result.into_check_result()), (Status::Degraded, text("slow")));
        let result = Err::<CheckResult, _>("down");
        assert_eq!(shown(result.into_check_result()), (Status::Error, text("down")));
        assert_eq!(shown(CheckResult::ok().message("61 % used")), (Status::Ok, text("61 % used")));
    }

    #[test]
    fn only_a_lower_case_word_of_32_characters_is_a_reason() {
        let longest = "x".repeat(32);
        for accepted in ["slow", "http_503", "read-only", &longest] {
            let result = CheckResult::ok().reason(accepted.to_owned());
            assert_eq!(result.reason_word(), Some(accepted));
            assert_eq!(result.rejection(), None);
        }
        let long = "x".repeat(33);
        for rejected in ["", "Slow", "two words", "line\nbreak", "é", "\u{202e}", "a\"b", &long] {
            let result = CheckResult::ok().reason("known").reason(rejected.to_owned());
            assert_eq!(result.reason_word(), Some("known"), "{rejected:?}");
            let rejection = result.rejection().unwrap();
            assert!(rejection.contains(&format!("{rejected:?}")), "{rejection}");
        }
    }

    #[test]
    fn a_value_has_a_finite_number_and_a_name_that_metrics_accept() {
        let names = |result: &CheckResult| {
            result.all_values().iter().map(|value| value.name().to_owned()).collect::<Vec<_>>()
        };
        let result = CheckResult::ok().value("free", 1.0, Unit::Bytes);
        for (name, number) in [
            ("", 1.0),
            ("Free", 1.0),
            ("9lives", 1.0),
            ("_free", 1.0),
            ("free-bytes", 1.0),
            ("load", f64::NAN),
            ("load", f64::INFINITY),
            ("load", f64::NEG_INFINITY),
        ] {
            let result = result.clone().value(name, number, Unit::Count);
            assert_eq!(names(&result), ["free"], "{name:?} {number}");
            assert!(result.rejection().unwrap().contains(&format!("{name:?}")));
        }
    }

    #[test]
    fn a_value_replaces_one_that_the_log_would_show_under_the_same_name() {
        let result = CheckResult::ok()
            .value("free", 1.0, Unit::Bytes)
            .value("free", 2.0, Unit::Ratio)
            .value("free_bytes", 3.0, Unit::Count);
        let numbers: Vec<_> = result.all_values().iter().map(|value| value.number()).collect();
        assert_eq!(numbers, [2.0, 3.0]);
    }

    #[test]
    fn a_result_has_32_values() {
        let full = (0..32).fold(CheckResult::ok(), |result, index| {
            result.value(format!("value_{index}"), 1.0, Unit::Count)
        });
        assert_eq!(full.rejection(), None);
        let replaced = full.clone().value("value_7", 2.0, Unit::Count);
        assert_eq!((replaced.all_values().len(), replaced.rejection()), (32, None));
        let more = full.value("one_more", 1.0, Unit::Count);
        assert_eq!(more.all_values().len(), 32);
        assert_eq!(
            more.rejection(),
            Some("the value \"one_more\" is left out: a result has at most 32")
        );
    }

    #[test]
    fn a_rejected_part_changes_nothing_else() {
        let result = CheckResult::error("down").reason("NOT GOOD").value("x y", 1.0, Unit::Count);
        assert_eq!(result.status, Status::Error);
        assert_eq!(result.message.as_deref(), Some("down"));
        assert!(result.rejection().unwrap().contains("NOT GOOD"), "the first one is kept");
    }

    proptest! {
        #[test]
        fn no_text_and_no_number_panics(reason in any::<String>(), name in any::<String>(), number in any::<f64>()) {
            let result = CheckResult::ok().reason(reason).value(name, number, Unit::Seconds);
            let is_safe = |text: &str| text.bytes().all(|byte| byte.is_ascii_graphic());
            prop_assert!(result.reason_word().is_none_or(is_safe));
            prop_assert!(result.all_values().iter().all(|value| is_safe(value.name()) && value.number().is_finite()));
        }
    }
}

//! Failures: their reasons, and their texts without passwords.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;
use std::io::{self, ErrorKind};
use std::sync::Arc;

use health_core::CheckResult;

use crate::reason;

pub(crate) type BoxError = Box<dyn Error + Send + Sync>;

/// Finds the reason of an error of a driver; `None` if it does not know the error.
pub(crate) type Classify = fn(&(dyn Error + 'static)) -> Option<&'static str>;

/// The result of a test that failed with `error`.
pub(crate) fn failure(error: &(dyn Error + 'static), classify: Classify) -> CheckResult {
    CheckResult::error(Redacted::of(error)).reason(reason_of(error, classify))
}

/// The result of a test that passed in spite of `error`.
pub(crate) fn degraded(error: &(dyn Error + 'static), classify: Classify) -> CheckResult {
    CheckResult::degraded(Redacted::of(error)).reason(reason_of(error, classify))
}

/// The reason of an error or one of its causes.
pub(crate) fn reason_of(error: &(dyn Error + 'static), classify: Classify) -> &'static str {
    find(error, classify).or_else(|| find(error, of_io)).unwrap_or(reason::FAILED)
}

/// The first reason that is found for an error or one of its causes.
fn find(error: &(dyn Error + 'static), classify: Classify) -> Option<&'static str> {
    classify(error).or_else(|| find(error.source()?, classify))
}

/// The result of an indicator with options that it cannot work with.
pub(crate) fn misconfigured(what: impl fmt::Display) -> CheckResult {
    CheckResult::error(redact(&what.to_string())).reason(reason::MISCONFIGURED)
}

/// The reason of an error of the standard library.
pub(crate) fn of_io(error: &(dyn Error + 'static)) -> Option<&'static str> {
    let error = as_io(error)?;
    // An error of another kind may contain one of these.
    if let Some(reason) = error.get_ref().and_then(|inner| of_io(inner)) {
        return Some(reason);
    }
    if is_of_a_name(error) {
        return Some(reason::NAME);
    }
    Some(match error.kind() {
        ErrorKind::ConnectionRefused => reason::REFUSED,
        ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted => reason::RESET,
        ErrorKind::BrokenPipe | ErrorKind::UnexpectedEof | ErrorKind::NotConnected => {
            reason::CLOSED
        }
        ErrorKind::TimedOut | ErrorKind::WouldBlock => reason::TIMED_OUT,
        ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable | ErrorKind::NetworkDown => {
            reason::UNREACHABLE
        }
        ErrorKind::PermissionDenied => reason::UNAUTHORIZED,
        ErrorKind::NotFound => reason::MISSING,
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => reason::FULL,
        ErrorKind::ReadOnlyFilesystem => reason::READ_ONLY,
        ErrorKind::InvalidData => reason::PROTOCOL,
        _ => return None,
    })
}

/// The error of the standard library that this is, or that a driver shares.
pub(crate) fn as_io<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a io::Error> {
    if let Some(shared) = error.downcast_ref::<Arc<dyn Error + Send + Sync>>() {
        return shared.downcast_ref();
    }
    error.downcast_ref().or_else(|| error.downcast_ref::<Arc<io::Error>>().map(|shared| &**shared))
}

/// Whether a name could not be resolved, for which the standard library has no kind.
fn is_of_a_name(error: &io::Error) -> bool {
    // WSAHOST_NOT_FOUND
    cfg!(windows) && error.raw_os_error() == Some(11_001)
        || error.to_string().starts_with("failed to lookup address information")
}

/// An error whose texts contain no password.
#[derive(Debug)]
struct Redacted {
    text: String,
    source: Option<Box<Self>>,
}

impl Redacted {
    fn of(error: &(dyn Error + 'static)) -> Self {
        Self {
            text: redact(&error.to_string()).into_owned(),
            source: error.source().map(|source| Box::new(Self::of(source))),
        }
    }
}

impl fmt::Display for Redacted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Error for Redacted {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}

/// `text` without what could be the user and password of a URL, or a password of a connection string. It rather removes
/// too much.
pub(crate) fn redact(text: &str) -> Cow<'_, str> {
    let mut redacted = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("://") {
        redacted.push_str(before);
        redacted.push_str("://");
        // A password that is not encoded may contain anything, such as `@`, `/`, a quote or a space.
        let url = after.split_once("://").map_or(after, |(url, _)| url);
        rest = after;
        if let Some(at) = url.rfind('@') {
            redacted.push('…');
            rest = &after[at..];
        }
    }
    redacted.push_str(rest);
    if let Some(start) = password_start(&redacted) {
        redacted.truncate(start);
        redacted.push('…');
    }
    if redacted == text { Cow::Borrowed(text) } else { Cow::Owned(redacted) }
}

/// Where the value of a key for a password begins: of `password=secret`, `Pwd = secret`, `"password": "secret"`.
fn password_start(text: &str) -> Option<usize> {
    let lower = text.to_ascii_lowercase();
    let value_start = |key: &str| {
        lower.match_indices(key).find_map(|(at, _)| {
            let after = &lower[at + key.len()..];
            let assigned = after.trim_start_matches(['"', '\'', ' ']);
            assigned.starts_with(['=', ':']).then_some(lower.len() - assigned.len() + 1)
        })
    };
    ["password", "passwd", "pwd"].into_iter().filter_map(value_start).min()
}

#[cfg(test)]
mod tests {
    use std::error::Error;
    use std::io;
    use std::net::ToSocketAddrs;
    use std::sync::Arc;

    use health_core::Report;

    use super::{failure, of_io, redact};

    #[test]
    fn no_text_contains_a_password() {
        for (text, redacted) in [
            ("connection refused", "connection refused"),
            ("postgres://ann:secret@db/shop", "postgres://…@db/shop"),
            (
                "at \"redis://:secret@cache:6379/0\": refused",
                "at \"redis://…@cache:6379/0\": refused",
            ),
            ("amqp://ann:se@cr/e:t@mq", "amqp://…@mq"),
            ("http://a:secret@b http://c:secret@d/e", "http://…@b http://…@d/e"),
            ("http://example.com/a@b", "http://…@b"),
            ("http://example.com", "http://example.com"),
            ("host=db password=secret user=ann", "host=db password=…"),
            ("Server=db;Pwd=secret", "Server=db;Pwd=…"),
            ("amqp://ann:se'cret@mq", "amqp://…@mq"),
            ("postgres://ann:a@b'c d@db", "postgres://…@db"),
            ("host=db password = secret", "host=db password =…"),
            (r#"{"password" : "secret"}"#, r#"{"password" :…"#),
            ("password authentication failed", "password authentication failed"),
            ("://", "://"),
            ("ä://ö:secret@ü", "ä://…@ü"),
        ] {
            assert_eq!(redact(text), redacted);
        }
    }

    #[test]
    fn causes_are_redacted_too() {
        let inner = io::Error::other("redis://:secret@cache");
        let error = io::Error::new(io::ErrorKind::ConnectionReset, inner);
        let report = Report::of("cache", failure(&error, |_| None));
        assert_eq!(report.message(), Some("redis://…@cache"));
    }

    #[test]
    fn the_reason_of_a_wrapped_error_is_that_of_its_cause() {
        let inner = io::Error::from(io::ErrorKind::ConnectionRefused);
        assert_eq!(of_io(&io::Error::other(inner)), Some("refused"));
        assert_eq!(of_io(&io::Error::other("odd")), None);
    }

    #[test]
    fn the_reason_of_a_shared_error_is_that_of_the_error() {
        let refused = || io::Error::from(io::ErrorKind::ConnectionRefused);
        let shared: Arc<dyn Error + Send + Sync> = Arc::new(refused());
        assert_eq!(of_io(&shared), Some("refused"));
        assert_eq!(of_io(&Arc::new(refused())), Some("refused"));
    }

    #[test]
    fn a_name_that_cannot_be_resolved_has_a_reason_of_its_own() {
        let error = (&*"a".repeat(300), 1).to_socket_addrs().unwrap_err();
        assert_eq!(of_io(&error), Some("name"), "{error:?}");
    }
}

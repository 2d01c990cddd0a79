//! The verdict on a response, in a line.

use std::fmt;

use crate::response::Response;

/// Whether the application is healthy, and why. [`Display`](fmt::Display) shows the line that the command prints, for
/// example `failing: 503 ERROR`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub enum Verdict {
    /// Healthy: the response is 200, or maintenance if that is [ok](crate::Probe::maintenance_ok), or the file is new
    /// enough. The text is one short line without control characters.
    Healthy(String),
    /// Failing: any other response, or the file is old or missing. The text is one short line without control
    /// characters.
    Failing(String),
}

const LONGEST_WORD: usize = 32;
const LONGEST_REASON: usize = 64;

impl Verdict {
    /// Whether this is [`Healthy`](Self::Healthy).
    pub fn is_healthy(&self) -> bool {
        matches!(self, Self::Healthy(_))
    }

    pub(crate) fn of(response: &Response, is_maintenance_ok: bool) -> Self {
        let is_maintenance = response.code == 299 || response.body.trim_ascii() == b"MAINTENANCE";
        let line = format!("{} {}", response.code, describe(response));
        let seen = line.trim_end();
        match response.code {
            _ if is_maintenance && is_maintenance_ok => {
                Self::Healthy(format!("{seen} (maintenance)"))
            }
            _ if is_maintenance => {
                Self::Failing(format!("{seen} (maintenance; healthy with --maintenance-ok)"))
            }
            200 => Self::Healthy(seen.to_owned()),
            300..=399 => Self::Failing(format!("{seen} (a redirect, which is not followed)")),
            _ => Self::Failing(seen.to_owned()),
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Healthy(why) => write!(f, "healthy: {why}"),
            Self::Failing(why) => write!(f, "failing: {why}"),
        }
    }
}

/// The body if it is short and printable, such as ERROR; otherwise the reason phrase.
fn describe(response: &Response) -> String {
    let is_printable = |byte: &u8| matches!(byte, b' '..=b'~');
    let body = response.body.trim_ascii();
    if !body.is_empty() && body.len() <= LONGEST_WORD && body.iter().all(is_printable) {
        return String::from_utf8_lossy(body).into_owned();
    }
    let reason = response.reason.iter().take(LONGEST_REASON);
    reason.map(|byte| if is_printable(byte) { char::from(*byte) } else { '?' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(code: u16, reason: &str, body: &str, is_maintenance_ok: bool) -> String {
        let response = Response { code, reason: reason.into(), body: body.into() };
        Verdict::of(&response, is_maintenance_ok).to_string()
    }

    #[test]
    fn exactly_200_is_healthy() {
        assert_eq!(verdict(200, "OK", "OK", false), "healthy: 200 OK");
        assert_eq!(verdict(200, "", "", false), "healthy: 200");
        for code in [101, 201, 204, 298, 404, 429, 500, 999] {
            let line = verdict(code, "Reason", "", true);
            assert_eq!(line, format!("failing: {code} Reason"));
        }
    }

    #[test]
    fn the_body_is_shown_where_it_is_a_word() {
        let unavailable = |body| verdict(503, "Service Unavailable", body, false);
        assert_eq!(unavailable("ERROR"), "failing: 503 ERROR");
        assert_eq!(unavailable(" STARTING\r\n"), "failing: 503 STARTING");
        for body in ["", " ", "two\nlines", "\x1b[2J", "\u{e9}", &"x".repeat(33)] {
            assert_eq!(unavailable(body), "failing: 503 Service Unavailable");
        }
    }

    #[test]
    fn a_299_or_the_body_is_maintenance_and_healthy_only_if_that_is_asked_for() {
        for (code, body) in [(299, ""), (299, "OK"), (503, "MAINTENANCE"), (200, "MAINTENANCE\n")] {
            let line = verdict(code, "X", body, false);
            assert!(line.starts_with(&format!("failing: {code}")), "{line}");
            assert!(line.contains("--maintenance-ok"), "{line}");
            let line = verdict(code, "X", body, true);
            assert!(line.starts_with(&format!("healthy: {code}")), "{line}");
        }
        for body in ["maintenance", "MAINTENANCE!", "in MAINTENANCE", "DRAINING", "STARTING"] {
            let line = verdict(503, "X", body, true);
            assert_eq!(line, format!("failing: 503 {body}"));
        }
    }

    #[test]
    fn a_redirect_is_failing_and_says_why() {
        let line = verdict(301, "Moved Permanently", "", false);
        assert_eq!(line, "failing: 301 Moved Permanently (a redirect, which is not followed)");
    }

    #[test]
    fn a_hostile_reason_becomes_one_short_line() {
        let line = verdict(500, "a\x1b[31m\r\x00\u{9b}b", "", false);
        assert_eq!(line, "failing: 500 a?[31m????b");
        let line = verdict(500, &"x".repeat(9000), "", false);
        assert_eq!(line.len(), "failing: 500 ".len() + LONGEST_REASON);
    }
}

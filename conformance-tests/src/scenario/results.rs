//! What a step expects to be logged of a check.

use serde::Deserialize;

/// An entry of `results`: a status, and what the message starts with.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct Wanted {
    /// `OK`, `DEGRADED` or `ERROR`; or `DELAYED`, which is not of a check.
    pub(crate) status: String,
    /// Alternatives for the beginning of the message. If there are none, it is not tested. `*` is any text without comma
    /// and colon.
    pub(crate) beginnings: Vec<String>,
}

impl TryFrom<String> for Wanted {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let (status, rest) = text.split_once(' ').unwrap_or((&text, ""));
        if !["OK", "DEGRADED", "ERROR"].contains(&status) && text != DELAYED {
            return Err(format!("result {text:?} starts with neither OK, DEGRADED nor ERROR"));
        }
        let beginnings = rest.split('|').filter(|beginning| !beginning.is_empty());
        Ok(Self { status: status.to_owned(), beginnings: beginnings.map(str::to_owned).collect() })
    }
}

/// The beginning of the message of a check that continues after its timeout (H12).
pub(crate) const STILL_RUNNING: &str = "still running";

/// Whether `text` starts with `beginning`.
pub(crate) fn starts_with(text: &str, beginning: &str) -> bool {
    let mut parts = beginning.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else {
        return false;
    };
    parts.all(|part| match rest.split_once(part) {
        Some((skipped, after)) if !skipped.contains([',', ':']) => {
            rest = after;
            true
        }
        _ => false,
    })
}

/// The entry that is not of a check, but says that the return to healthy is delayed (H25).
const DELAYED: &str = "DELAYED";

impl Wanted {
    pub(crate) fn is_delay(&self) -> bool {
        self.status == DELAYED
    }

    /// Whether the check has to be running still, from a request before, and whether it may be.
    pub(crate) fn is_still_running(&self) -> (bool, bool) {
        let mut beginnings = self.beginnings.iter();
        let may_be = beginnings.any(|beginning| beginning == STILL_RUNNING);
        (may_be && self.beginnings.len() == 1, may_be)
    }
}

#[cfg(test)]
mod tests {
    use super::starts_with;

    #[test]
    fn an_asterisk_is_any_text_without_comma_and_colon() {
        for (text, beginning, expected) in [
            ("no route", "", true),
            ("no route", "no ", true),
            ("no route", "route", false),
            ("for 90s: no route", "for *: no", true),
            ("for 1.5s, 8 of 9: no route", "for *: no", false),
            ("for 1.5s, 8 of 9: no route", "for *, 8 of 9: no route", true),
            ("for 1.5s, 8 of 9: no route", "for *, 4 of 9", false),
            ("for : no route", "for *: *route", true),
            ("for 1s", "for *: ", false),
        ] {
            assert_eq!(starts_with(text, beginning), expected, "{text} {beginning}");
        }
    }
}

//! The lines of Kubernetes' `?verbose`, for people: `handleRootHealth` in `apiserver/pkg/server/healthz/healthz.go`.
//!
//! ```text
//! [+]mail ok
//! [-]database failed: refused (reference 1k7v9c2)
//! ready check failed
//! ```

use std::borrow::Cow;
use std::fmt::{self, Write as _};

use super::grade::Grade;
use super::snapshot::{CheckDetails, ReportDetails, Snapshot};
use crate::check::{Criticality, Status};
use crate::text::misleads;

/// The lines of a snapshot.
pub(super) fn write(snapshot: &Snapshot) -> Cow<'static, str> {
    let mut text = String::new();
    // Writing into a string never fails.
    let _ = lines(&mut text, snapshot);
    text.into()
}

fn lines(text: &mut String, snapshot: &Snapshot) -> fmt::Result {
    for check in &snapshot.checks {
        for (name, status, result) in check.entries() {
            line(text, check, &name, status, result)?;
        }
    }
    let has_failed = Grade::of(snapshot) == Grade::Fail;
    for note in snapshot.notes_besides_checks().into_iter().flatten() {
        let (mark, verdict) = if has_failed { ("[-]", "failed") } else { ("[+]", "ok") };
        writeln!(text, "{mark}state {verdict}: {}", OneLine(&note))?;
    }
    // Kubernetes names the path without its slash: `readyz check passed`.
    let name = snapshot.path.strip_prefix('/').filter(|name| !name.is_empty());
    let verdict = if has_failed { "failed" } else { "passed" };
    writeln!(text, "{} check {verdict}", name.unwrap_or("/"))
}

/// Where Kubernetes says `reason withheld`, the reason stands, and the reference. The full level has the message.
fn line(
    text: &mut String,
    check: &CheckDetails,
    name: &str,
    status: Option<Status>,
    result: Option<&ReportDetails>,
) -> fmt::Result {
    let name = OneLine(name);
    match status {
        Some(Status::Ok) => return writeln!(text, "[+]{name} ok"),
        Some(Status::Degraded) => write!(text, "[+]{name} degraded: ")?,
        Some(Status::Error) => write!(text, "[-]{name} failed: ")?,
        None => return writeln!(text, "[?]{name} not run"),
    }
    let explanation = result.map_or("no reason given", ReportDetails::explanation_or_note);
    write!(text, "{}", OneLine(explanation))?;
    let reference = result.and_then(|result| result.reference);
    let optional = (check.criticality == Criticality::Optional).then(|| "optional".to_owned());
    let remarks = [optional, reference.map(|reference| format!("reference {reference}"))];
    let remarks: Vec<_> = remarks.into_iter().flatten().collect();
    if !remarks.is_empty() {
        write!(text, " ({})", remarks.join(", "))?;
    }
    writeln!(text)
}

/// A text that cannot begin another line, nor change the direction of what a terminal shows: such characters are escaped.
struct OneLine<'a>(&'a str);

impl fmt::Display for OneLine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for c in self.0.chars() {
            if misleads(c) {
                write!(f, "{}", c.escape_unicode())?;
            } else {
                f.write_char(c)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::OneLine;

    #[test]
    fn what_forges_a_line_or_reorders_it_is_escaped() {
        for (text, shown) in [
            ("disk é 日", "disk é 日"),
            ("a ok\n[-]b", r"a ok\u{a}[-]b"),
            ("a\r\u{85}\u{2028}\u{2029}\u{b}\u{c}", r"a\u{d}\u{85}\u{2028}\u{2029}\u{b}\u{c}"),
            ("\u{1b}[2K\u{8}\u{7f}\u{9b}", r"\u{1b}[2K\u{8}\u{7f}\u{9b}"),
            ("\u{202e}ko\u{2066}\u{200f}\u{61c}", r"\u{202e}ko\u{2066}\u{200f}\u{61c}"),
        ] {
            assert_eq!(OneLine(text).to_string(), shown);
        }
    }

    proptest! {
        #[test]
        fn no_text_becomes_two_lines(text in any::<String>()) {
            let shown = OneLine(&text).to_string();
            prop_assert!(shown.lines().count() <= 1);
            prop_assert!(!shown.contains(char::is_control));
        }
    }
}

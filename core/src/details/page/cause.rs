//! What a state follows from besides the checks, and how it ends.

use maud::{Markup, html};

use super::human::Lasting;
use super::text::Shown;
use crate::details::snapshot::{Cause, LatchDetails};

/// A paragraph, and the latches; nothing if only the checks count.
pub(super) fn section(cause: &Cause, is_full: bool) -> Markup {
    html! {
        @match cause {
            Cause::Checks => {}
            Cause::Recovery { rest } => p {
                "No required check fails any more. The return is delayed: this endpoint stays failing for another "
                (Lasting::whole(*rest)) "."
            },
            Cause::Start { latches: held } => (latches(held)),
            Cause::Maintenance { by_switch, disablefile } => p { (end(*by_switch, disablefile.as_deref(), is_full)) },
            Cause::Drain { rest, active_requests } => p {
                @match rest {
                    Some(rest) if rest.is_zero() => "The server may stop now. ",
                    Some(rest) => { "The server may stop in " (Lasting::whole(*rest)) ". " },
                    None => {}
                }
                "Active requests: " (active_requests) "."
            },
        }
    }
}

fn latches(latches: &[LatchDetails]) -> Markup {
    let has_failed = latches.iter().any(|latch| latch.has_failed);
    html! {
        p {
            @if has_failed {
                "The start has failed, for good: start the program again. The latches that were not released:"
            } @else {
                "The start waits for these latches:"
            }
        }
        ul {
            @for latch in latches {
                li {
                    (Shown(&latch.name))
                    @if let Some(error) = &latch.error { p.t { (Shown(error)) } }
                }
            }
        }
    }
}

/// How the maintenance ends. Only the full level shows the path of the disablefile, and that there is none.
fn end(by_switch: bool, disablefile: Option<&str>, is_full: bool) -> Markup {
    let file = html! {
        @match disablefile {
            Some(path) => { "the file " (Shown(path)) }
            None => "the disablefile",
        }
    };
    let has_none = is_full && disablefile.is_none();
    html! {
        "To end the maintenance, "
        @match (by_switch, has_none) {
            (true, true) => "turn off the switch of the program.",
            (true, false) => { "turn off the switch of the program. If " (file) " exists, remove it too." }
            (false, true) => "end it in the source that has started it.",
            (false, false) => { "remove " (file) ", or end it in the other source that has started it." }
        }
    }
}

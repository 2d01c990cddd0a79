//! The page: the details for people, as one HTML document that needs no script and no other file.
//!
//! `docs/page.md` shows it, and says what browsers do with it.

mod cause;
mod check;
mod human;
mod sparkline;
mod style;
mod text;

use std::borrow::Cow;
use std::iter;

use maud::{DOCTYPE, Markup, PreEscaped, html};

use self::human::{Age, Clock, Lasting};
pub(super) use self::style::POLICY;
use self::style::STYLE;
use self::text::Shown;
use super::snapshot::{Cause, Poll, Snapshot};
use crate::check::Status;
use crate::state::State;

/// The period at which a browser loads the page again, in seconds.
const REFRESH: u8 = 5;

/// How many changes of the state are shown.
const MAX_CHANGES: usize = 20;

/// The document of a snapshot.
pub(super) fn write(snapshot: &Snapshot, refreshes: bool) -> Cow<'static, str> {
    document(snapshot, refreshes).into_string().into()
}

fn document(snapshot: &Snapshot, refreshes: bool) -> Markup {
    let state = snapshot.state;
    html! {
        (DOCTYPE)
        html lang="en" dir="ltr" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width,initial-scale=1";
                @if refreshes {
                    meta http-equiv="refresh" content=(REFRESH);
                }
                meta name="color-scheme" content="light dark";
                meta name="referrer" content="no-referrer";
                title { (title(state)) " " (snapshot.path) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                main {
                    h1 class=(class_of(state)) { b { (title(state)) } (since(snapshot)) "." }
                    (polls(snapshot))
                    (cause::section(&snapshot.cause, snapshot.process.is_some()))
                    (checks(snapshot))
                    (changes(snapshot))
                }
                (footer(snapshot, refreshes))
            }
        }
    }
}

/// What an endpoint in this state is, for people.
fn title(state: State) -> &'static str {
    match state {
        State::Ok => "OK",
        State::Degraded => "Degraded",
        State::Failing => "Failing",
        State::Starting => "Starting",
        State::Maintenance => "In maintenance",
        State::Draining => "Draining",
    }
}

/// The class that gives a state its shape and color.
fn class_of(state: State) -> &'static str {
    match state {
        State::Ok => "o",
        State::Degraded => "d",
        State::Failing => "e",
        State::Starting => "n",
        State::Maintenance | State::Draining => "m",
    }
}

fn since(snapshot: &Snapshot) -> Markup {
    let now = snapshot.time;
    html! {
        @if let Some(since) = snapshot.since {
            " since " (Clock { time: since, now }) " (" (Lasting::between(since, now)) ")"
        }
    }
}

/// What pollers were told, and this reader, if that is something else.
fn polls(snapshot: &Snapshot) -> Markup {
    let (status, word) = (snapshot.status, snapshot.word);
    let is_this = |poll: &Poll| poll.status == status && poll.word == word;
    html! {
        p.w {
            @match &snapshot.last_poll {
                Some(poll) => {
                    "Pollers were last told " b { (poll.status.as_u16()) " " (poll.word.as_str()) } ", "
                    (Age::of(poll.time, snapshot.time)) "."
                }
                None => "No poller has asked yet.",
            }
            @if !snapshot.last_poll.as_ref().is_some_and(is_this) {
                " The response to this request is " b { (status.as_u16()) " " (word.as_str()) } "."
            }
        }
    }
}

/// Those that fail come first; of equal ones, the order is that of the registration.
fn checks(snapshot: &Snapshot) -> Markup {
    let mut checks: Vec<_> = snapshot.checks.iter().collect();
    checks.sort_by_key(|check| match check.status {
        Some(Status::Error) => 0,
        Some(Status::Degraded) => 1,
        None => 2,
        Some(Status::Ok) => 3,
    });
    html! {
        h2 { "Checks" }
        @if checks.is_empty() {
            p { "This endpoint has no checks." }
        } @else {
            p {
                (check::counts(&snapshot.checks)) "."
                @if !snapshot.has_run_checks {
                    " This request ran no check: these are the last results."
                }
            }
            ul.c {
                @for check in checks {
                    (check::item(check, snapshot.time))
                }
            }
        }
    }
}

/// The history of the state, the latest first.
fn changes(snapshot: &Snapshot) -> Markup {
    let now = snapshot.time;
    let count = snapshot.changes.len();
    let latest = snapshot.changes.iter().rev();
    // Each state ends where the next begins, and the last one lasts.
    let ends = iter::once(now).chain(latest.clone().map(|(time, _)| *time));
    html! {
        @if count > 0 {
            h2 { "History" }
            @if count > MAX_CHANGES {
                p { "The last " (MAX_CHANGES) " of " (count) " changes of the state." }
            }
            ol {
                @for (&(time, state), end) in latest.zip(ends).take(MAX_CHANGES) {
                    li {
                        b class=(class_of(state)) { (title(state)) }
                        " from " (Clock { time, now }) ", for " (Lasting::between(time, end))
                    }
                }
            }
        }
    }
}

fn footer(snapshot: &Snapshot, refreshes: bool) -> Markup {
    let mut results = snapshot.checks.iter().flat_map(|check| &check.results);
    let has_references =
        results.any(|result| result.reference.is_some() && result.message.is_none());
    // A link replaces the whole query.
    let runs = snapshot.has_run_checks && !snapshot.checks.is_empty();
    let query = |format| html! { "?" @if runs { "checks=all&" } "format=" (format) };
    let now = snapshot.time;
    html! {
        footer {
            @if has_references {
                p { "The log has the message for each reference." }
            }
            p { (about(snapshot)) " Shown at " (human::date(now)) " " (Clock { time: now, now }) "." }
            p {
                @if refreshes {
                    "This page loads again every " (REFRESH) " seconds. "
                    a href=(query("html-still")) { "Stop that" }
                } @else {
                    "This page does not change by itself. "
                    a href=(query("html")) { "Load it again every " (REFRESH) " seconds" }
                }
            }
        }
    }
}

/// The endpoint, and the process at the full level.
fn about(snapshot: &Snapshot) -> Markup {
    html! {
        "Endpoint " (Shown(&snapshot.path))
        @if let Some(process) = &snapshot.process {
            @if let Some((name, version)) = &process.service {
                " of " (Shown(name)) " " (Shown(version))
            }
            ", up for " (Lasting::whole(process.uptime))
            // A drain shows them above.
            @if !matches!(snapshot.cause, Cause::Drain { .. }) {
                ", active requests: " (process.active_requests)
            }
        }
        "."
    }
}

//! One check.

use std::fmt;
use std::time::SystemTime;

use maud::{Markup, Render, html};

use super::human::{Age, Clock, Lasting, Number};
use super::sparkline::sparkline;
use super::text::Shown;
use crate::check::{Criticality, Status};
use crate::details::snapshot::{CheckDetails, ReportDetails};

/// The word for a status.
fn word(status: Option<Status>) -> &'static str {
    match status {
        Some(Status::Ok) => "OK",
        Some(Status::Degraded) => "Degraded",
        Some(Status::Error) => "Error",
        None => "Not run yet",
    }
}

/// The class that gives a status its shape and color.
fn class_of(status: Option<Status>) -> &'static str {
    match status {
        Some(Status::Ok) => "o",
        Some(Status::Degraded) => "d",
        Some(Status::Error) => "e",
        None => "n",
    }
}

/// How many checks have which status.
pub(super) fn counts(checks: &[CheckDetails]) -> Counts {
    Counts::of(checks.iter().map(|check| check.status))
}

/// How many of something have which status.
#[derive(Default)]
pub(super) struct Counts {
    errors: usize,
    degraded: usize,
    not_run: usize,
    ok: usize,
}

impl Counts {
    pub(super) fn of(statuses: impl Iterator<Item = Option<Status>>) -> Self {
        let mut counts = Self::default();
        for status in statuses {
            match status {
                Some(Status::Error) => counts.errors += 1,
                Some(Status::Degraded) => counts.degraded += 1,
                None => counts.not_run += 1,
                Some(Status::Ok) => counts.ok += 1,
            }
        }
        counts
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let errors = if self.errors == 1 { "error" } else { "errors" };
        let mut comma = "";
        for (count, what) in [
            (self.errors, errors),
            (self.degraded, "degraded"),
            (self.not_run, "not run yet"),
            (self.ok, "OK"),
        ] {
            if count > 0 {
                write!(f, "{comma}{count} {what}")?;
                comma = ", ";
            }
        }
        Ok(())
    }
}

impl Render for Counts {
    fn render_to(&self, out: &mut String) {
        use std::fmt::Write as _;
        let _ = write!(out, "{self}");
    }
}

/// The check as an item of a list.
pub(super) fn item(check: &CheckDetails, now: SystemTime) -> Markup {
    html! {
        li class=(class_of(check.status)) {
            h3 { b { (word(check.status)) } " " (Shown(&check.name)) }
            p { (weight(check)) (times(check, now)) }
            @match check.results.as_slice() {
                [result] if result.name == check.name => (report(result)),
                results => ul {
                    @for result in results {
                        li {
                            b class=(class_of(Some(result.status))) { (word(Some(result.status))) }
                            " " (Shown(&result.name)) (report(result))
                        }
                    }
                    @if check.omitted_results > 0 { li { "and " (check.omitted_results) " more" } }
                }
            }
            @if let Some(people) = &check.people {
                @if people.description.is_some() || people.owner.is_some() || people.runbook.is_some() {
                    p {
                        @if let Some(description) = &people.description { "Tests " (Shown(description)) ". " }
                        @if let Some(owner) = &people.owner { "Owner: " (Shown(owner)) ". " }
                        @if let Some(runbook) = &people.runbook {
                            a href=(runbook) rel="noreferrer" { "Runbook" }
                        }
                    }
                }
            }
            (sparkline(&check.history))
        }
    }
}

/// How its failures count. Those of a shared dependency count by circumstances (H22).
fn weight(check: &CheckDetails) -> &'static str {
    let has_failed = matches!(check.status, Some(Status::Degraded | Status::Error));
    match (check.is_shared, check.criticality) {
        (true, _) if !has_failed => "Shared.",
        (true, Criticality::Required) => "Shared, now required.",
        (true, Criticality::Optional) => "Shared, now optional.",
        (false, Criticality::Required) => "Required.",
        (false, Criticality::Optional) => "Optional.",
    }
}

fn times(check: &CheckDetails, now: SystemTime) -> Markup {
    let is_ok = check.status == Some(Status::Ok);
    html! {
        @if let Some(since) = check.since {
            " Since " (Clock { time: since, now }) " (" (Lasting::between(since, now)) ")."
        }
        @if !is_ok && check.status.is_some() {
            @match check.last_ok {
                Some(ok) => { " Last OK " (Clock { time: ok, now }) " (" (Age::of(ok, now)) ")." }
                None => " Never OK.",
            }
        }
        @if let Some((end, duration)) = check.last_execution {
            " Took " (Lasting(duration)) ", " (Age::of(end, now)) "."
        }
        @if let Some(period) = check.period { " Runs every " (Lasting(period)) "." }
    }
}

/// Why a result is what it is. The reference stands for a message that is not shown.
fn report(result: &ReportDetails) -> Markup {
    let reference = result.reference.filter(|_| result.message.is_none());
    html! {
        @if result.reason.is_some() || reference.is_some() {
            p {
                @if let Some(reason) = &result.reason { "Reason: " (Shown(reason)) "." }
                @if let Some(reference) = reference {
                    " Reference: " code { (reference.to_string()) } "."
                }
            }
        }
        @if let Some(message) = &result.message { p.t { (Shown(message)) } }
        @if !result.values.is_empty() {
            p {
                @for (index, value) in result.values.iter().enumerate() {
                    @if index > 0 { ", " }
                    (Shown(value.name())) " " b { (Number(value)) }
                }
            }
        }
    }
}

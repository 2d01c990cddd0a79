//! The `tracing` spans of runs and executions (H34).
//!
//! At DEBUG: a program that does not ask for them pays nothing for a poll each second, and its own records in checks keep
//! the span of the request. No message of a check appears in a span, because it may hold secrets.

use tracing::field::Empty;
use tracing::{Span, debug_span};

use crate::check::{Report, Status, gravest};
use crate::runtime::context::release;

/// The span of a run of `checks` for a request: a child of the current span, which is that of the request.
pub(super) fn of_run(checks: usize) -> Span {
    debug_span!(
        target: "health",
        "health.run",
        "health.checks" = checks,
        "health.run.trigger" = "request"
    )
}

/// The span of a run of one background check, which follows from the span of the `build`. Not a child: the trace would
/// last as long as the program.
pub(super) fn of_background_run(build: &Span) -> Span {
    let span = debug_span!(
        target: "health",
        parent: None,
        "health.run",
        "health.checks" = 1,
        "health.run.trigger" = "background"
    );
    span.follows_from(build);
    span
}

/// The span of an execution of the check of this name: a child of the current span, which is that of the run.
pub(super) fn of_check(name: &str) -> Span {
    debug_span!(
        target: "health",
        "health.check",
        "health.check.name" = name,
        "health.check.status" = Empty,
        "health.check.reason" = Empty,
        "error.type" = Empty,
        "otel.status_code" = Empty
    )
}

/// Records the results of an execution, and lets go of its span.
#[expect(
    clippy::needless_borrows_for_generic_args,
    reason = "the lowest version of tracing takes references"
)]
pub(super) fn end_check(span: Span, reports: &[Report]) {
    let status = gravest(reports);
    span.record("health.check.status", &status.as_str());
    let reason = reports.iter().filter(|report| report.status() == status).find_map(Report::reason);
    if let Some(reason) = reason {
        span.record("health.check.reason", &reason);
    }
    if status == Status::Error {
        span.record("error.type", &reason.unwrap_or("_OTHER"));
        span.record("otel.status_code", &"ERROR");
    }
    release(span);
}

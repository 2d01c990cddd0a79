//! The JSON that HealthChecks.UI, the dashboard of .NET, polls: `UIHealthReport` of Xabaril/AspNetCore.Diagnostics.HealthChecks.

use std::borrow::Cow;
use std::time::Duration;

use serde::Serialize;

use super::grade::Grade;
use super::object::{Number, Object};
use super::snapshot::{ReportDetails, Snapshot};
use crate::check::Status;

/// The document of a snapshot.
pub(super) fn write(snapshot: &Snapshot) -> Cow<'static, str> {
    serde_json::to_string(&Report::of(snapshot)).unwrap_or_default().into()
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Report<'a> {
    status: &'static str,
    total_duration: String,
    entries: Object<Entry<'a>>,
}

#[derive(Serialize)]
struct Entry<'a> {
    data: Object<Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    duration: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    exception: Option<&'a str>,
    status: &'static str,
    tags: Vec<&'static str>,
}

impl Grade {
    fn dot_net(self) -> &'static str {
        match self {
            Self::Pass => "Healthy",
            Self::Warn => "Degraded",
            Self::Fail => "Unhealthy",
        }
    }
}

impl<'a> Report<'a> {
    fn of(snapshot: &'a Snapshot) -> Self {
        let grade = Grade::of(snapshot);
        let mut entries = Object::default();
        let mut longest = Duration::ZERO;
        for check in &snapshot.checks {
            let duration = check.last_execution.map_or(Duration::ZERO, |(_, duration)| duration);
            longest = longest.max(duration);
            let tags = [Some(check.criticality.as_str()), check.is_shared.then_some("shared")];
            for (name, status, result) in check.entries() {
                // .NET has no status for a check that has not run.
                let Some(status) = status else { continue };
                let entry = Entry {
                    data: result.map(ReportDetails::values_by_name).unwrap_or_default(),
                    description: result.and_then(ReportDetails::description),
                    duration: time_span(duration),
                    exception: result
                        .filter(|_| status == Status::Error)
                        .and_then(|result| result.message.as_deref()),
                    status: Grade::of_status(status).dot_net(),
                    tags: tags.into_iter().flatten().collect(),
                };
                entries.insert(&name, entry);
            }
        }
        if let Some(notes) = snapshot.notes_besides_checks() {
            let entry = Entry {
                data: Object::default(),
                description: Some(notes.join("; ")),
                duration: time_span(Duration::ZERO),
                exception: None,
                status: grade.dot_net(),
                tags: Vec::new(),
            };
            entries.insert("state", entry);
        }
        // Checks run at the same time.
        Self { status: grade.dot_net(), total_duration: time_span(longest), entries }
    }
}

/// A `TimeSpan` in the constant format "c" of .NET: `[d.]hh:mm:ss.fffffff`.
fn time_span(duration: Duration) -> String {
    // .NET parses no more than 10,675,199 days.
    let seconds = duration.as_secs().min(10_675_199 * 86_400 - 1);
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60);
    let days = if days > 0 { format!("{days}.") } else { String::new() };
    let ticks = duration.subsec_nanos() / 100;
    format!("{days}{hours:02}:{minutes:02}:{:02}.{ticks:07}", seconds % 60)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::time_span;

    #[test]
    fn a_time_span_has_the_constant_format_of_dot_net() {
        for (duration, text) in [
            (Duration::ZERO, "00:00:00.0000000"),
            (Duration::from_millis(5), "00:00:00.0050000"),
            (Duration::from_nanos(199), "00:00:00.0000001"),
            (Duration::from_secs(86_399), "23:59:59.0000000"),
            (Duration::from_millis(93_784_005), "1.02:03:04.0050000"),
            (Duration::MAX, "10675198.23:59:59.9999999"),
        ] {
            assert_eq!(time_span(duration), text);
        }
    }
}

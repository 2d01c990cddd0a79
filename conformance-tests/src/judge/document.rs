//! The details of an endpoint (H29 to H31).

use serde_json::{Map, Value};

use super::results::is_reference;
use super::{Asked, Mismatch, judge_header, quote};
use crate::client::{Request, Response};
use crate::scenario::Format;
use crate::scenario::expected_endpoint::State;
use crate::setup::DetailLevel;

/// The headers and the body of a response in a format. Its status, and what must not be in it, are judged elsewhere.
pub(super) fn judge_document(
    asked: &Asked<'_>,
    format: Format,
    state: State,
    request: &Request,
    response: &Response,
    mismatches: &mut Vec<Mismatch>,
) {
    for (name, value) in [("cache-control", "no-store"), ("x-content-type-options", "nosniff")] {
        judge_header(name, Some(value), response, mismatches);
    }
    judge_header("content-type", Some(content_type(format)), response, mismatches);
    for name in ["location", "transfer-encoding", "set-cookie"] {
        judge_header(name, None, response, mismatches);
    }
    if request.is_head {
        let length = response.header("content-length").into_iter().find_map(|it| it.parse().ok());
        if length.is_none_or(|length: usize| length < 20) || !response.body.is_empty() {
            let expected = "the length of the details, and no body";
            mismatches.push(Mismatch::new("body", expected, format!("{length:?}")));
        }
        return;
    }
    judge_header("content-length", Some(&response.body.len().to_string()), response, mismatches);
    let body = String::from_utf8_lossy(&response.body);
    if let Some(expected) = problem(asked, format, state, response.status, &body) {
        mismatches.push(Mismatch::new("body", expected, quote(&body)));
    }
}

fn content_type(format: Format) -> &'static str {
    match format {
        Format::Json | Format::HealthchecksUi => "application/json",
        Format::Health => "application/health+json",
        Format::Spring => "application/vnd.spring-boot.actuator.v3+json",
        Format::Verbose => "text/plain; charset=utf-8",
        Format::Html => "text/html; charset=utf-8",
        Format::Prometheus => "text/plain; version=0.0.4; charset=utf-8",
        Format::Openmetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
    }
}

/// What is wrong with a body; `None` if nothing is.
fn problem(
    asked: &Asked<'_>,
    format: Format,
    state: State,
    code: u16,
    body: &str,
) -> Option<String> {
    let is_healthy = matches!(state, State::Ok | State::Degraded);
    let status = match format {
        Format::Json => format!("{state:?}").to_lowercase(),
        Format::Health if code >= 400 => "fail".to_owned(),
        Format::Health => if state == State::Ok { "pass" } else { "warn" }.to_owned(),
        Format::Spring if is_healthy => if code < 400 { "UP" } else { "DOWN" }.to_owned(),
        Format::Spring if state == State::Failing => "DOWN".to_owned(),
        Format::Spring => "OUT_OF_SERVICE".to_owned(),
        Format::HealthchecksUi if code >= 400 => "Unhealthy".to_owned(),
        Format::HealthchecksUi => {
            if state == State::Ok { "Healthy" } else { "Degraded" }.to_owned()
        }
        Format::Verbose => {
            let verdict = if code < 400 { "check passed\n" } else { "check failed\n" };
            return (!body.ends_with(verdict)).then(|| format!("a last line with {verdict:?}"));
        }
        Format::Html => return missing(body, ["<!DOCTYPE html>", "</html>"]),
        Format::Prometheus => {
            return missing(body, ["# TYPE health_state gauge\n", "\nhealth_responses_total{"]);
        }
        Format::Openmetrics => return missing(body, ["# TYPE health_state ", "\n# EOF\n"]),
    };
    let Ok(Value::Object(document)) = serde_json::from_str(body) else {
        return Some("a JSON object".to_owned());
    };
    if document.get("status") != Some(&Value::from(&*status)) {
        return Some(format!("\"status\": {status:?}"));
    }
    if format == Format::Json { problem_of_json(asked, code, &document, body) } else { None }
}

/// The first of two parts that a text lacks; `None` if it has both.
fn missing(body: &str, parts: [&str; 2]) -> Option<String> {
    parts.into_iter().find(|part| !body.contains(part)).map(|part| format!("a text with {part:?}"))
}

/// What is wrong with our JSON besides its status; `None` if nothing is.
fn problem_of_json(
    asked: &Asked<'_>,
    code: u16,
    document: &Map<String, Value>,
    body: &str,
) -> Option<String> {
    if document.get("code") != Some(&Value::from(code)) {
        return Some(format!("\"code\": {code}"));
    }
    let checks = asked.endpoint().checks();
    let shown = document.get("checks").and_then(Value::as_object).cloned().unwrap_or_default();
    // A library may register two checks of one name under different ones.
    if shown.len() != checks.len() {
        let names: Vec<_> = checks.iter().map(|check| &check.name).collect();
        return Some(format!("the checks {names:?}"));
    }
    for result in shown.values().filter_map(|check| check.get("results")?.as_array()).flatten() {
        let text = |key: &str| result.get(key).and_then(Value::as_str);
        let has_run = !matches!(text("reason"), Some("not_run_yet" | "stale"));
        if text("status") != Some("ok") && has_run && !text("reference").is_some_and(is_reference) {
            return Some("the reference of each result that is not ok".to_owned());
        }
    }
    let is_full = asked.step.level == Some(DetailLevel::Full);
    let mut messages = checks.into_iter().filter_map(|check| check.message.as_deref());
    let missing = messages.find(|message| !body.contains(*message));
    missing.filter(|_| is_full).map(|message| format!("the message {message:?}"))
}

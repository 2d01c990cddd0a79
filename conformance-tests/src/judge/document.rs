//! The details of an endpoint (H29 to H31).

use serde_json::Value;

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
    let problem = match format {
        Format::Json => problem_of_json(asked, state, response.status, &body),
    };
    if let Some(expected) = problem {
        mismatches.push(Mismatch::new("body", expected, quote(&body)));
    }
}

fn content_type(format: Format) -> &'static str {
    match format {
        Format::Json => "application/json",
    }
}

/// What our JSON should be and is not.
fn problem_of_json(asked: &Asked<'_>, state: State, code: u16, body: &str) -> Option<String> {
    let Ok(Value::Object(document)) = serde_json::from_str(body) else {
        return Some("a JSON object".to_owned());
    };
    let word = format!("{state:?}").to_lowercase();
    for (key, expected) in [("status", Value::from(word)), ("code", Value::from(code))] {
        if document.get(key) != Some(&expected) {
            return Some(format!("{key:?}: {expected}"));
        }
    }
    let endpoint = asked.endpoint();
    let shown = document.get("checks").and_then(Value::as_array).cloned().unwrap_or_default();
    let names: Vec<_> = shown.iter().filter_map(|check| check.get("name")?.as_str()).collect();
    let expected: Vec<_> = endpoint.checks().iter().map(|check| check.name.as_str()).collect();
    // A library may register two checks of one name under different ones.
    if names.len() != expected.len() {
        return Some(format!("the checks {expected:?}"));
    }
    let is_full = asked.step.level == Some(DetailLevel::Full);
    for check in shown {
        let results = check.get("results").and_then(Value::as_array).cloned().unwrap_or_default();
        for result in results {
            let text = |key: &str| result.get(key).and_then(Value::as_str);
            let has_run = !matches!(text("reason"), Some("not_run_yet" | "stale"));
            if text("status") != Some("ok")
                && has_run
                && !text("reference").is_some_and(is_reference)
            {
                return Some("the reference of each result that is not ok".to_owned());
            }
        }
    }
    let mut messages = endpoint.checks().into_iter().filter_map(|check| check.message.as_deref());
    let missing = messages.find(|message| !body.contains(*message));
    missing.filter(|_| is_full).map(|message| format!("the message {message:?}"))
}

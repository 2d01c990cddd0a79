//! What the contract expects of one answer, and where an answer differs.

use serde_json::{Map, Value};

use crate::client::{Request, Response};
use crate::given::{Behaviour, Check, Given};
use crate::journal::Line;
use crate::scenario::{Answer, Checks, Step};

/// The most bytes of a message that are logged (H8).
const MESSAGE_LIMIT: usize = 1024;

/// One thing that is not as expected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mismatch {
    pub(crate) field: String,
    pub(crate) expected: String,
    pub(crate) got: String,
}

impl Mismatch {
    pub(crate) fn new(
        field: impl Into<String>,
        expected: impl Into<String>,
        got: impl Into<String>,
    ) -> Self {
        Self {
            field: field.into(),
            expected: expected.into(),
            got: got.into(),
        }
    }
}

/// How many lines of the journal a step is expected to add.
pub(crate) fn expected_lines(step: &Step, given: &Given) -> usize {
    let started = match step.checks {
        Checks::Start => given.checks.len(),
        Checks::Rest => 0,
    };
    let recorded = match step.answer {
        Answer::Maintenance | Answer::Error => 1,
        Answer::Ok | Answer::NotFound | Answer::OkOrRefused => 0,
    };
    started + recorded + step.warnings
}

/// Judges an answer and the lines that came with it.
pub(crate) fn judge(
    step: &Step,
    given: &Given,
    request: &Request,
    response: &Response,
    lines: &[Line],
) -> Vec<Mismatch> {
    let mut mismatches = Vec::new();
    judge_response(step, given, request, response, &mut mismatches);
    judge_secrecy(given, response, &mut mismatches);
    judge_starts(step, given, lines, &mut mismatches);
    judge_log(step, given, lines, &mut mismatches);
    mismatches
}

fn judge_response(
    step: &Step,
    given: &Given,
    request: &Request,
    response: &Response,
    mismatches: &mut Vec<Mismatch>,
) {
    let code = |key: &str, default| {
        let written = given.settings.get(&format!("healthcheck.{key}"));
        written
            .and_then(|code| code.parse().ok())
            .unwrap_or(default)
    };
    let is_refusal = (400..500).contains(&response.status);
    let (status, word) = match step.answer {
        Answer::OkOrRefused if is_refusal => return,
        Answer::Ok | Answer::OkOrRefused => (200, Some("OK")),
        Answer::Maintenance => (code("maintenance_code", 299), Some("MAINTENANCE")),
        Answer::Error => (code("failure_code", 503), Some("ERROR")),
        Answer::NotFound => (404, None),
    };
    if response.status != status {
        let (expected, got) = (status.to_string(), response.status.to_string());
        mismatches.push(Mismatch::new("status", expected, got));
    }
    let reason = step.reason.as_ref();
    if let Some(reason) = reason.filter(|&reason| *reason != response.reason) {
        mismatches.push(Mismatch::new(
            "reason",
            quote(reason),
            quote(&response.reason),
        ));
    }
    match word {
        Some(word) => judge_word(word, request, response, mismatches),
        None => {
            let body = String::from_utf8_lossy(&response.body);
            if ["OK", "MAINTENANCE", "ERROR"].contains(&&*body) {
                let expected = "the server's own 404 page";
                mismatches.push(Mismatch::new("body", expected, quote(&body)));
            }
        }
    }
}

/// Body and headers of an answer of the endpoint.
fn judge_word(word: &str, request: &Request, response: &Response, mismatches: &mut Vec<Mismatch>) {
    let body = if request.is_head { "" } else { word };
    if response.body != body.as_bytes() {
        let got = format!("\"{}\"", response.body.escape_ascii());
        mismatches.push(Mismatch::new("body", quote(body), got));
    }
    let length = word.len().to_string();
    for (name, value) in [
        ("content-type", "text/plain; charset=utf-8"),
        ("content-length", &length),
        ("cache-control", "no-store"),
        ("x-content-type-options", "nosniff"),
    ] {
        let values = response.header(name);
        if values != [value] {
            let got = if values.is_empty() {
                "no such header".to_owned()
            } else {
                values.join(" and ")
            };
            mismatches.push(Mismatch::new(format!("header {name}"), value, got));
        }
    }
}

/// H9: nothing of a check in the body or a header.
fn judge_secrecy(given: &Given, response: &Response, mismatches: &mut Vec<Mismatch>) {
    let body = String::from_utf8_lossy(&response.body);
    let secrets = given
        .checks
        .iter()
        .flat_map(|check| [Some(&check.name), check.message.as_ref()])
        .flatten()
        .filter(|secret| !secret.is_empty());
    for secret in secrets {
        let in_header = |(_, value): &(String, String)| value.contains(secret.as_str());
        if body.contains(secret.as_str()) || response.headers.iter().any(in_header) {
            let expected = "nothing of a check";
            mismatches.push(Mismatch::new("body and headers", expected, quote(secret)));
        }
    }
}

fn judge_starts(step: &Step, given: &Given, lines: &[Line], mismatches: &mut Vec<Mismatch>) {
    let mut expected: Vec<&str> = match step.checks {
        Checks::Start => given.checks.iter().map(|check| &*check.name).collect(),
        Checks::Rest => Vec::new(),
    };
    let mut started: Vec<&str> = lines
        .iter()
        .filter_map(|line| match line {
            Line::Check(name) => Some(name.as_str()),
            Line::Log { .. } => None,
        })
        .collect();
    expected.sort_unstable();
    started.sort_unstable();
    if started != expected {
        let (expected, got) = (format!("{expected:?}"), format!("{started:?}"));
        mismatches.push(Mismatch::new("checks started", expected, got));
    }
}

/// H8, and the warnings of H4.
fn judge_log(step: &Step, given: &Given, lines: &[Line], mismatches: &mut Vec<Mismatch>) {
    judge_warnings("log records at WARN", step.warnings, lines, mismatches);

    let records: Vec<(&str, &str)> = lines
        .iter()
        .filter_map(|line| match line {
            Line::Log { level, text } if level != "WARN" => Some((level.as_str(), text.as_str())),
            Line::Log { .. } | Line::Check(_) => None,
        })
        .collect();
    match (step.answer, &records[..]) {
        (Answer::Ok | Answer::NotFound | Answer::OkOrRefused, []) => {}
        (Answer::Maintenance, [("INFO", "Health response: MAINTENANCE")]) => {}
        (Answer::Error, [("ERROR", text)]) => judge_results(text, &given.checks, mismatches),
        (answer, _) => {
            let expected = match answer {
                Answer::Ok | Answer::NotFound | Answer::OkOrRefused => "no record",
                Answer::Maintenance => "one record: INFO Health response: MAINTENANCE",
                Answer::Error => "one record: ERROR Health response: ERROR (RESULTS)",
            };
            mismatches.push(Mismatch::new("log", expected, format!("{records:?}")));
        }
    }
}

/// The number of records at WARN.
pub(crate) fn judge_warnings(
    field: &str,
    expected: usize,
    lines: &[Line],
    mismatches: &mut Vec<Mismatch>,
) {
    let warnings: Vec<&Line> = lines
        .iter()
        .filter(|line| matches!(line, Line::Log { level, .. } if level == "WARN"))
        .collect();
    if warnings.len() != expected {
        mismatches.push(Mismatch::new(
            field,
            expected.to_string(),
            format!("{}: {warnings:?}", warnings.len()),
        ));
    }
}

/// The text of an ERROR record against the checks, in registration order.
fn judge_results(text: &str, checks: &[Check], mismatches: &mut Vec<Mismatch>) {
    let mut differ = |field: &str, expected: &str, got: &str| {
        mismatches.push(Mismatch::new(field, expected, got));
    };
    if let Some(control) = text.chars().find(|character| character.is_control()) {
        differ("log text", "no control character", &format!("{control:?}"));
    }
    let results = text
        .strip_prefix("Health response: ERROR (")
        .and_then(|rest| rest.strip_suffix(')'));
    let Some(results) = results else {
        return differ("log text", "Health response: ERROR (RESULTS)", text);
    };
    if has_space_between_tokens(results) {
        differ("log results", "compact JSON", results);
    }
    let Ok(results) = serde_json::from_str::<Vec<Map<String, Value>>>(results) else {
        return differ("log results", "a JSON array of objects", results);
    };
    if results.len() != checks.len() {
        let (expected, got) = (checks.len().to_string(), results.len().to_string());
        differ("number of log results", &expected, &got);
    }
    for (index, (result, check)) in results.iter().zip(checks).enumerate() {
        if !is_result_of(result, check) {
            let field = format!("log result {}", index + 1);
            let got = Value::Object(result.clone()).to_string();
            differ(&field, &expected_result(check), &got);
        }
    }
}

fn has_space_between_tokens(json: &str) -> bool {
    let (mut in_string, mut escaped) = (false, false);
    json.chars().any(|character| {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = in_string,
            '"' => in_string = !in_string,
            _ => return !in_string && character.is_whitespace(),
        }
        false
    })
}

fn status_of(check: &Check) -> &'static str {
    if check.status == "OK" && check.behaviour != Behaviour::Panic {
        "OK"
    } else {
        "ERROR"
    }
}

/// Keys in this order; what a panic says of itself is left to the server.
fn is_result_of(result: &Map<String, Value>, check: &Check) -> bool {
    let keys = result.keys().map(String::as_str);
    let message = match (check.behaviour, &check.message) {
        (Behaviour::Panic, _) => result.get("message").cloned().unwrap_or_default(),
        (_, Some(message)) => Value::from(cut(message)),
        (_, None) => Value::Null,
    };
    keys.eq(["name", "status", "message"])
        && result["name"] == check.name
        && result["status"] == status_of(check)
        && result["message"] == message
}

fn expected_result(check: &Check) -> String {
    let message = match (check.behaviour, &check.message) {
        (Behaviour::Panic, _) => "anything".to_owned(),
        (_, Some(message)) => Value::from(cut(message)).to_string(),
        (_, None) => "null".to_owned(),
    };
    let (name, status) = (Value::from(&*check.name), status_of(check));
    format!(r#"{{"name":{name},"status":"{status}","message":{message}}}"#)
}

fn cut(message: &str) -> String {
    if message.len() <= MESSAGE_LIMIT {
        return message.to_owned();
    }
    let ends = message.char_indices().map(|(at, _)| at);
    let end = ends.take_while(|&at| at <= MESSAGE_LIMIT).last();
    format!("{}…", &message[..end.unwrap_or_default()])
}

fn quote(text: &str) -> String {
    format!("{text:?}")
}

//! What stands in the log (H8).

use serde_json::{Map, Value};

use super::refusal::says;
use super::{Mismatch, is_recorded};
use crate::given::{Behaviour, Check, Given};
use crate::journal::Line;
use crate::scenario::{Answer, Step};

/// The most bytes of a message that are logged (H8).
const MESSAGE_LIMIT: usize = 1024;

/// H8, and the warnings of H4.
pub(super) fn judge_log(
    step: &Step,
    given: &Given,
    answers: &[Answer],
    lines: &[Line],
    mismatches: &mut Vec<Mismatch>,
) {
    judge_warnings(
        "log records at WARN",
        step.warnings,
        given,
        lines,
        mismatches,
    );

    let records: Vec<(&str, &str)> = lines
        .iter()
        .filter_map(|line| match line {
            Line::Log { level, text } if level != "WARN" => Some((level.as_str(), text.as_str())),
            Line::Log { .. } | Line::Check(_) => None,
        })
        .collect();
    let recorded = answers.iter().filter(|&&answer| is_recorded(answer));
    if records.len() != recorded.clone().count() {
        let expected = match (recorded.clone().count(), recorded.clone().next()) {
            (count, Some(answer)) => format!("{count} of: {}", expected_record(*answer)),
            (_, None) => "no record".to_owned(),
        };
        mismatches.push(Mismatch::new("log", expected, format!("{records:?}")));
        return;
    }
    for (answer, (level, text)) in recorded.zip(records) {
        match (answer, level) {
            (Answer::Error, "ERROR") => judge_results(text, &given.checks, mismatches),
            _ if format!("{level} {text}") == expected_record(*answer) => {}
            _ => {
                let got = format!("{level} {text}");
                mismatches.push(Mismatch::new("log", expected_record(*answer), got));
            }
        }
    }
}

/// Level and text of the record that belongs to an answer.
fn expected_record(answer: Answer) -> &'static str {
    match answer {
        Answer::Maintenance => "INFO Health response: MAINTENANCE",
        _ => "ERROR Health response: ERROR (RESULTS)",
    }
}

/// The number of records at WARN, each of which has to name the disablefile.
pub(crate) fn judge_warnings(
    field: &str,
    expected: usize,
    given: &Given,
    lines: &[Line],
    mismatches: &mut Vec<Mismatch>,
) {
    let warnings: Vec<&str> = lines
        .iter()
        .filter_map(|line| match line {
            Line::Log { level, text } if level == "WARN" => Some(text.as_str()),
            Line::Log { .. } | Line::Check(_) => None,
        })
        .collect();
    if warnings.len() != expected {
        let (expected, got) = (expected.to_string(), format!("{warnings:?}"));
        mismatches.push(Mismatch::new(field, expected, got));
    }
    let disablefile = given.settings.get("healthcheck.disablefile");
    let disablefile = disablefile.map_or("/tmp/maintenance", String::as_str);
    for warning in warnings {
        if !says(warning, disablefile) {
            mismatches.push(Mismatch::new(
                field,
                format!("one that names {disablefile:?}"),
                warning,
            ));
        }
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
        differ("log number of results", &expected, &got);
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

/// The results of an error, as a record holds them.
pub(crate) fn expected_results(checks: &[Check]) -> String {
    let results: Vec<_> = checks.iter().map(expected_result).collect();
    let escape = |c: char| match c.is_control() {
        true => format!("\\u{:04x}", u32::from(c)),
        false => c.to_string(),
    };
    let results: String = results.join(",").chars().map(escape).collect();
    format!("[{results}]")
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

//! What the contract expects of one answer, and where an answer differs.

#[cfg(test)]
mod tests;

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
    // Bad request, and what servers say to a target that is too long.
    let is_refusal = [400, 414, 431].contains(&response.status);
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
    for name in ["location", "transfer-encoding", "set-cookie"] {
        let values = response.header(name);
        if !values.is_empty() {
            let got = values.join(" and ");
            mismatches.push(Mismatch::new(
                format!("header {name}"),
                "no such header",
                got,
            ));
        }
    }
}

/// H9: nothing of a check in the body, the reason or a header, be it a name or a value.
fn judge_secrecy(given: &Given, response: &Response, mismatches: &mut Vec<Mismatch>) {
    let mut seen = format!("{}\n", response.reason);
    for (name, value) in &response.headers {
        seen += &format!("{name}: {value}\n");
    }
    seen += &String::from_utf8_lossy(&response.body);
    let seen = seen.to_lowercase();
    for secret in given.checks.iter().flat_map(secrets) {
        if seen.contains(&secret) {
            let expected = "nothing of a check";
            mismatches.push(Mismatch::new("secrecy", expected, quote(&secret)));
        }
    }
}

/// Name and message of a check, and the words of the message that occur nowhere else: those with a digit
/// or punctuation in them.
fn secrets(check: &Check) -> Vec<String> {
    let message = check.message.as_deref().unwrap_or_default();
    let words = message.split_whitespace().filter(|word| {
        word.len() >= 6 && word.contains(|c: char| c.is_ascii_digit() || c.is_ascii_punctuation())
    });
    let texts = [check.name.as_str(), message].into_iter().chain(words);
    texts
        .filter(|text| !text.is_empty())
        .map(str::to_lowercase)
        .collect()
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

/// H11: a refusal names the key, the value in quotes, and what is wrong with it.
pub(crate) fn judge_refusal(key: &str, value: &str, message: &str) -> Vec<Mismatch> {
    let mut mismatches = Vec::new();
    let mut expect = |is_met: bool, expected: String| {
        if !is_met {
            mismatches.push(Mismatch::new("message", expected, quote(message)));
        }
    };
    expect(says(message, key), format!("one that names {key}"));
    let is_quoted = ['"', '\'', '`']
        .iter()
        .any(|quote| says(message, &format!("{quote}{value}{quote}")));
    expect(is_quoted, format!("one that quotes the value {value:?}"));
    let words = message.split(|c: char| !c.is_alphabetic());
    let words = words.filter(|word| word.len() > 1 && !key.contains(word) && !value.contains(word));
    expect(words.count() >= 3, "one that says the rule".to_owned());
    mismatches
}

/// Whether `message` holds `text`, as it is or with whatever escapes.
fn says(message: &str, text: &str) -> bool {
    message.contains(text) || unescape(message).contains(text)
}

/// Undoes the escapes of Rust, Python, JSON and C.
fn unescape(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\\') {
        plain += before;
        let digits =
            |start: usize, count: usize| Some((after.get(start..start + count)?, start + count));
        let escape = match after.as_bytes().first() {
            Some(b'x') => digits(1, 2),
            Some(b'u') if after.starts_with("u{") => {
                after.find('}').map(|end| (&after[2..end], end + 1))
            }
            Some(b'u') => digits(1, 4),
            _ => None,
        };
        let escape = escape.and_then(|(digits, length)| {
            let code = u32::from_str_radix(digits, 16).ok()?;
            Some((char::from_u32(code)?, length))
        });
        let simple = |c: char| match c {
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            '0' => '\0',
            other => other,
        };
        let escape = escape.or_else(|| after.chars().next().map(|c| (simple(c), c.len_utf8())));
        let Some((character, length)) = escape else {
            break;
        };
        plain.push(character);
        rest = &after[length..];
    }
    plain + rest
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

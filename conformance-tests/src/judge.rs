//! What the contract expects of one step, and where a server differs.

mod log;
mod refusal;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

use crate::capability::{Capability, Lacks};
use crate::client::{Request, Response};
use crate::conduct::Exchanged;
use crate::given::{Check, Given};
use crate::journal::Line;
use crate::scenario::{Answer, Checks, Client, Fate, Step};

pub(crate) use self::log::{expected_results, judge_warnings};
pub(crate) use self::refusal::judge_refusal;

/// One thing that is not as expected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Mismatch {
    /// What it is about; the first word is one of [`FIELDS`].
    pub(crate) field: String,
    pub(crate) expected: String,
    pub(crate) got: String,
}

/// What can differ: the words that a known failure is described with.
pub(crate) const FIELDS: [&str; 14] = [
    "answer",
    "body",
    "checks",
    "connection",
    "header",
    "lines",
    "log",
    "marker",
    "message",
    "reason",
    "secrecy",
    "server",
    "start",
    "status",
];

impl Mismatch {
    pub(crate) fn new(
        field: impl Into<String>,
        expected: impl Into<String>,
        got: impl Into<String>,
    ) -> Self {
        Self {
            field: field.into(),
            expected: shorten(expected.into()),
            got: shorten(got.into()),
        }
    }
}

/// Without the bulk of a long text, and what a terminal would take for a command.
fn shorten(text: String) -> String {
    const SHOWN: usize = 4096;
    let escape = |c: char| match c.is_control() {
        true => c.escape_default().to_string(),
        false => c.to_string(),
    };
    let mut text: String = text.chars().map(escape).collect();
    if text.len() > SHOWN {
        let is_boundary = |at: &usize| text.is_char_boundary(*at);
        let end = (0..=SHOWN).rev().find(is_boundary).unwrap_or_default();
        let more = text.len() - end;
        text.truncate(end);
        text += &format!("… and {more} bytes more");
    }
    text
}

/// How many lines of the journal a step is expected to add, with answers as these.
pub(crate) fn expected_lines(
    step: &Step,
    given: &Given,
    lacks: &Lacks,
    answers: &[Answer],
) -> usize {
    let started = match step.checks {
        Checks::Start => given.checks.len() * answers.len(),
        Checks::Rest => 0,
    };
    let recorded = answers
        .iter()
        .filter(|&&answer| is_recorded(answer))
        .count();
    let shown = |capability, count| {
        if lacks.contains_key(&capability) {
            0
        } else {
            count
        }
    };
    shown(Capability::Checks, started) + shown(Capability::Log, recorded + step.warnings)
}

fn is_recorded(answer: Answer) -> bool {
    matches!(answer, Answer::Maintenance | Answer::Error)
}

/// Judges the answers to a step and the lines that came with them; what several have in common is said once.
pub(crate) fn judge(
    step: &Step,
    given: &Given,
    lacks: &Lacks,
    request: &Request,
    exchanged: &Exchanged,
    lines: &[Line],
) -> Vec<Mismatch> {
    let mut mismatches = Vec::new();
    for (answer, response) in &exchanged.answered {
        judge_response(step, *answer, given, request, response, &mut mismatches);
        let (_, word) = expected_answer(*answer, given);
        judge_secrecy(word, given, response, &mut mismatches);
    }
    judge_connection(step, exchanged, &mut mismatches);
    let answers = exchanged.answers(step);
    if !lacks.contains_key(&Capability::Checks) {
        judge_starts(step, given, answers.len(), lines, &mut mismatches);
    }
    if !lacks.contains_key(&Capability::Log) {
        log::judge_log(step, given, &answers, lines, &mut mismatches);
    }
    let mut distinct = Vec::new();
    for mismatch in mismatches {
        if !distinct.contains(&mismatch) {
            distinct.push(mismatch);
        }
    }
    distinct
}

/// Status, and the body of an answer that is the endpoint's own.
pub(crate) fn expected_answer(answer: Answer, given: &Given) -> (u16, Option<&'static str>) {
    let code = |key: &str, default| {
        let written = given.settings.get(&format!("healthcheck.{key}"));
        written
            .and_then(|code| code.parse().ok())
            .unwrap_or(default)
    };
    match answer {
        Answer::Maintenance => (code("maintenance_code", 299), Some("MAINTENANCE")),
        Answer::Error => (code("failure_code", 503), Some("ERROR")),
        Answer::NotFound => (404, None),
        Answer::Ok
        | Answer::OkOrRefused
        | Answer::OkOrNothing
        | Answer::OkOrMaintenance
        | Answer::Unread => (200, Some("OK")),
    }
}

/// The headers of H9, for a body of this length.
pub(crate) fn expected_headers(length: usize) -> [(&'static str, String); 4] {
    [
        ("content-type", "text/plain; charset=utf-8".to_owned()),
        ("content-length", length.to_string()),
        ("cache-control", "no-store".to_owned()),
        ("x-content-type-options", "nosniff".to_owned()),
    ]
}

fn judge_response(
    step: &Step,
    answer: Answer,
    given: &Given,
    request: &Request,
    response: &Response,
    mismatches: &mut Vec<Mismatch>,
) {
    // Bad request, and what servers say to a target that is too long.
    if answer == Answer::OkOrRefused && [400, 414, 431].contains(&response.status) {
        return;
    }
    let (status, word) = expected_answer(answer, given);
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
    for (name, value) in expected_headers(word.len()) {
        let values = response.header(name);
        if values != [&*value] {
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

/// H9: nothing of a check in the body, the reason or a header, be it a name or a value. What is as expected, and what
/// servers add of their own accord, is not searched: a check may be called `cache` or `date`.
fn judge_secrecy(
    word: Option<&str>,
    given: &Given,
    response: &Response,
    mismatches: &mut Vec<Mismatch>,
) {
    let expected = expected_headers(word.unwrap_or_default().len());
    let is_expected = |name: &str, value: &str| {
        let mut expected = expected.iter();
        let is_ours = expected.any(|(n, v)| (*n, v.as_str()) == (name, value));
        is_ours || ["connection", "date", "keep-alive", "server"].contains(&name)
    };
    let mut seen = String::new();
    for (name, value) in &response.headers {
        if !is_expected(name, value) {
            seen += &format!("{name}: {value}\n");
        }
    }
    if word.is_none_or(|word| response.body != word.as_bytes()) {
        seen += &String::from_utf8_lossy(&response.body);
    }
    let (seen, reason) = (seen.to_lowercase(), response.reason.to_lowercase());
    for secret in given.checks.iter().flat_map(secrets) {
        // A reason phrase may hold any plain word: Service Unavailable.
        let is_plain = secret.chars().all(char::is_alphabetic);
        if seen.contains(&secret) || (!is_plain && reason.contains(&secret)) {
            let expected = "nothing of a check";
            mismatches.push(Mismatch::new("secrecy", expected, quote(&secret)));
        }
    }
}

/// What is shorter can stand anywhere by chance.
const SECRET_LENGTH: usize = 3;

/// Name and message of a check, and the words of the message that occur nowhere else: those with a digit
/// or punctuation in them.
fn secrets(check: &Check) -> Vec<String> {
    let message = check.message.as_deref().unwrap_or_default();
    let words = message.split_whitespace().filter(|word| {
        word.len() >= 6 && word.contains(|c: char| c.is_ascii_digit() || c.is_ascii_punctuation())
    });
    let texts = [check.name.as_str(), message].into_iter().chain(words);
    texts
        .filter(|text| text.len() >= SECRET_LENGTH)
        .map(str::to_lowercase)
        .collect()
}

/// What the step says of connections.
fn judge_connection(step: &Step, exchanged: &Exchanged, mismatches: &mut Vec<Mismatch>) {
    match step.connection {
        Some(Fate::Closes) if !exchanged.closed => {
            let (expected, got) = ("closed by the server", "left open");
            mismatches.push(Mismatch::new("connection", expected, got));
        }
        Some(Fate::Stays) if exchanged.opened > 1 => {
            let got = format!("{} connections", exchanged.opened);
            mismatches.push(Mismatch::new("connection", "one connection", got));
        }
        Some(Fate::Closes | Fate::Stays) | None => {}
    }
}

/// Every check starts once for each request; requests at the same time may share a run (H7).
fn judge_starts(
    step: &Step,
    given: &Given,
    requests: usize,
    lines: &[Line],
    mismatches: &mut Vec<Mismatch>,
) {
    let runs = match (step.checks, step.client) {
        (Checks::Rest, _) => 0..=0,
        (Checks::Start, Client::Crowd | Client::Pipelined | Client::Leaves) => 1..=requests,
        (Checks::Start, _) => requests..=requests,
    };
    let names = given.checks.iter().map(|check| check.name.as_str());
    let started = lines.iter().filter_map(|line| match line {
        Line::Check(name) => Some(name.as_str()),
        Line::Log { .. } => None,
    });
    let started = Vec::from_iter(started);
    let is_as_often = |name: &str| {
        let registered = names.clone().filter(|other| *other == name).count();
        let started = started.iter().filter(|other| **other == name).count();
        (runs.start() * registered..=runs.end() * registered).contains(&started)
    };
    if !names
        .clone()
        .chain(started.iter().copied())
        .all(is_as_often)
    {
        let expected = match (runs.start(), runs.end()) {
            (0, _) => "none".to_owned(),
            (1, 1) => format!("{:?}", Vec::from_iter(names.clone())),
            (from, to) => format!("{:?}, {from} to {to} times", Vec::from_iter(names.clone())),
        };
        mismatches.push(Mismatch::new(
            "checks started",
            expected,
            format!("{started:?}"),
        ));
    }
}

fn quote(text: &str) -> String {
    format!("{text:?}")
}

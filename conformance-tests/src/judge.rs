//! The expectations of the contract for one step, and the mismatches.

mod document;
mod drain;
pub(crate) mod finding;
pub(crate) mod history;
pub(crate) mod known;
mod log;
mod refusal;
mod results;
mod secrecy;
mod starts;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use self::history::History;
use crate::client::behaviour::Exchanged;
use crate::client::{Request, Response};
use crate::scenario::capability::{Capability, Lacks};
use crate::scenario::expected_endpoint::{ExpectedEndpoint, OTHER_HEADERS, Shown, expected_answer};
use crate::scenario::{Answer, Client, Fate, Step};
use crate::setup::{DetailLevel, Setup};
use crate::target::journal::Line;

pub(crate) use self::drain::{Observed, judge_drain};
pub(crate) use self::log::expected_record;
pub(crate) use self::log::judge_warnings;
pub(crate) use self::refusal::judge_refusal;
pub(crate) use self::results::expected_results;

/// One mismatch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Mismatch {
    /// The field; its first word is one of [`FIELDS`].
    pub(crate) field: String,
    pub(crate) expected: String,
    pub(crate) got: String,
}

/// Fields that can differ, also in known failures.
pub(crate) const FIELDS: [&str; 17] = [
    "body",
    "checks",
    "command",
    "connection",
    "drain",
    "header",
    "lines",
    "log",
    "marker",
    "message",
    "protocol",
    "reason",
    "response",
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
        Self { field: field.into(), expected: shorten(&expected.into()), got: shorten(&got.into()) }
    }

    /// Whether log records or starts of checks differ.
    pub(crate) fn is_about_lines(&self) -> bool {
        ["checks", "lines", "log"].iter().any(|kind| self.field.starts_with(kind))
    }
}

/// Without the bulk of a long text, and without characters that a terminal would execute.
fn shorten(text: &str) -> String {
    const KEPT: usize = 4096;
    let escape = |c: char| {
        if c.is_control() { c.escape_default().to_string() } else { c.to_string() }
    };
    let text: String = text.chars().map(escape).collect();
    clip(&text, KEPT).into_owned()
}

/// The first `kept` bytes of a text, or fewer at a character boundary, and how many bytes are left out.
fn clip(text: &str, kept: usize) -> Cow<'_, str> {
    if text.len() <= kept {
        return text.into();
    }
    let end = (0..=kept).rev().find(|at| text.is_char_boundary(*at)).unwrap_or_default();
    format!("{}… and {} more bytes", &text[..end], text.len() - end).into()
}

/// A step with its context.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked<'a> {
    pub(crate) step: &'a Step,
    pub(crate) setup: &'a Setup,
    pub(crate) lacks: &'a Lacks,
    /// The history of the server.
    pub(crate) history: &'a History,
}

impl<'a> Asked<'a> {
    /// The endpoint at the path of the request.
    pub(crate) fn endpoint(&self) -> ExpectedEndpoint<'a> {
        ExpectedEndpoint::at(self.setup, &self.step.target)
    }

    /// The responses that are logged.
    fn recorded(&self, answers: &[Answer]) -> Vec<Answer> {
        self.history.recorded(self.setup, self.step, answers)
    }

    /// Minimum and maximum number of expected lines in the journal for these responses.
    pub(crate) fn expected_lines(&self, answers: &[Answer]) -> (usize, usize) {
        let shown =
            |capability, count| if self.lacks.contains_key(&capability) { 0 } else { count };
        let recorded = self.recorded(answers).len();
        let (fewest, most) = self.expected_warnings();
        let starts = starts::expected_starts(self, answers.len());
        let sum = |bound: fn(&(usize, usize)) -> usize| {
            shown(Capability::Checks, starts.values().map(bound).sum())
        };
        let waiting = self.expected_waiting(answers.len());
        (
            shown(Capability::Log, recorded + fewest) + sum(|(least, _)| *least) + waiting,
            shown(Capability::Log, recorded + most) + sum(|(_, most)| *most) + waiting,
        )
    }

    /// How many of these requests wait for `FINISH`.
    fn expected_waiting(&self, requests: usize) -> usize {
        if self.step.waits() { requests } else { 0 }
    }

    /// The fewest and the most records at WARN. A crowd on a busy machine may keep a stat waiting for longer than
    /// its timeout, which is logged once (H4).
    fn expected_warnings(&self) -> (usize, usize) {
        let expected = self.step.warnings;
        match self.step.client {
            Client::Crowd => (expected, expected + 1),
            _ => (expected, expected),
        }
    }
}

/// Judges the responses to a step and their lines. Mismatches that several have in common are reported once.
pub(crate) fn judge(
    asked: &Asked<'_>,
    request: &Request,
    exchanged: &Exchanged,
    lines: &[Line],
) -> Vec<Mismatch> {
    let step = asked.step;
    let mut mismatches = Vec::new();
    for (answer, response) in &exchanged.answered {
        judge_response(asked, *answer, request, response, &mut mismatches);
        let (_, word) = expected_answer(*answer, &asked.endpoint());
        secrecy::judge_secrecy(word, asked, response, &mut mismatches);
        judge_announcement(asked, request, response, &mut mismatches);
    }
    judge_connection(step, exchanged, &mut mismatches);
    let answers = exchanged.answers(step);
    let expected = asked.expected_waiting(answers.len());
    let waiting = lines.iter().filter(|line| **line == Line::Waiting).count();
    if waiting != expected {
        let [expected, got] = [expected, waiting].map(|count| format!("WAITING {count} times"));
        mismatches.push(Mismatch::new("lines", expected, got));
    }
    if !asked.lacks.contains_key(&Capability::Checks) {
        starts::judge_starts(asked, answers.len(), lines, &mut mismatches);
    }
    if !asked.lacks.contains_key(&Capability::Log) {
        log::judge_log(asked, &answers, lines, &mut mismatches);
    }
    let mut distinct = Vec::new();
    for mismatch in mismatches {
        if !distinct.contains(&mismatch) {
            distinct.push(mismatch);
        }
    }
    distinct
}

/// All bodies of endpoints.
const WORDS: [&str; 6] = ["OK", "DEGRADED", "ERROR", "STARTING", "MAINTENANCE", "DRAINING"];

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
    asked: &Asked<'_>,
    answer: Answer,
    request: &Request,
    response: &Response,
    mismatches: &mut Vec<Mismatch>,
) {
    // Bad request, and the codes for a target that is too long.
    if answer == Answer::OkOrRefused && [400, 414, 431].contains(&response.status) {
        return;
    }
    let endpoint = asked.endpoint();
    let (status, word) = expected_answer(answer, &endpoint);
    let is_refused =
        answer == Answer::NotFoundOrRefused && [400, 405, 501].contains(&response.status);
    if response.status != status && !is_refused {
        let expected = match answer {
            Answer::NotFoundOrRefused => "404, 400, 405 or 501".to_owned(),
            _ => status.to_string(),
        };
        let got = response.status.to_string();
        mismatches.push(Mismatch::new("status", expected, got));
    }
    let reason = asked.step.reason.as_ref();
    if let Some(reason) = reason.filter(|&reason| *reason != response.reason) {
        mismatches.push(Mismatch::new("reason", quote(reason), quote(&response.reason)));
    }
    match word {
        Some(word) => {
            match (asked.step.format, answer.state()) {
                (Some(format), Some(state)) => {
                    document::judge_document(asked, format, state, request, response, mismatches);
                }
                _ => judge_word(word, request, response, mismatches),
            }
            let mut shown = answer.state().and_then(|state| endpoint.shows(state));
            // A reader with a token could have asked for another format; without one, nothing shows that there are tokens.
            let vary = ("vary", "accept".to_owned());
            let has_token = asked.step.level == Some(DetailLevel::Full);
            let lacks_it = |shown: &&mut Shown| has_token && !shown.others.contains(&vary);
            if let Some(shown) = shown.as_mut().filter(lacks_it) {
                shown.others.push(vary);
            }
            judge_other_headers(shown.as_ref(), response, mismatches);
        }
        None => {
            let body = String::from_utf8_lossy(&response.body);
            let page = asked.step.page().filter(|_| answer == Answer::Application);
            let page = page.map(|page| if request.is_head { "" } else { page.body });
            if page.is_some_and(|page| page != body) {
                let expected = quote(page.unwrap_or_default());
                mismatches.push(Mismatch::new("body", expected, quote(&body)));
            }
            if WORDS.contains(&&*body) {
                let expected = "the server's own page";
                mismatches.push(Mismatch::new("body", expected, quote(&body)));
            }
        }
    }
}

/// Body and headers of a response of the endpoint.
fn judge_word(word: &str, request: &Request, response: &Response, mismatches: &mut Vec<Mismatch>) {
    let body = if request.is_head { "" } else { word };
    if response.body != body.as_bytes() {
        let got = format!("\"{}\"", response.body.escape_ascii());
        mismatches.push(Mismatch::new("body", quote(body), got));
    }
    for (name, value) in expected_headers(word.len()) {
        judge_header(name, Some(&value), response, mismatches);
    }
    for name in ["location", "transfer-encoding", "set-cookie"] {
        judge_header(name, None, response, mismatches);
    }
}

/// The headers of H16: exactly those that belong to the response.
fn judge_other_headers(shown: Option<&Shown>, response: &Response, mismatches: &mut Vec<Mismatch>) {
    for name in OTHER_HEADERS {
        let mut expected = shown.iter().flat_map(|shown| &shown.others);
        let expected = expected.find(|(other, _)| *other == name);
        let value = expected.map(|(_, value)| value.as_str());
        judge_header(name, value, response, mismatches);
    }
}

/// One header, which must occur once with this value, or not at all.
fn judge_header(
    name: &str,
    expected: Option<&str>,
    response: &Response,
    mismatches: &mut Vec<Mismatch>,
) {
    const NONE: &str = "no such header";
    let values = response.header(name);
    if values != Vec::from_iter(expected) {
        let got = if values.is_empty() { NONE.to_owned() } else { values.join(" and ") };
        let expected = expected.unwrap_or(NONE);
        mismatches.push(Mismatch::new(format!("header {name}"), expected, got));
    }
}

/// H26: in a drain, a server that covers the application announces that it closes the connection, once.
fn judge_announcement(
    asked: &Asked<'_>,
    request: &Request,
    response: &Response,
    mismatches: &mut Vec<Mismatch>,
) {
    const CLOSE: &str = "close";
    if asked.history.closes_connection(response.status) {
        judge_header("connection", Some(CLOSE), response, mismatches);
    } else if asked.history.covers_application && !request.asks_to_close {
        let values = response.header("connection");
        if values.iter().any(|value| value.eq_ignore_ascii_case(CLOSE)) {
            mismatches.push(Mismatch::new("header connection", "not close", CLOSE));
        }
    }
}

/// The expectations on connections.
fn judge_connection(step: &Step, exchanged: &Exchanged, mismatches: &mut Vec<Mismatch>) {
    if exchanged.left_open {
        let (expected, got) = ("closed by the server, as it announced", "left open");
        mismatches.push(Mismatch::new("connection", expected, got));
    }
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

fn quote(text: &str) -> String {
    format!("{text:?}")
}

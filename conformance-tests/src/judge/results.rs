//! The expected results in the record of a response, for each check (H8, H12 to H15) or latch (H18).

use std::collections::BTreeSet;
use std::fmt;

use serde_json::{Map, Value};

use crate::scenario::expected_endpoint::ExpectedEndpoint;
use crate::scenario::{Answer, STILL_RUNNING, Step, Wanted, starts_with};
use crate::setup::{Behaviour, Check, Setup, is_reason};

/// The most bytes of a message that are logged (H8).
const MESSAGE_LIMIT: usize = 1024;

/// One result of a record.
pub(super) struct Expected<'a> {
    /// `None` for the entry of a delayed return (H25).
    name: Option<&'a str>,
    status: &'a str,
    message: Message<'a>,
    rest: Rest,
    /// Of a result that is not OK (H29).
    reference: Presence,
}

/// Whether a key is there.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Presence {
    Absent,
    Possible,
    Required,
}

/// The keys after the message (H23).
enum Rest {
    /// These.
    Exactly(Map<String, Value>),
    /// Some of the reason and the values: which of its executions it is, is left to the server.
    Any,
}

enum Message<'a> {
    /// This one, or null.
    Exactly(Value),
    /// One that starts with any of these.
    StartsWith(Vec<&'a str>),
    /// What it is, is left to the server.
    Any,
}

/// What the results of a step depend on besides the step.
pub(crate) struct Past<'a> {
    /// The latches by which the start has failed, each with its message in the log.
    pub(super) failed: Vec<(&'a str, &'a str)>,
    /// Whether a request was sent: its checks may be still running.
    pub(super) is_asked: bool,
}

/// The results of a step on a server with this past.
pub(super) fn expected<'a>(step: &'a Step, setup: &'a Setup, past: &Past<'a>) -> Vec<Expected<'a>> {
    if !past.failed.is_empty() {
        return past.failed.iter().copied().map(latch).collect();
    }
    let checks = ExpectedEndpoint::at(setup, &step.target).checks().into_iter();
    match &step.results {
        Some(results) => {
            let delay = results.last().filter(|wanted| wanted.is_delay());
            checks
                .zip(results)
                .map(|(check, wanted)| as_wanted(check, wanted, setup))
                .chain(delay.map(|_| delayed()))
                .collect()
        }
        None => checks.map(|check| derived(check, setup, past.is_asked)).collect(),
    }
}

/// The names of the results that are not OK for this response to a step.
pub(super) fn failing(
    step: &Step,
    setup: &Setup,
    past: &Past<'_>,
    answer: Answer,
) -> BTreeSet<String> {
    let has_results = matches!(answer, Answer::Error | Answer::Degraded);
    let results = if has_results { expected(step, setup, past) } else { Vec::new() };
    let failing = results.iter().filter(|result| result.status != "OK");
    failing.map(|result| result.name.unwrap_or_default().to_owned()).collect()
}

/// A latch that was dropped or failed before its release.
fn latch<'a>((name, message): (&'a str, &str)) -> Expected<'a> {
    let message = Message::Exactly(Value::from(cut(message)));
    Expected {
        name: Some(name),
        status: "ERROR",
        message,
        rest: Rest::Exactly(Map::new()),
        reference: Presence::Absent,
    }
}

/// The last entry of a record if the return to healthy is delayed.
fn delayed<'a>() -> Expected<'a> {
    let message = Message::StartsWith(vec!["recovery delayed for another "]);
    Expected {
        name: None,
        status: "ERROR",
        message,
        rest: Rest::Exactly(Map::new()),
        reference: Presence::Absent,
    }
}

/// The results that the step defines.
fn as_wanted<'a>(check: &'a Check, wanted: &'a Wanted, setup: &Setup) -> Expected<'a> {
    let beginnings: Vec<_> = wanted.beginnings.iter().map(String::as_str).collect();
    Expected {
        name: Some(&check.name),
        status: &wanted.status,
        message: if beginnings.is_empty() { Message::Any } else { Message::StartsWith(beginnings) },
        rest: if check.is_rich() { Rest::Any } else { Rest::Exactly(Map::new()) },
        // A check that has not run yet has none.
        reference: match ExpectedEndpoint::has_reference(setup, check) && wanted.status != "OK" {
            true => Presence::Possible,
            false => Presence::Absent,
        },
    }
}

/// What follows from the check.
fn derived<'a>(check: &'a Check, setup: &Setup, is_later: bool) -> Expected<'a> {
    let (status, message) = match (check.behaviour, &check.message) {
        _ if check.outlives_timeout() => {
            let mut beginnings = vec!["timed out"];
            beginnings.extend(is_later.then_some(STILL_RUNNING));
            ("ERROR", Message::StartsWith(beginnings))
        }
        (Behaviour::Panic(_), _) => ("ERROR", Message::Any),
        (_, message) => {
            let message = message.as_deref().map(cut);
            let status = match &*check.status {
                _ if check.degraded => "DEGRADED",
                "OK" => "OK",
                _ => "ERROR",
            };
            (status, Message::Exactly(message.map_or(Value::Null, Value::from)))
        }
    };
    let reports = !check.outlives_timeout() && !check.behaviour.is_panic();
    let rest = if reports { reason_and_values(check) } else { Map::new() };
    let reference = match ExpectedEndpoint::has_reference(setup, check) && status != "OK" {
        true => Presence::Required,
        false => Presence::Absent,
    };
    Expected { name: Some(&check.name), status, message, rest: Rest::Exactly(rest), reference }
}

/// The accepted ones, as they are logged.
fn reason_and_values(check: &Check) -> Map<String, Value> {
    let mut rest = Map::new();
    if let Some(reason) = check.reason.as_ref().filter(|reason| is_reason(reason)) {
        rest.insert("reason".to_owned(), Value::from(reason.as_str()));
    }
    let mut values: Vec<(String, Value)> = Vec::new();
    for value in check.values.iter().filter(|value| value.is_accepted()) {
        let key = value.key();
        // The later one counts, and comes last.
        values.retain(|(other, _)| *other != key);
        values.push((key, Value::from(value.number.0)));
    }
    if !values.is_empty() {
        rest.insert("values".to_owned(), values.into_iter().collect());
    }
    rest
}

impl Expected<'_> {
    /// Keys in this order, and these values.
    pub(super) fn is_met_by(&self, result: &Map<String, Value>) -> bool {
        let mut keys = result.keys().map(String::as_str).filter(|key| *key != "reference");
        keys.by_ref().take(3).eq(["name", "status", "message"])
            && self.has_its_reference(result)
            && self.rest.is_met_by(keys, result)
            && result["name"] == Value::from(self.name)
            && result["status"] == self.status
            && match (&self.message, &result["message"]) {
                (Message::Exactly(expected), message) => message == expected,
                (Message::StartsWith(beginnings), Value::String(message)) => {
                    beginnings.iter().any(|beginning| starts_with(message, beginning))
                }
                (Message::StartsWith(_), _) => false,
                (Message::Any, _) => true,
            }
    }
}

impl Expected<'_> {
    /// Whether the reference is there if it has to be, after the message.
    fn has_its_reference(&self, result: &Map<String, Value>) -> bool {
        let is_third = result.keys().nth(3).is_some_and(|key| key == "reference");
        match result.get("reference") {
            None => self.reference != Presence::Required,
            Some(Value::String(reference)) => {
                self.reference != Presence::Absent && is_third && is_reference(reference)
            }
            Some(_) => false,
        }
    }
}

/// Seven characters of base 32 (H29).
pub(super) fn is_reference(text: &str) -> bool {
    let is_digit = |c: char| c.is_ascii_digit() || (c.is_ascii_lowercase() && !"ilou".contains(c));
    text.len() == 7 && text.chars().all(is_digit)
}

impl Rest {
    /// Whether the keys after the message, and their values, are these.
    fn is_met_by<'k>(
        &self,
        mut keys: impl Iterator<Item = &'k str>,
        result: &Map<String, Value>,
    ) -> bool {
        match self {
            Self::Exactly(rest) => {
                keys.eq(rest.keys()) && rest.iter().all(|(key, value)| is_same(value, &result[key]))
            }
            Self::Any => keys.all(|key| ["reason", "values"].contains(&key)),
        }
    }
}

/// Whether two values are equal; `1` is `1.0`.
fn is_same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Object(one), Value::Object(other)) => {
            one.len() == other.len()
                && one
                    .iter()
                    .zip(other)
                    .all(|(one, other)| one.0 == other.0 && is_same(one.1, other.1))
        }
        (Value::Number(one), Value::Number(other)) => one.as_f64() == other.as_f64(),
        _ => one == other,
    }
}

impl fmt::Display for Expected<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, status) = (Value::from(self.name), self.status);
        let message = match &self.message {
            Message::Exactly(message) => message.to_string(),
            Message::StartsWith(beginnings) => beginnings
                .iter()
                .map(|beginning| format!("\"{beginning}…\""))
                .collect::<Vec<_>>()
                .join(" or "),
            Message::Any => "anything".to_owned(),
        };
        write!(f, r#"{{"name":{name},"status":"{status}","message":{message}"#)?;
        match &self.rest {
            Rest::Exactly(rest) => {
                rest.iter().try_for_each(|(key, value)| write!(f, r#","{key}":{value}"#))?;
            }
            Rest::Any => f.write_str(", perhaps a reason and values")?,
        }
        f.write_str("}")
    }
}

/// The results of a step, as a record holds them.
pub(crate) fn expected_results(step: &Step, setup: &Setup, past: &Past<'_>) -> String {
    let results: Vec<_> = expected(step, setup, past).iter().map(ToString::to_string).collect();
    let escape =
        |c: char| if c.is_control() { format!("\\u{:04x}", u32::from(c)) } else { c.to_string() };
    let results: String = results.join(",").chars().map(escape).collect();
    format!("[{results}]")
}

fn cut(message: &str) -> String {
    if message.len() <= MESSAGE_LIMIT {
        return message.to_owned();
    }
    let ends = message.char_indices().map(|(at, _)| at);
    let end = ends.take_while(|&at| at <= MESSAGE_LIMIT).last();
    format!("{}…", &message[..end.unwrap_or_default()])
}

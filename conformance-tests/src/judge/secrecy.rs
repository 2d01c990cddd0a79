//! What only the operator may see (H9).

use std::iter;

use super::{Asked, Mismatch, expected_headers, quote};
use crate::client::Response;
use crate::setup::{Check, DetailLevel};

/// H9: no name or message of a check in the body, the reason or a header, be it a name or a value. What is as expected, and what
/// servers add by themselves, is not searched: a check may be called `cache` or `date`. In details, names may be shown, and at
/// the full level everything (H29).
pub(super) fn judge_secrecy(
    word: Option<&str>,
    &Asked { step, setup, history, .. }: &Asked<'_>,
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
    if step.level == Some(DetailLevel::Full) {
        return;
    }
    let names = setup.checks.iter().map(|check| &check.name).chain(&setup.latches);
    let names = names.filter(|name| step.format.is_none() && name.len() >= SECRET_LENGTH);
    let names = names.map(|name| name.to_lowercase());
    let failed = history.past().failed.into_iter();
    // What precedes the error is no secret.
    let errors = failed.filter_map(|(_, message)| message.strip_prefix("start-up latch failed: "));
    let of_latches = errors.flat_map(|error| texts(&[error]));
    for secret in setup.checks.iter().flat_map(secrets).chain(of_latches).chain(names) {
        // A reason phrase may hold any plain word: Service Unavailable.
        let is_plain = secret.chars().all(char::is_alphabetic);
        if seen.contains(&secret) || (!is_plain && reason.contains(&secret)) {
            let expected = "no name or message of a check";
            mismatches.push(Mismatch::new("secrecy", expected, quote(&secret)));
        }
    }
}

/// Shorter texts can occur by chance.
const SECRET_LENGTH: usize = 3;
const VALUE_LENGTH: usize = 5;

/// The messages of a check and their words, and its values.
fn secrets(check: &Check) -> Vec<String> {
    let later = check.then.iter().map(|later| &later.message);
    let messages: Vec<_> =
        iter::once(&check.message).chain(later).filter_map(Option::as_deref).collect();
    let values = check.values.iter().map(|value| value.number.0.to_string());
    texts(&messages).into_iter().chain(values.filter(|value| value.len() >= VALUE_LENGTH)).collect()
}

/// These messages, and the words of them that occur nowhere else: those with a digit or punctuation in them.
fn texts(messages: &[&str]) -> Vec<String> {
    let words = messages.iter().flat_map(|message| message.split_whitespace());
    let words = words.filter(|word| {
        word.len() >= 6 && word.contains(|c: char| c.is_ascii_digit() || c.is_ascii_punctuation())
    });
    let texts = messages.iter().copied().chain(words).map(str::to_lowercase);
    texts.filter(|text| text.len() >= SECRET_LENGTH).collect()
}

//! What only the operator may see (H9).

use std::iter;

use super::{Mismatch, expected_headers, quote};
use crate::client::Response;
use crate::setup::{Check, Setup};

/// H9: no name or message of a check in the body, the reason or a header, be it a name or a value. What is as expected, and what
/// servers add by themselves, is not searched: a check may be called `cache` or `date`.
pub(super) fn judge_secrecy(
    word: Option<&str>,
    setup: &Setup,
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
    let latches = setup.latches.iter().map(|name| name.to_lowercase());
    for secret in setup.checks.iter().flat_map(secrets).chain(latches) {
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

/// Name and messages of a check, and the words of the messages that occur nowhere else: those with a digit
/// or punctuation in them.
fn secrets(check: &Check) -> Vec<String> {
    let later = check.then.iter().map(|later| &later.message);
    let messages: Vec<_> =
        iter::once(&check.message).chain(later).filter_map(Option::as_deref).collect();
    let words = messages.iter().flat_map(|message| message.split_whitespace());
    let words = words.filter(|word| {
        word.len() >= 6 && word.contains(|c: char| c.is_ascii_digit() || c.is_ascii_punctuation())
    });
    let texts = iter::once(check.name.as_str()).chain(messages.iter().copied()).chain(words);
    texts.filter(|text| text.len() >= SECRET_LENGTH).map(str::to_lowercase).collect()
}

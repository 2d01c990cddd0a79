//! The message of a server that refuses its settings.

use super::{Mismatch, quote};

/// H11: a refusal names the key, the value in quotes, and what is wrong with it.
pub(crate) fn judge_refusal(key: &str, value: &str, message: &str) -> Vec<Mismatch> {
    let mut mismatches = Vec::new();
    let mut expect = |is_met: bool, expected: String| {
        if !is_met {
            mismatches.push(Mismatch::new("message", expected, quote(message)));
        }
    };
    expect(says(message, key), format!("a message that contains {key}"));
    let is_quoted =
        ['"', '\'', '`'].iter().any(|quote| says(message, &format!("{quote}{value}{quote}")));
    expect(is_quoted, format!("a message that quotes the value {value:?}"));
    let words = message
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| word.len() > 1 && !key.contains(word) && !value.contains(word));
    expect(
        words.count() >= 3,
        "a message that contains the rule, in at least three words or numbers".to_owned(),
    );
    mismatches
}

/// Whether `message` holds `text`, as it is or with whatever escapes.
pub(super) fn says(message: &str, text: &str) -> bool {
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

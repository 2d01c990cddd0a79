//! H5: the query.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use crate::fault::{Decoration, Ending, exchange, faults, page, request};

faults! {
    /// Checks are never run.
    ChecksNeverRun: "query/runs-all" => asks(|_| false);
    /// Checks run for any query.
    AnyQueryRunsChecks: "query/skips-value-of-another-key", "query/skips-absent" =>
        asks(|query| !query.is_empty());
    /// Checks run whatever the value is.
    AnyValueRunsChecks:
        "query/skips-empty-value",
        "query/skips-false",
        "query/skips-name-of-a-check",
        "query/skips-no-value" => asks(|query| last(&pairs(query), is_key, |_| true));
    /// `1` and `yes` mean `true`.
    TruthyValues: "query/skips-yes", "query/skips-one" =>
        value(|value| ["all", "true", "1", "yes"].contains(&&*value.to_ascii_lowercase()));
    /// `all` is not known.
    AllUnknown: "query/runs-all" => value(|value| value.eq_ignore_ascii_case("true"));
    /// `true` is not known.
    TrueUnknown: "query/runs-true" => value(|value| value.eq_ignore_ascii_case("all"));
    /// The key is compared without regard to case.
    KeyInAnyCase: "query/skips-upper-case-key", "query/skips-capitalised-key" =>
        key(|key| key.eq_ignore_ascii_case("checks"));
    /// The key is compared as Unicode would have it.
    KeyInUnicodeCase: "query/skips-kelvin-sign-key" => key(|key| key.to_lowercase() == "checks");
    /// The value is compared with regard to case.
    ValueInOneCase:
        "query/runs-upper-case",
        "query/runs-escaped-letter-in-upper-case",
        "query/runs-mixed-case" => value(|value| value == "all" || value == "true");
    /// A key that contains `checks` will do.
    KeyContained:
        "query/skips-suffixed-key",
        "query/skips-fragment-like",
        "query/skips-prefixed-key",
        "query/skips-singular-key" => key(|key| key.contains("check"));
    /// A value that starts with `all` will do.
    ValueIsAPrefix: "query/skips-longer-word", "query/skips-twice-in-one-value" =>
        value(|value| value.to_ascii_lowercase().starts_with("all"));
    /// A value that is the beginning of `all` will do.
    ValueAbbreviated: "query/skips-shorter-word", "query/skips-eight-kibibytes-of-pairs" =>
        value(|value| !value.is_empty() && ("all".starts_with(value) || value == "true"));
    /// Values may be a list.
    ListsAccepted: "query/skips-list" => value(|value| value.split(',').any(is_value));
    /// Spaces round key and value are ignored.
    SpacesTrimmed:
        "query/skips-leading-space",
        "query/skips-key-with-plus",
        "query/skips-key-with-space",
        "query/skips-leading-plus",
        "query/skips-trailing-newline",
        "query/skips-trailing-plus",
        "query/skips-trailing-space" =>
        asks(|query| last(&pairs(query), |key| is_key(key.trim()), |value| is_value(value.trim())));
    /// What follows a NUL is cut off.
    NulEndsValue: "query/skips-trailing-nul" =>
        value(|value| value.split('\0').next().is_some_and(is_value));
    /// The first of several counts.
    FirstOfSeveralCounts: "query/runs-last-of-several", "query/runs-last-after-an-invalid-one" =>
        asks(|query| {
        let pairs = pairs(query);
        let first = pairs.iter().find(|(key, _)| is_key(key));
        first.is_some_and(|(_, value)| is_value(value))
    });
    /// Any of several will do.
    AnyOfSeveralCounts:
        "query/skips-last-of-several-is-no",
        "query/skips-last-of-several-is-empty" =>
        asks(|query| pairs(query).iter().any(|(key, value)| is_key(key) && is_value(value)));
    /// A value that is not UTF-8 does not count as the last.
    InvalidValueSkipped: "query/skips-last-of-several-is-invalid" => asks(|query| {
        let mut pairs = pairs(query);
        pairs.retain(|(_, value)| !value.contains(INVALID));
        last(&pairs, is_key, is_value)
    });
    /// Nothing is decoded.
    NotDecoded: "query/runs-escaped-value", "query/runs-lower-case-escape" =>
        asks(|query| last(&split(query), is_key, is_value));
    /// The key is not decoded.
    KeyNotDecoded: "query/runs-escaped-key", "query/runs-all-escaped" => asks(|query| {
        let half = split(query).into_iter().map(|(key, value)| (key, decode(&value)));
        last(&half.collect::<Vec<_>>(), is_key, is_value)
    });
    /// Everything is decoded twice.
    DecodedTwice: "query/skips-double-escape" => asks(|query| {
        let twice = pairs(query).into_iter().map(|(key, value)| (decode(&key), decode(&value)));
        last(&twice.collect::<Vec<_>>(), is_key, is_value)
    });
    /// The query is decoded before it is split.
    DecodedBeforeSplit: "query/skips-escaped-ampersand", "query/skips-escaped-equals" =>
        asks(|query| last(&split(&decode(query)), is_key, is_value));
    /// The value ends at another equals sign.
    EqualsSignEndsValue: "query/skips-equals-in-value" =>
        value(|value| value.split('=').next().is_some_and(is_value));
    /// `;` separates too.
    SemicolonSeparates: "query/skips-semicolon-as-separator", "query/skips-semicolon-after-value" =>
        asks(|query| last(&pairs(&query.replace(';', "&")), is_key, is_value));
    /// A bad escape is dropped.
    BadEscapeDropped: "query/skips-bad-escape-in-value", "query/skips-lone-percent-in-key" =>
        asks(|query| last(&pairs(&without_bad_escapes(query)), is_key, is_value));
    /// A bad escape fails the request.
    BadEscapeFails:
        "query/runs-after-bad-escape",
        "query/skips-bad-escape-digits",
        "query/skips-bad-escape-in-key",
        "query/skips-eight-kibibytes-of-escapes" =>
        fails(|query| without_bad_escapes(query) != query);
    /// Bytes that are no UTF-8 are dropped.
    InvalidUtf8Dropped:
        "query/skips-invalid-utf8-in-value",
        "query/runs-before-an-invalid-key",
        "query/skips-invalid-utf8-in-key" => asks(|query| {
        let valid = |text: &str| text.replace(INVALID, "");
        last(&pairs(query), |key| is_key(&valid(key)), |value| is_value(&valid(value)))
    });
    /// Bytes that are no UTF-8 fail the request.
    InvalidUtf8Fails: "query/runs-after-invalid-utf8", "query/runs-after-overlong-utf8" =>
        fails(|query| decode(query).contains(INVALID));
    /// The query ends at an empty pair.
    EmptyPairEndsQuery: "query/runs-after-empty-pairs" => asks(|query| {
        let whole = query.split("&&").next().unwrap_or_default();
        last(&pairs(whole), is_key, is_value)
    });
    /// Only the first pair is read.
    FirstPairOnly: "query/runs-after-others", "query/runs-after-equals-signs" =>
        asks(|query| last(&pairs(query)[..1], is_key, is_value));
    /// Only the last pair is read.
    LastPairOnly: "query/runs-before-others" => asks(|query| {
        let pairs = pairs(query);
        last(&pairs[pairs.len() - 1..], is_key, is_value)
    });
    /// A raw byte ends the server.
    EndsWithRawByte: "query/raw-byte-harmless" => ends(|target| target.contains(INVALID));
    /// A raw control character ends the server.
    EndsWithRawControl: "query/raw-control-harmless" =>
        ends(|target| target.contains(char::is_control));
    /// A query is read for its first 4 KiB.
    LongQueryCut: "query/runs-after-eight-kibibytes" =>
        asks(|query| last(&pairs(&query[..query.len().min(4096)]), is_key, is_value));
    /// A query over 4 KiB is refused.
    LongQueryRefused: "wire/long-query" => page(414, |request| request.query().len() > 4096);
    /// Checks run for every second request.
    EverySecondRuns: "query/runs-each-time" => {
        let asked = AtomicUsize::new(0);
        request(move |request| {
            if request.asks() && asked.fetch_add(1, Relaxed) % 2 == 1 {
                request.set_query("");
            }
        })
    };
}

/// The replacement for bytes that are not UTF-8.
const INVALID: char = '\u{fffd}';

/// Checks run for the queries that this is true of.
fn asks(asks: fn(&str) -> bool) -> Decoration {
    request(move |request| {
        let query = if asks(request.query()) { "checks=all" } else { "" };
        request.set_query(query);
    })
}

fn key(is_key: fn(&str) -> bool) -> Decoration {
    reads(is_key, is_value)
}

fn value(is_value: fn(&str) -> bool) -> Decoration {
    reads(is_key, is_value)
}

/// Checks run for the queries whose last pair with such a key has such a value.
fn reads(is_key: fn(&str) -> bool, is_value: fn(&str) -> bool) -> Decoration {
    request(move |request| {
        let asks = last(&pairs(request.query()), is_key, is_value);
        request.set_query(if asks { "checks=all" } else { "" });
    })
}

/// The response is a failure for the queries that this is true of.
fn fails(is_bad: fn(&str) -> bool) -> Decoration {
    page(400, move |request| is_bad(request.query()))
}

/// The server ends with the targets that this is true of.
fn ends(is_bad: fn(&str) -> bool) -> Decoration {
    exchange(move |request, correct| {
        if is_bad(&request.target) { Err(Ending::Server) } else { Ok(correct.answer(request)) }
    })
}

fn is_key(key: &str) -> bool {
    key == "checks"
}

fn is_value(value: &str) -> bool {
    value.eq_ignore_ascii_case("all") || value.eq_ignore_ascii_case("true")
}

type Pair = (String, String);

fn last(pairs: &[Pair], is_key: impl Fn(&str) -> bool, is_value: impl Fn(&str) -> bool) -> bool {
    let last = pairs.iter().rfind(|(key, _)| is_key(key));
    last.is_some_and(|(_, value)| is_value(value))
}

/// The pairs of a query, as they are written: at least one.
fn split(query: &str) -> Vec<Pair> {
    let pairs = query.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    pairs.map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
}

/// The same, decoded.
fn pairs(query: &str) -> Vec<Pair> {
    let written = split(query).into_iter();
    written.map(|(key, value)| (decode(&key), decode(&value))).collect()
}

/// Undoes percent-encoding, and `+` for a space.
fn decode(text: &str) -> String {
    let mut decoded = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        match (byte, escaped(after)) {
            (b'+', _) => decoded.push(b' '),
            (b'%', Some(escaped)) => {
                decoded.push(escaped);
                rest = &after[2..];
            }
            _ => decoded.push(byte),
        }
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

/// The byte that two digits at the start stand for.
fn escaped(text: &[u8]) -> Option<u8> {
    let digits = text.get(..2)?;
    let is_hexadecimal = digits.iter().all(u8::is_ascii_hexdigit);
    let digits = std::str::from_utf8(digits).ok().filter(|_| is_hexadecimal)?;
    u8::from_str_radix(digits, 16).ok()
}

fn without_bad_escapes(query: &str) -> String {
    let bytes = query.as_bytes();
    let is_good =
        |(at, character): &(usize, char)| *character != '%' || escaped(&bytes[at + 1..]).is_some();
    query.char_indices().filter(is_good).map(|(_, character)| character).collect()
}

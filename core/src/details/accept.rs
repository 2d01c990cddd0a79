//! The header `Accept` (RFC 9110, section 12.5.1).

use std::cmp::Reverse;

use super::format::{Format, Offer};

/// How many media ranges count, over all lines.
const MAX_RANGES: usize = 64;

/// One media range of the header.
#[derive(Debug, Clone, Copy)]
struct Range<'a> {
    kind: &'a str,
    subtype: &'a str,
    /// The parameter `version`, which tells the formats of metrics apart. Other parameters do not.
    version: Option<&'a str>,
    /// The weight in thousandths.
    weight: u16,
    position: usize,
}

/// The first of `offers` that a client prefers that sends these lines; `None` if no range is valid, or no offer is acceptable.
///
/// The highest weight wins; then the most specific range, then the first range, then the first offer. The weight of an offer
/// is that of the most specific range that matches it. A range that is malformed is ignored.
pub(super) fn preferred(lines: &[&[u8]], offers: &[Offer]) -> Option<Format> {
    let ranges: Vec<Range<'_>> = lines
        .iter()
        .filter_map(|line| std::str::from_utf8(line).ok())
        .flat_map(|line| split(line, ','))
        .take(MAX_RANGES)
        .enumerate()
        .filter_map(|(position, text)| Range::parse(text, position))
        .collect();
    let rank = |offer: &Offer| {
        let matching = ranges
            .iter()
            .filter_map(|range| Some((range.specificity(offer)?, Reverse(range.position), range)));
        let (specificity, position, range) = matching.max_by_key(|&(s, p, _)| (s, p))?;
        (range.weight > 0).then_some((range.weight, specificity, position))
    };
    let ranked = offers.iter().filter_map(|offer| Some((rank(offer)?, offer.format)));
    // Of equal ones, `max_by_key` returns the last.
    let (_, format) = ranked.rev().max_by_key(|(rank, _)| *rank)?;
    Some(format)
}

impl<'a> Range<'a> {
    fn parse(text: &'a str, position: usize) -> Option<Self> {
        let mut parts = split(text, ';');
        let (kind, subtype) = parts.next()?.split_once('/')?;
        let is_range = is_token(kind) && is_token(subtype) && (kind != "*" || subtype == "*");
        let mut range = Self { kind, subtype, version: None, weight: 1000, position };
        for parameter in parts {
            // An empty parameter is allowed: `text/html;`.
            if parameter.is_empty() {
                continue;
            }
            let (name, value) = parameter.split_once('=')?;
            if name.eq_ignore_ascii_case("q") {
                range.weight = weight(value)?;
                // What follows is not a parameter of the media type.
                break;
            }
            if !is_token(name) {
                return None;
            }
            if name.eq_ignore_ascii_case("version") {
                range.version = Some(unquoted(value)?);
            }
        }
        is_range.then_some(range)
    }

    /// How specific the range is; `None` if it does not match.
    fn specificity(&self, offer: &Offer) -> Option<u8> {
        let is_kind = self.kind.eq_ignore_ascii_case(offer.kind);
        let is_subtype = self.subtype.eq_ignore_ascii_case(offer.subtype);
        match (self.kind, self.subtype, self.version) {
            ("*", "*", None) => Some(0),
            (_, "*", None) if is_kind => Some(1),
            (_, _, None) if is_kind && is_subtype => Some(2),
            (_, _, Some(version)) if is_kind && is_subtype && offer.version == Some(version) => {
                Some(3)
            }
            _ => None,
        }
    }
}

/// A qvalue in thousandths: 0 to 1, with at most three digits after the point.
fn weight(text: &str) -> Option<u16> {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let is_part = part.len() <= 3 && part.bytes().all(|byte| byte.is_ascii_digit());
    let part: u16 = format!("{part:0<3}").parse().ok().filter(|_| is_part)?;
    match whole {
        "0" => Some(part),
        "1" if part == 0 => Some(1000),
        _ => None,
    }
}

fn is_token(text: &str) -> bool {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !text.is_empty() && text.bytes().all(is_allowed)
}

/// The value of a parameter without its quotes. A version needs no escapes.
fn unquoted(value: &str) -> Option<&str> {
    let inner = value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    let value = inner.unwrap_or(value);
    is_token(value).then_some(value)
}

/// The parts of a list without surrounding blanks. A separator in quotes does not separate.
fn split(text: &str, separator: char) -> impl Iterator<Item = &str> {
    let mut is_quoted = false;
    let mut is_escaped = false;
    let is_separator = move |c: char| {
        if is_escaped {
            is_escaped = false;
        } else if is_quoted && c == '\\' {
            is_escaped = true;
        } else if c == '"' {
            is_quoted = !is_quoted;
        }
        c == separator && !is_quoted
    };
    text.split(is_separator).map(|part| part.trim_matches([' ', '\t']))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::format::{Format, OFFERS};
    use super::preferred;

    fn chosen(lines: &[&str]) -> Option<Format> {
        let lines: Vec<_> = lines.iter().map(|line| line.as_bytes()).collect();
        preferred(&lines, OFFERS)
    }

    #[test]
    fn the_client_chooses_by_weight_then_specificity_then_order() {
        for (line, format) in [
            ("*/*", Some(Format::Word)),
            ("text/*", Some(Format::Word)),
            ("text/plain", Some(Format::Word)),
            ("application/*", Some(Format::Json)),
            ("application/json", Some(Format::Json)),
            ("APPLICATION/Json", Some(Format::Json)),
            ("application/json, text/plain, */*", Some(Format::Json)),
            ("text/plain, application/json", Some(Format::Word)),
            ("text/plain;q=0.9, application/json", Some(Format::Json)),
            ("application/json;q=0.5, */*", Some(Format::Word)),
            ("application/json;q=0.5, */*;q=0.5", Some(Format::Json)),
            ("text/plain;q=0, */*;q=0.1", Some(Format::Json)),
            ("text/plain;charset=utf-8", Some(Format::Word)),
            ("text/plain;version=9", None),
            ("image/png", None),
            ("*/*;q=0", None),
            ("", None),
        ] {
            assert_eq!(chosen(&[line]), format, "{line}");
        }
    }

    #[test]
    fn a_malformed_range_is_ignored_and_the_others_count() {
        for malformed in [
            "application/json;q=2",
            "application/json;q=0.1234",
            "application/json;q=-1",
            "application/json;q=",
            "application/json;q",
            "application/json;q=1.001",
            "application/json;=x",
            "application",
            "application/",
            "/json",
            "*/json",
            "appli cation/json",
            "application/json/x",
            "\"application/json\"",
            "application/json;version=\"a b\"",
            ";q=1",
            "é/é",
        ] {
            assert_eq!(chosen(&[malformed]), None, "{malformed}");
            let line = format!("{malformed}, application/*;q=0.1");
            assert_eq!(chosen(&[&line]), Some(Format::Json), "{malformed}");
        }
        assert_eq!(chosen(&["application/json;x=\",;q=0\""]), Some(Format::Json), "quotes");
        assert_eq!(chosen(&["application/json;x=\"\\\",\", */*;q=0.1"]), Some(Format::Json));
        assert_eq!(chosen(&["application/json; q=1.000 ;ext=1"]), Some(Format::Json));
    }

    #[test]
    fn several_lines_are_one_list() {
        let lines = ["text/plain;q=0.1", "application/json;q=0.2"];
        assert_eq!(chosen(&lines), Some(Format::Json));
        let accept: [&[u8]; 2] = [b"\xff/\xff", b"application/json"];
        let format = preferred(&accept, OFFERS);
        assert_eq!(format, Some(Format::Json), "a line that is not UTF-8 is ignored");
    }

    proptest! {
        #[test]
        fn no_header_panics(lines in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..200), 0..4)) {
            let lines: Vec<_> = lines.iter().map(Vec::as_slice).collect();
            preferred(&lines, OFFERS);
        }

        #[test]
        fn no_near_miss_panics(
            pieces in prop::collection::vec(
                prop::sample::select(vec![
                    "text", "application", "json", "*", "/", ";", "q", "=", "0.5", "1", ",", "\"", "\\", " ", "version", "é",
                ]),
                0..20,
            )
        ) {
            chosen(&[&pieces.concat()]);
        }
    }
}

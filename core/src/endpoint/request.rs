//! What a request asks for.

use percent_encoding::percent_decode;

/// Whether a request asks for the application's checks (H5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CheckMode {
    /// Answer without running anything.
    Skip,
    /// Run every check and subscriber.
    Run,
}

impl CheckMode {
    /// Reads a raw query string, without its `?`; empty when the request has none.
    ///
    /// Never fails and never allocates: only keys that still may be `checks` are decoded, byte by
    /// byte. A `+` is left as it is, because the space it stands for occurs in no word compared here.
    pub(crate) fn from_query(query: &str) -> Self {
        query
            .as_bytes()
            .rsplit(|&byte| byte == b'&')
            .find_map(Self::from_pair)
            .unwrap_or(Self::Skip)
    }

    /// `None` when the pair's key is not `checks`.
    fn from_pair(pair: &[u8]) -> Option<Self> {
        let mut halves = pair.splitn(2, |&byte| byte == b'=');
        let key = halves.next().unwrap_or_default();
        let value = halves.next().unwrap_or_default();

        percent_decode(key).eq(*b"checks").then(|| {
            let is_word = |word: &[u8]| lower_case(value).eq(word.iter().copied());
            if is_word(b"all") || is_word(b"true") {
                Self::Run
            } else {
                Self::Skip
            }
        })
    }
}

fn lower_case(text: &[u8]) -> impl Iterator<Item = u8> {
    percent_decode(text).map(|byte| byte.to_ascii_lowercase())
}

/// Splits a raw request target into path and query, for a server that reads requests itself.
///
/// The query comes without its `?`, and is empty where there is none. A target in absolute form, as
/// clients of a proxy send it (RFC 9112, 3.2.2), loses its scheme and host: every server has to take it.
///
/// ```
/// use health_core::path_and_query;
///
/// assert_eq!(path_and_query("/health?checks=all"), ("/health", "checks=all"));
/// assert_eq!(path_and_query("http://localhost:8080/health"), ("/health", ""));
/// ```
pub fn path_and_query(target: &str) -> (&str, &str) {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let path = match path.split_once("://") {
        Some((scheme, rest))
            if ["http", "https"]
                .iter()
                .any(|s| scheme.eq_ignore_ascii_case(s)) =>
        {
            rest.find('/').map_or("/", |start| &rest[start..])
        }
        _ => path,
    };
    (path, query)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{CheckMode, path_and_query};

    #[test]
    fn a_target_in_either_form_has_a_path_and_a_query() {
        for (target, path, query) in [
            ("/health", "/health", ""),
            ("/health?", "/health", ""),
            ("/health?a?b", "/health", "a?b"),
            (
                "/health?to=http://other/path",
                "/health",
                "to=http://other/path",
            ),
            ("http://localhost/health?a", "/health", "a"),
            ("HTTPS://[::1]:8080//health", "//health", ""),
            ("http://localhost", "/", ""),
            ("http://localhost?a", "/", "a"),
            ("ftp://localhost/health", "ftp://localhost/health", ""),
            ("/http://localhost/health", "/http://localhost/health", ""),
            ("*", "*", ""),
            ("", "", ""),
        ] {
            assert_eq!(path_and_query(target), (path, query), "{target}");
        }
    }

    /// H5 as the URL standard's own parser would have it: slower, and plainly right.
    fn model(query: &str) -> CheckMode {
        let last = form_urlencoded::parse(query.as_bytes())
            .filter(|(key, _)| key == "checks")
            .last();
        match last {
            Some((_, value)) if ["all", "true"].contains(&&*value.to_ascii_lowercase()) => {
                CheckMode::Run
            }
            _ => CheckMode::Skip,
        }
    }

    #[test]
    fn the_last_checks_parameter_counts() {
        assert_eq!(
            CheckMode::from_query("checks=all&checks=no"),
            CheckMode::Skip
        );
        assert_eq!(
            CheckMode::from_query("checks=no&checks=all"),
            CheckMode::Run
        );
    }

    #[test]
    fn a_value_of_invalid_utf8_is_not_a_match() {
        assert_eq!(CheckMode::from_query("checks=all%ff"), CheckMode::Skip);
        assert_eq!(CheckMode::from_query("%ff=1&checks=all"), CheckMode::Run);
    }

    proptest! {
        #[test]
        fn any_text_is_read_as_the_url_standard_reads_it(query in any::<String>()) {
            prop_assert_eq!(CheckMode::from_query(&query), model(&query));
        }

        #[test]
        fn near_misses_are_read_as_the_url_standard_reads_them(
            pieces in prop::collection::vec(
                prop::sample::select(vec![
                    "checks", "check%73", "CHECKS", "all", "%61ll", "TRUE", "true", "=", "&", ";",
                    "+", "%", "%2", "%zz", "%00", "%ff", "%26", "%3D", "1", "é", " ",
                ]),
                0..10,
            )
        ) {
            let query = pieces.concat();
            prop_assert_eq!(CheckMode::from_query(&query), model(&query));
        }
    }
}

//! A request: its path, whether it asks for checks, and who sent it.

use std::fmt;
use std::net::IpAddr;

use percent_encoding::percent_decode;

/// What an endpoint needs to know of a request. A query alone converts into it.
///
/// ```
/// use health_core::HealthRequest;
///
/// let request = HealthRequest::new("checks=all").header("user-agent", b"kube-probe/1.34");
/// # let _ = request;
/// ```
#[derive(Clone, Default)]
pub struct HealthRequest<'a> {
    pub(crate) query: &'a str,
    pub(crate) poller: Poller<'a>,
    /// Boxed: only endpoints with details need it.
    #[cfg(feature = "details")]
    head: Option<Box<Head<'a>>>,
}

/// The headers by which a reader of details is told apart.
#[cfg(feature = "details")]
#[derive(Clone, Default)]
pub(crate) struct Head<'a> {
    /// Each line of `Accept`.
    pub(crate) accept: Vec<&'a [u8]>,
    /// Each line of `Authorization`.
    pub(crate) authorization: Vec<&'a [u8]>,
}

/// Who sent a request, as far as it is known.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Poller<'a> {
    pub(crate) address: Option<IpAddr>,
    user_agent: &'a [u8],
}

/// How much of a `User-Agent` counts, in bytes.
const MAX_AGENT_LEN: usize = 128;

/// How many lines of one header are kept. RFC 9110 allows one `Authorization`; a client has no use for more of `Accept`.
#[cfg(feature = "details")]
const MAX_LINES: usize = 16;

impl Poller<'_> {
    pub(crate) fn agent(&self) -> &[u8] {
        &self.user_agent[..self.user_agent.len().min(MAX_AGENT_LEN)]
    }
}

impl<'a> HealthRequest<'a> {
    /// The names of the headers that the core needs, in lower case.
    pub const HEADERS: &'static [&'static str] = &["user-agent", "accept", "authorization"];

    /// A request with this raw query string without its `?`; empty if the request has none.
    #[inline]
    pub fn new(query: &'a str) -> Self {
        Self {
            query,
            poller: Poller { address: None, user_agent: &[] },
            #[cfg(feature = "details")]
            head: None,
        }
    }

    /// Sets the address of the client, by which a [`Drain`](crate::Drain) tells pollers apart. Only needed if
    /// [`EndpointHandle::reads_headers`](crate::EndpointHandle::reads_headers).
    pub fn client(mut self, address: Option<IpAddr>) -> Self {
        self.poller.address = address;
        self
    }

    /// Adds a line of a header. Names other than [`HEADERS`](Self::HEADERS) have no effect; case does not matter. Only needed
    /// if [`EndpointHandle::reads_headers`](crate::EndpointHandle::reads_headers).
    pub fn header(mut self, name: &str, value: &'a [u8]) -> Self {
        match Self::HEADERS.iter().position(|known| name.eq_ignore_ascii_case(known)) {
            Some(0) => self.poller.user_agent = value,
            #[cfg(feature = "details")]
            Some(1) => add_line(&mut self.head.get_or_insert_default().accept, value),
            #[cfg(feature = "details")]
            Some(2) => add_line(&mut self.head.get_or_insert_default().authorization, value),
            _ => {}
        }
        self
    }

    /// Adds all headers of the request, like [`header`](Self::header).
    pub fn headers<'n>(self, headers: impl IntoIterator<Item = (&'n str, &'a [u8])>) -> Self {
        headers.into_iter().fold(self, |request, (name, value)| request.header(name, value))
    }

    #[cfg(feature = "details")]
    pub(crate) fn head(&self) -> Option<&Head<'a>> {
        self.head.as_deref()
    }
}

#[cfg(feature = "details")]
fn add_line<'a>(lines: &mut Vec<&'a [u8]>, value: &'a [u8]) {
    if lines.len() < MAX_LINES {
        lines.push(value);
    }
}

/// Omits the headers but `User-Agent`: one of them is a secret, and `Debug` output travels.
impl fmt::Debug for HealthRequest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HealthRequest")
            .field("query", &self.query)
            .field("poller", &self.poller)
            .finish_non_exhaustive()
    }
}

impl<'a> From<&'a str> for HealthRequest<'a> {
    #[inline]
    fn from(query: &'a str) -> Self {
        Self::new(query)
    }
}

impl<'a> From<&'a String> for HealthRequest<'a> {
    fn from(query: &'a String) -> Self {
        Self::new(query)
    }
}

/// Whether a request asks for the checks (H5). `query` is the raw query string without its `?`, and empty when the
/// request has none.
///
/// Never fails and never allocates: only keys that may be `checks` are decoded, byte by byte. A `+` is not decoded,
/// because no word compared here contains a space.
pub(crate) fn asks_for_checks(query: &str) -> bool {
    if query.is_empty() {
        return false;
    }
    let mut pairs = query.as_bytes().rsplit(|&byte| byte == b'&');
    pairs.find_map(asks_in_pair).unwrap_or(false)
}

/// `None` when the pair's key is not `checks`.
fn asks_in_pair(pair: &[u8]) -> Option<bool> {
    let mut halves = pair.splitn(2, |&byte| byte == b'=');
    let key = halves.next().unwrap_or_default();
    let value = halves.next().unwrap_or_default();
    let is_word = |word: &[u8]| lower_case(value).eq(word.iter().copied());
    percent_decode(key).eq(*b"checks").then(|| is_word(b"all") || is_word(b"true"))
}

fn lower_case(text: &[u8]) -> impl Iterator<Item = u8> {
    percent_decode(text).map(|byte| byte.to_ascii_lowercase())
}

/// Splits a raw request target into path and query, for a server that parses requests itself.
///
/// The query has no `?`, and is empty without one. The scheme and host of a target in absolute form are
/// removed; every server has to accept that form (RFC 9112, section 3.2.2).
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
            if ["http", "https"].iter().any(|s| scheme.eq_ignore_ascii_case(s)) =>
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

    use super::{asks_for_checks, path_and_query};

    #[test]
    fn a_target_in_either_form_has_a_path_and_a_query() {
        for (target, path, query) in [
            ("/health", "/health", ""),
            ("/health?", "/health", ""),
            ("/health?a?b", "/health", "a?b"),
            ("/health?to=http://other/path", "/health", "to=http://other/path"),
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
    fn model(query: &str) -> bool {
        let last =
            form_urlencoded::parse(query.as_bytes()).filter(|(key, _)| key == "checks").last();
        last.is_some_and(|(_, value)| ["all", "true"].contains(&&*value.to_ascii_lowercase()))
    }

    #[test]
    fn the_last_checks_parameter_counts() {
        assert!(!asks_for_checks("checks=all&checks=no"));
        assert!(asks_for_checks("checks=no&checks=all"));
    }

    #[test]
    fn a_value_of_invalid_utf8_is_not_a_match() {
        assert!(!asks_for_checks("checks=all%ff"));
        assert!(asks_for_checks("%ff=1&checks=all"));
    }

    proptest! {
        #[test]
        fn any_text_is_read_as_the_url_standard_reads_it(query in any::<String>()) {
            prop_assert_eq!(asks_for_checks(&query), model(&query));
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
            prop_assert_eq!(asks_for_checks(&query), model(&query));
        }
    }
}

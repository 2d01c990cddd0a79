//! Parses a response.

use std::str;

/// A response as received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Response {
    /// The status code.
    pub(crate) status: u16,
    /// The reason phrase; empty if there is no reason.
    pub(crate) reason: String,
    /// Names in lower case, and values, in order.
    pub(crate) headers: Vec<(String, String)>,
    /// The body, of the length in the headers.
    pub(crate) body: Vec<u8>,
}

/// What bytes are, as far as they have come.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Parsed {
    /// A complete response, and its length in bytes.
    Whole(Response, usize),
    /// The beginning of one.
    Part,
    /// Not HTTP/1, whatever follows.
    Garbage,
}

impl Response {
    /// Every value of a header. `name` is in lower case.
    pub(crate) fn header(&self, name: &str) -> Vec<&str> {
        let named = self.headers.iter().filter(|(header, _)| header == name);
        named.map(|(_, value)| value.as_str()).collect()
    }

    /// Parses the first final response in `bytes`, and skips interim ones (1xx). `is_end` means
    /// that no more bytes will come.
    pub(super) fn parse(bytes: &[u8], is_head: bool, is_end: bool) -> Parsed {
        let mut start = 0;
        loop {
            let rest = &bytes[start..];
            let begins = b"HTTP/1.".iter().zip(rest).all(|(a, b)| a == b);
            let Some(end) = find(rest, b"\r\n\r\n").filter(|_| begins) else {
                return if begins { Parsed::Part } else { Parsed::Garbage };
            };
            let Some(mut response) = Self::parse_head(&rest[..end]) else {
                return Parsed::Garbage;
            };
            start += end + 4;
            if (100..200).contains(&response.status) {
                continue;
            }
            return match response.parse_body(&bytes[start..], is_head, is_end) {
                Some((body, length)) => {
                    response.body = body;
                    Parsed::Whole(response, start + length)
                }
                None => Parsed::Part,
            };
        }
    }

    fn parse_head(head: &[u8]) -> Option<Self> {
        let head = String::from_utf8_lossy(head);
        let mut lines = head.split("\r\n");
        let mut status_line = lines.next()?.splitn(3, ' ');
        let version = status_line.next()?;
        let status = status_line.next().filter(|code| code.len() == 3)?;
        let headers = lines
            .map(|line| {
                let (name, value) = line.split_once(':')?;
                Some((name.to_ascii_lowercase(), value.trim().to_owned()))
            })
            .collect::<Option<_>>()?;
        matches!(version, "HTTP/1.0" | "HTTP/1.1").then_some(Self {
            status: status.parse().ok()?,
            reason: status_line.next().unwrap_or_default().to_owned(),
            headers,
            body: Vec::new(),
        })
    }

    /// The body, and how many of `bytes` it takes (RFC 9112, 6.3); `None` when it is not all there.
    fn parse_body(&self, bytes: &[u8], is_head: bool, is_end: bool) -> Option<(Vec<u8>, usize)> {
        if is_head || [204, 304].contains(&self.status) {
            return Some((Vec::new(), 0));
        }
        if !self.header("transfer-encoding").is_empty() {
            return unchunk(bytes);
        }
        match self.header("content-length")[..] {
            [length] if length.parse::<usize>().is_ok() => {
                let length = length.parse().ok()?;
                Some((bytes.get(..length)?.to_vec(), length))
            }
            _ => is_end.then(|| (bytes.to_vec(), bytes.len())),
        }
    }
}

/// A chunked body without trailers, and how many bytes it takes.
fn unchunk(bytes: &[u8]) -> Option<(Vec<u8>, usize)> {
    let (mut body, mut at) = (Vec::new(), 0);
    loop {
        let rest = bytes.get(at..)?;
        let line = find(rest, b"\r\n")?;
        let size = str::from_utf8(&rest[..line]).ok()?.split(';').next()?;
        let size = usize::from_str_radix(size.trim(), 16).ok()?;
        let start = line + 2;
        let end = start.checked_add(size)?;
        body.extend(rest.get(start..end)?);
        at += end.checked_add(2).filter(|&end| end <= rest.len())?;
        if size == 0 {
            return Some((body, at));
        }
    }
}

fn find(bytes: &[u8], pattern: &[u8]) -> Option<usize> {
    bytes.windows(pattern.len()).position(|window| window == pattern)
}

#[cfg(test)]
mod tests {
    use super::{Parsed, Response};

    fn body(bytes: &[u8], is_head: bool, is_end: bool) -> Option<(Vec<u8>, usize)> {
        match Response::parse(bytes, is_head, is_end) {
            Parsed::Whole(response, length) => Some((response.body, bytes.len() - length)),
            Parsed::Part | Parsed::Garbage => None,
        }
    }

    #[test]
    fn status_line_and_headers_are_read() {
        let bytes = b"HTTP/1.1 299 IN MAINTENANCE\r\nA: 1\r\na:  2\r\n\r\nbody";
        let Parsed::Whole(answer, length) = Response::parse(bytes, false, true) else {
            unreachable!("it is whole");
        };
        assert_eq!((answer.status, &*answer.reason), (299, "IN MAINTENANCE"));
        assert_eq!(answer.header("a"), ["1", "2"]);
        assert_eq!((&*answer.body, length), (&b"body"[..], bytes.len()));
    }

    #[test]
    fn a_body_is_as_long_as_its_framing_says() {
        let long = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOKmore";
        assert_eq!(body(long, false, false), Some((b"OK".to_vec(), 4)));
        assert_eq!(body(long, true, false), Some((Vec::new(), 6)));
        let short = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nOK";
        assert_eq!(body(short, false, true), None);
        let chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;x\r\nO\r\n1\r\nK\r\n0\r\n\r\nmore";
        assert_eq!(body(chunked, false, false), Some((b"OK".to_vec(), 4)));
        assert_eq!(body(&chunked[..chunked.len() - 8], false, true), None);
        let unframed = b"HTTP/1.0 200\r\n\r\nOK";
        assert_eq!(body(unframed, false, false), None);
        assert_eq!(body(unframed, false, true), Some((b"OK".to_vec(), 0)));
    }

    #[test]
    fn an_interim_answer_is_passed_over() {
        let bytes = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK";
        assert_eq!(body(bytes, false, false), Some((b"OK".to_vec(), 0)));
        assert_eq!(Response::parse(&bytes[..25], false, false), Parsed::Part);
    }

    #[test]
    fn anything_but_http_is_garbage_from_its_first_byte() {
        for bytes in [
            b"OK".as_slice(),
            b"HTTP/2 200\r\n\r\n",
            b"HTTP/1.1 abc OK\r\n\r\n",
            b"HTTP/1.2 200 OK\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        ] {
            let parsed = Response::parse(bytes, false, false);
            assert_eq!(parsed, Parsed::Garbage, "{}", bytes.escape_ascii());
        }
        for bytes in [b"".as_slice(), b"HTT", b"HTTP/1.1 200 OK\r\nA: 1\r\n"] {
            assert_eq!(Response::parse(bytes, false, true), Parsed::Part);
        }
    }

    #[test]
    fn absurd_lengths_are_never_whole() {
        for framing in [
            "Content-Length: 99999999999999999999",
            "Content-Length: 18446744073709551615",
            "Transfer-Encoding: chunked\r\nX: ffffffffffffffff",
        ] {
            let bytes = format!("HTTP/1.1 200 OK\r\n{framing}\r\n\r\nffffffffffffffff\r\nOK");
            assert_eq!(body(bytes.as_bytes(), false, false), None, "{framing}");
        }
    }
}

//! Parses the part of an HTTP/1 response that a verdict needs.

use std::fmt;

/// Status, reason and the beginning of the body.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Response {
    pub(crate) code: u16,
    pub(crate) reason: Vec<u8>,
    /// The whole body if it is short, otherwise its first `WORD_LIMIT + 1` bytes.
    pub(crate) body: Vec<u8>,
}

/// Maximum size of the headers, interim responses included.
const HEAD_LIMIT: usize = 16 * 1024;
/// Maximum size of the chunks on the wire before [`WORD_LIMIT`] bytes of the body are complete.
const CHUNKS_LIMIT: usize = 16 * 1024;
/// The rest of a body that is longer than this is not read.
pub(crate) const WORD_LIMIT: usize = 64;

/// Why bytes are not a response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Malformed {
    Silent,
    NotHttp,
    CutOff,
    HeadTooLong,
    Length,
    Chunks,
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Silent => "the server closed the connection without a response",
            Self::NotHttp => "the response is not HTTP/1",
            Self::CutOff => "the response is incomplete",
            Self::HeadTooLong => "the headers of the response are too long",
            Self::Length => "the response has an invalid Content-Length",
            Self::Chunks => "the response has invalid chunks",
        })
    }
}

impl Response {
    /// Parses all bytes received so far. Returns `None` if more are needed; `is_end` means that no more will come.
    pub(crate) fn read(bytes: &[u8], is_end: bool) -> Result<Option<Self>, Malformed> {
        let mut rest = bytes;
        loop {
            if !is_http(rest) {
                return Err(Malformed::NotHttp);
            }
            let head = split_head(rest);
            let head_end = bytes.len() - head.map_or(0, |(_, after)| after.len());
            if head_end > HEAD_LIMIT {
                return Err(Malformed::HeadTooLong);
            }
            let Some((head, after)) = head else {
                return match is_end {
                    true if bytes.is_empty() => Err(Malformed::Silent),
                    true => Err(Malformed::CutOff),
                    false => Ok(None),
                };
            };
            let (code, reason) = status(head)?;
            // An interim response, such as 103 Early Hints. 101 is not interim: nothing follows it.
            if (100..200).contains(&code) && code != 101 {
                rest = after;
                continue;
            }
            let body = framing(code, head)?.body(after, is_end)?;
            return Ok(body.map(|body| Self { code, reason: reason.to_vec(), body }));
        }
    }
}

/// Whether this can be the beginning of a response.
fn is_http(bytes: &[u8]) -> bool {
    bytes.iter().zip(b"HTTP/1.").all(|(byte, expected)| byte == expected)
}

/// The lines up to the first empty one, and what follows it.
fn split_head(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut start = 0;
    loop {
        let (line, after) = split_line(bytes.get(start..)?)?;
        let end = bytes.len() - after.len();
        if line.is_empty() {
            return Some((bytes.get(..start)?, after));
        }
        start = end;
    }
}

/// The first line, without its end, and what follows it.
fn split_line(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = bytes.iter().position(|byte| *byte == b'\n')?;
    let (line, after) = bytes.split_at(end);
    Some((line.strip_suffix(b"\r").unwrap_or(line), after.get(1..)?))
}

/// Code and reason of a status line, such as `HTTP/1.1 200 OK`; the reason may be missing.
fn status(head: &[u8]) -> Result<(u16, &[u8]), Malformed> {
    let (line, _) = split_line(head).ok_or(Malformed::NotHttp)?;
    match line {
        [b'H', b'T', b'T', b'P', b'/', b'1', b'.', b'0'..=b'9', b' ', a, b, c, reason @ ..]
            if [a, b, c].iter().all(|digit| digit.is_ascii_digit())
                && *a != b'0'
                && matches!(reason, [] | [b' ', ..]) =>
        {
            let digit = |byte: &u8| u16::from(byte - b'0');
            Ok((digit(a) * 100 + digit(b) * 10 + digit(c), reason.trim_ascii()))
        }
        _ => Err(Malformed::NotHttp),
    }
}

/// Where the body ends.
#[derive(Debug, Clone, Copy)]
enum Framing {
    Length(usize),
    Chunked,
    Close,
}

fn framing(code: u16, head: &[u8]) -> Result<Framing, Malformed> {
    if matches!(code, 101 | 204 | 304) {
        return Ok(Framing::Length(0));
    }
    let mut length = None;
    let mut is_encoded = false;
    let mut is_chunked = false;
    for line in head.split(|byte| *byte == b'\n').skip(1) {
        let Some(colon) = line.iter().position(|byte| *byte == b':') else {
            continue;
        };
        let (name, value) = line.split_at(colon);
        let value = value.get(1..).unwrap_or_default().trim_ascii();
        if name.eq_ignore_ascii_case(b"content-length") {
            let number = number(value, 10).ok_or(Malformed::Length)?;
            if length.is_some_and(|length| length != number) {
                return Err(Malformed::Length);
            }
            length = Some(number);
        } else if name.eq_ignore_ascii_case(b"transfer-encoding") {
            is_encoded = true;
            let last = value.rsplit(|byte| *byte == b',').next();
            is_chunked =
                last.is_some_and(|last| last.trim_ascii().eq_ignore_ascii_case(b"chunked"));
        }
    }
    Ok(match length {
        _ if is_chunked => Framing::Chunked,
        Some(length) if !is_encoded => Framing::Length(length),
        _ => Framing::Close,
    })
}

impl Framing {
    /// The body, if enough of it is there.
    fn body(self, bytes: &[u8], is_end: bool) -> Result<Option<Vec<u8>>, Malformed> {
        if let Self::Chunked = self {
            return chunks(bytes, is_end);
        }
        let (body, is_whole) = match self {
            Self::Length(length) => match bytes.get(..length) {
                Some(body) => (body, true),
                None => (bytes, false),
            },
            _ => (bytes, is_end),
        };
        if is_whole || body.len() > WORD_LIMIT {
            let body = body.get(..=WORD_LIMIT).unwrap_or(body);
            return Ok(Some(body.to_vec()));
        }
        if is_end { Err(Malformed::CutOff) } else { Ok(None) }
    }
}

/// The data of the chunks, if enough of them are there.
fn chunks(bytes: &[u8], is_end: bool) -> Result<Option<Vec<u8>>, Malformed> {
    let mut body = Vec::new();
    let mut rest = bytes;
    while let Some((line, after)) = split_line(rest) {
        let size = line.split(|byte| *byte == b';').next().unwrap_or_default();
        let size = number(size.trim_ascii(), 16).ok_or(Malformed::Chunks)?;
        // Trailers after the last chunk are not read.
        if size == 0 {
            return Ok(Some(body));
        }
        let there = size.min(after.len());
        let (data, after) = after.split_at(there);
        body.extend(data.iter().take(WORD_LIMIT + 1 - body.len()));
        if body.len() > WORD_LIMIT {
            return Ok(Some(body));
        }
        rest = match after {
            [b'\r', b'\n', after @ ..] | [b'\n', after @ ..] => after,
            [] | [b'\r'] => break,
            _ => return Err(Malformed::Chunks),
        };
    }
    match is_end {
        _ if bytes.len() > CHUNKS_LIMIT => Err(Malformed::Chunks),
        true => Err(Malformed::CutOff),
        false => Ok(None),
    }
}

/// A number without a sign; one that is too large becomes the maximum.
fn number(digits: &[u8], radix: u32) -> Option<usize> {
    let base = usize::try_from(radix).ok()?;
    let mut number: usize = 0;
    for digit in digits {
        let digit = char::from(*digit).to_digit(radix)?;
        let digit = usize::try_from(digit).ok()?;
        number = number.saturating_mul(base).saturating_add(digit);
    }
    (!digits.is_empty()).then_some(number)
}

#[cfg(test)]
mod tests;

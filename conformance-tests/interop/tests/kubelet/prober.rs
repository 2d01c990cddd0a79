//! One HTTP probe, sent and judged as a kubelet does.

use std::io::{self, ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

/// The outcome of one probe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// 200 to 299.
    Success(u16),
    /// The status of a gRPC probe.
    Serving,
    /// A redirect that is not followed, which counts as a success.
    Warning(u16),
    /// Another response, or none; with the reason.
    Failure(String),
    /// A response with an incomplete body, which counts as neither.
    Discarded,
}

pub(crate) const AGENT: &str = "kube-probe/1.34";
const MAX_REDIRECTS: usize = 10;
const MAX_BODY: usize = 10 * 1024;

/// Sends a probe on a new connection. The timeout includes redirects.
pub(crate) fn probe(address: SocketAddr, path: &str, timeout: Duration) -> Outcome {
    let deadline = Instant::now() + timeout;
    let mut address = address;
    let mut path = path.to_owned();
    for _ in 0..=MAX_REDIRECTS {
        let response = match request(address, &path, deadline) {
            Ok(response) => response,
            Err(error) => return Outcome::Failure(error.to_string()),
        };
        let is_redirect = matches!(response.code, 301 | 302 | 303 | 307 | 308);
        match response.location.as_deref().filter(|_| is_redirect) {
            Some(location) if location.starts_with('/') => path = location.to_owned(),
            Some(location) => match on_the_same_host(location, address) {
                Some(target) => (address, path) = target,
                None => return Outcome::Warning(response.code),
            },
            None => return judge(&response),
        }
    }
    Outcome::Failure(format!("stopped after {MAX_REDIRECTS} redirects"))
}

fn judge(response: &Response) -> Outcome {
    match response.code {
        _ if response.is_incomplete => Outcome::Discarded,
        code @ 200..300 => Outcome::Success(code),
        code @ 300..400 => Outcome::Warning(code),
        code => Outcome::Failure(format!("HTTP probe failed with statuscode: {code}")),
    }
}

/// Returns the target of an absolute URL on the same host; the port may differ.
fn on_the_same_host(location: &str, address: SocketAddr) -> Option<(SocketAddr, String)> {
    let rest = location.strip_prefix("http://")?;
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let target = authority.parse::<SocketAddr>();
    let target = target.ok().filter(|target| target.ip() == address.ip())?;
    Some((target, format!("/{}", path.trim_start_matches('/'))))
}

struct Response {
    code: u16,
    location: Option<String>,
    is_incomplete: bool,
}

fn request(address: SocketAddr, path: &str, deadline: Instant) -> io::Result<Response> {
    let mut stream = TcpStream::connect_timeout(&address, remaining(deadline)?)?;
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: {address}\r\nUser-Agent: {AGENT}\r\nAccept: */*\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes())?;

    let mut bytes = Vec::new();
    let head = loop {
        if let Some(end) = bytes.windows(4).position(|end| end == b"\r\n\r\n") {
            break String::from_utf8_lossy(&bytes[..end]).into_owned();
        }
        if !receive(&mut stream, &mut bytes, deadline)? {
            return Err(ErrorKind::UnexpectedEof.into());
        }
    };
    let body_start = head.len() + 4;
    let header = |name: &str| {
        head.lines()
            .skip(1)
            .filter_map(|line| line.split_once(": "))
            .find(|(other, _)| other.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.to_owned())
    };
    let length = header("content-length").and_then(|length| length.parse().ok());
    let length: usize = length.unwrap_or(usize::MAX);
    let wanted = body_start + length.min(MAX_BODY);
    let mut is_incomplete = false;
    while bytes.len() < wanted {
        match receive(&mut stream, &mut bytes, deadline) {
            Ok(true) => {}
            end => {
                is_incomplete = end.is_err() || length != usize::MAX;
                break;
            }
        }
    }
    let code = head.split_whitespace().nth(1).and_then(|code| code.parse().ok());
    Ok(Response {
        code: code.ok_or(ErrorKind::InvalidData)?,
        location: header("location"),
        is_incomplete,
    })
}

/// Reads some bytes; false at the end of the stream.
fn receive(stream: &mut TcpStream, bytes: &mut Vec<u8>, deadline: Instant) -> io::Result<bool> {
    stream.set_read_timeout(Some(remaining(deadline)?))?;
    let mut buffer = [0; 4096];
    let count = stream.read(&mut buffer)?;
    bytes.extend(&buffer[..count]);
    Ok(count > 0)
}

/// Returns the time until the deadline, which is not zero, or the error `TimedOut`.
fn remaining(deadline: Instant) -> io::Result<Duration> {
    deadline
        .checked_duration_since(Instant::now())
        .filter(|remaining| !remaining.is_zero())
        .ok_or_else(|| ErrorKind::TimedOut.into())
}

//! One HTTP probe, asked and judged as a kubelet does.

use std::io::{self, ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

/// What a kubelet makes of one probe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// 200 to 299.
    Success(u16),
    /// A success too: a redirect that was not followed.
    Warning(u16),
    /// Any other answer, or none, and why.
    Failure(String),
    /// An answer whose body breaks off counts neither way.
    Discarded,
}

const AGENT: &str = "kube-probe/1.34";
const MOST_REDIRECTS: usize = 10;
const MOST_OF_A_BODY: usize = 10 * 1024;

/// Asks, each time on a connection of its own; the time-out is for all of it, redirects included.
pub(crate) fn probe(address: SocketAddr, path: &str, timeout: Duration) -> Outcome {
    let deadline = Instant::now() + timeout;
    let mut address = address;
    let mut path = path.to_owned();
    for _ in 0..=MOST_REDIRECTS {
        let answer = match ask(address, &path, deadline) {
            Ok(answer) => answer,
            Err(error) => return Outcome::Failure(error.to_string()),
        };
        let is_redirect = matches!(answer.code, 301 | 302 | 303 | 307 | 308);
        match answer.location.as_deref().filter(|_| is_redirect) {
            Some(location) if location.starts_with('/') => path = location.to_owned(),
            Some(location) => match on_the_same_host(location, address) {
                Some(target) => (address, path) = target,
                None => return Outcome::Warning(answer.code),
            },
            None => return judge(&answer),
        }
    }
    Outcome::Failure(format!("stopped after {MOST_REDIRECTS} redirects"))
}

fn judge(answer: &Answer) -> Outcome {
    match answer.code {
        _ if answer.is_cut_off => Outcome::Discarded,
        code @ 200..300 => Outcome::Success(code),
        code @ 300..400 => Outcome::Warning(code),
        code => Outcome::Failure(format!("HTTP probe failed with statuscode: {code}")),
    }
}

/// Where an absolute URL leads, if it is to the same host; the port may be another.
fn on_the_same_host(location: &str, address: SocketAddr) -> Option<(SocketAddr, String)> {
    let rest = location.strip_prefix("http://")?;
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let target = authority.parse::<SocketAddr>();
    let target = target.ok().filter(|target| target.ip() == address.ip())?;
    Some((target, format!("/{}", path.trim_start_matches('/'))))
}

struct Answer {
    code: u16,
    location: Option<String>,
    is_cut_off: bool,
}

fn ask(address: SocketAddr, path: &str, deadline: Instant) -> io::Result<Answer> {
    let mut stream = TcpStream::connect_timeout(&address, left(deadline)?)?;
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
        let mut headers = head
            .lines()
            .skip(1)
            .filter_map(|line| line.split_once(": "));
        let (_, value) = headers.find(|(other, _)| other.eq_ignore_ascii_case(name))?;
        Some(value.to_owned())
    };
    let length = header("content-length").and_then(|length| length.parse().ok());
    let length: usize = length.unwrap_or(usize::MAX);
    let wanted = body_start + length.min(MOST_OF_A_BODY);
    let mut is_cut_off = false;
    while bytes.len() < wanted {
        match receive(&mut stream, &mut bytes, deadline) {
            Ok(true) => {}
            end => {
                is_cut_off = end.is_err() || length != usize::MAX;
                break;
            }
        }
    }
    let code = head
        .split_whitespace()
        .nth(1)
        .and_then(|code| code.parse().ok());
    Ok(Answer {
        code: code.ok_or(ErrorKind::InvalidData)?,
        location: header("location"),
        is_cut_off,
    })
}

/// Whether anything came before the end.
fn receive(stream: &mut TcpStream, bytes: &mut Vec<u8>, deadline: Instant) -> io::Result<bool> {
    stream.set_read_timeout(Some(left(deadline)?))?;
    let mut buffer = [0; 4096];
    let count = stream.read(&mut buffer)?;
    bytes.extend(&buffer[..count]);
    Ok(count > 0)
}

/// The time there is, or the error that there is none.
fn left(deadline: Instant) -> io::Result<Duration> {
    let left = deadline.checked_duration_since(Instant::now());
    let left = left.filter(|left| !left.is_zero());
    left.ok_or_else(|| ErrorKind::TimedOut.into())
}

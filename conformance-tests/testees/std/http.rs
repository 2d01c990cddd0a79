//! The part of HTTP/1.1 that a health endpoint needs, on the standard library.

use std::io::{self, BufRead, BufReader, Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

/// Longer than the head of any poller's request.
const HEAD_LIMIT: u64 = 64 * 1024;

/// Limit for an idle connection.
const IDLE_LIMIT: Duration = Duration::from_secs(75);

/// Limits for reading the rest of a request after the response.
const REST_LIMIT: u64 = 1024 * 1024;
const REST_TIME: Duration = Duration::from_secs(1);

/// The head of a request.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) version: String,
    /// Names in lower case, and values.
    headers: Vec<(String, String)>,
}

impl Request {
    /// Reads a request. Returns `None` if the client has disconnected or sent something else.
    pub(crate) fn read(reader: &mut impl BufRead) -> io::Result<Option<Self>> {
        let mut head = reader.take(HEAD_LIMIT).split(b'\n');
        let mut line = || match head.next().transpose()? {
            // A query may contain bytes that are not UTF-8 (H5).
            Some(line) => Ok(Some(String::from_utf8_lossy(line.trim_ascii_end()).into_owned())),
            None => Ok::<_, io::Error>(None),
        };
        let Some(first) = line()? else {
            return Ok(None);
        };
        let mut headers = Vec::new();
        loop {
            match line()?.as_deref() {
                None => return Ok(None),
                Some("") => break,
                Some(header) => {
                    let (name, value) = header.split_once(':').unwrap_or((header, ""));
                    headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
                }
            }
        }
        let words: Vec<_> = first.split(' ').collect();
        Ok(match words[..] {
            [method, target, version] => Some(Self {
                method: method.to_owned(),
                target: target.to_owned(),
                version: version.to_owned(),
                headers,
            }),
            _ => None,
        })
    }

    /// The first value of a header. `name` is in lower case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        let header = headers.find(|(header, _)| header == name)?;
        Some(&header.1)
    }

    pub(crate) fn headers(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes()))
    }

    /// Whether a body follows. It is not read (H2), so no request can follow it on its connection.
    pub(crate) fn has_body(&self) -> bool {
        self.header("content-length").is_some_and(|length| length != "0")
            || self.header("transfer-encoding").is_some()
    }

    /// Whether the client can send another request on its connection.
    pub(crate) fn keeps_connection(&self) -> bool {
        let connection = self.header("connection").unwrap_or_default();
        self.version == "HTTP/1.1" && !connection.eq_ignore_ascii_case("close") && !self.has_body()
    }
}

/// Serves each connection on a thread, as long as the listener accepts.
pub(crate) fn serve(
    listener: &TcpListener,
    answer: impl Fn(&Request) -> Vec<u8> + Send + Sync + 'static,
) {
    let answer = Arc::new(answer);
    for stream in listener.incoming().flatten() {
        let answer = answer.clone();
        // An error affects only this client.
        let _ = thread::Builder::new().spawn(move || converse(&stream, &*answer));
    }
}

/// Responds to the requests of one connection, in order.
fn converse(mut stream: &TcpStream, answer: &dyn Fn(&Request) -> Vec<u8>) -> io::Result<()> {
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(IDLE_LIMIT))?;
    let mut reader = BufReader::new(stream);
    while let Some(request) = Request::read(&mut reader)? {
        stream.write_all(&answer(&request))?;
        if !request.keeps_connection() {
            break;
        }
    }
    close(stream)
}

/// Unread bytes would reset the connection before the response arrives.
pub(crate) fn close(stream: &TcpStream) -> io::Result<()> {
    stream.shutdown(Shutdown::Write)?;
    stream.set_read_timeout(Some(REST_TIME))?;
    io::copy(&mut stream.take(REST_LIMIT), &mut io::sink()).map(drop)
}

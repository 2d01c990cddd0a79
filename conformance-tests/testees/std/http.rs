//! HTTP/1.1 on the standard library alone, as much of it as a health endpoint needs.

use std::io::{self, BufRead, BufReader, Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

/// More than any head that a poller sends.
const HEAD_LIMIT: u64 = 64 * 1024;

/// How long a client may keep a connection without a word.
const IDLE_LIMIT: Duration = Duration::from_secs(75);

/// What a client may still send when its answer is out, and how long it is waited for.
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
    /// Reads one; `None` when the client has gone, or sent what is no request.
    pub(crate) fn read(reader: &mut impl BufRead) -> io::Result<Option<Self>> {
        let mut head = reader.take(HEAD_LIMIT).split(b'\n');
        let mut line = || match head.next().transpose()? {
            // Bytes that are no UTF-8 may stand in a query (H5).
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

/// Answers each connection on its own thread, for as long as the listener accepts.
pub(crate) fn serve(
    listener: &TcpListener,
    answer: impl Fn(&Request) -> Vec<u8> + Send + Sync + 'static,
) {
    let answer = Arc::new(answer);
    for stream in listener.incoming().flatten() {
        let answer = answer.clone();
        // A client that has gone, or finds no thread, is its own loss alone.
        let _ = thread::Builder::new().spawn(move || converse(&stream, &*answer));
    }
}

/// Answers the requests of one connection, in their order.
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

/// Bytes that are left unread would reset the connection before the answer arrives.
pub(crate) fn close(stream: &TcpStream) -> io::Result<()> {
    stream.shutdown(Shutdown::Write)?;
    stream.set_read_timeout(Some(REST_TIME))?;
    io::copy(&mut stream.take(REST_LIMIT), &mut io::sink()).map(drop)
}

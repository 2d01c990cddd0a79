//! HTTP/1.1 on the standard library alone, as much of it as a health endpoint needs.

use std::io::{self, BufRead, Read as _};
use std::net::{Shutdown, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use health_core::path_and_query;

/// What a client may still send when its response is out, and how long it is waited for.
const REST_LIMIT: u64 = 1024 * 1024;
const REST_TIME: Duration = Duration::from_secs(1);

/// A request, and the connection on which it came.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) version: String,
    /// Names in lower case, and values.
    headers: Vec<(String, String)>,
    /// Only with a fault: what was read of the body.
    pub(crate) body: String,
    /// The number of the connection, and that of the request on it.
    pub(crate) connection: usize,
    pub(crate) number: usize,
    stream: Arc<TcpStream>,
}

impl Request {
    /// Reads one; `None` when the client has gone, or sent what is no request.
    pub(crate) fn read(
        reader: &mut impl BufRead,
        stream: &Arc<TcpStream>,
    ) -> io::Result<Option<Self>> {
        let mut line = || {
            let mut line = Vec::new();
            reader.read_until(b'\n', &mut line)?;
            let is_whole = line.ends_with(b"\n");
            // Bytes that are no UTF-8 may stand in a query (H5).
            let line = String::from_utf8_lossy(line.trim_ascii_end()).into_owned();
            Ok::<_, io::Error>(is_whole.then_some(line))
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
        let words: Vec<_> = first.split(' ').map(str::to_owned).collect();
        let Ok([method, target, version]) = <[String; 3]>::try_from(words) else {
            return Ok(None);
        };
        Ok(Some(Self {
            method,
            target,
            version,
            headers,
            body: String::new(),
            connection: 0,
            number: 0,
            stream: stream.clone(),
        }))
    }

    /// The first value of a header. `name` is in lower case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        let header = headers.find(|(header, _)| header == name)?;
        Some(&header.1)
    }

    /// Changes each value of a header.
    pub(crate) fn edit_header(&mut self, name: &str, edit: impl Fn(&str) -> String) {
        for (_, value) in self.headers.iter_mut().filter(|(header, _)| header == name) {
            *value = edit(value);
        }
    }

    /// Keeps the first lines of a header.
    pub(crate) fn keep_lines(&mut self, name: &str, kept: usize) {
        let mut lines = 0..kept;
        self.headers.retain(|(header, _)| header != name || lines.next().is_some());
    }

    /// Keeps the last line of a header.
    pub(crate) fn keep_last(&mut self, name: &str) {
        let count = self.headers.iter().filter(|(header, _)| header == name).count();
        let mut lines = (0..count).rev();
        self.headers.retain(|(header, _)| header != name || lines.next() == Some(0));
    }

    pub(crate) fn headers(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes()))
    }

    /// Whether a body follows. It is not read (H2), so no request can follow it on its connection.
    pub(crate) fn has_body(&self) -> bool {
        self.header("content-length").is_some_and(|length| length != "0") || self.is_chunked()
    }

    pub(crate) fn is_chunked(&self) -> bool {
        self.header("transfer-encoding").is_some()
    }

    /// Whether the client can send another request on its connection.
    pub(crate) fn keeps_connection(&self) -> bool {
        let connection = self.header("connection").unwrap_or_default();
        self.version == "HTTP/1.1" && !connection.eq_ignore_ascii_case("close") && !self.has_body()
    }

    pub(crate) fn path(&self) -> &str {
        path_and_query(&self.target).0
    }

    pub(crate) fn query(&self) -> &str {
        path_and_query(&self.target).1
    }

    pub(crate) fn set_path(&mut self, path: &str) {
        self.target = if self.target.contains('?') {
            format!("{path}?{}", self.query())
        } else {
            path.to_owned()
        };
    }

    pub(crate) fn set_query(&mut self, query: &str) {
        self.target = format!("{}?{query}", self.path());
    }

    /// Whether it requests checks, in the way of almost every scenario.
    pub(crate) fn asks(&self) -> bool {
        self.query() == "checks=all"
    }

    /// The same, with `checks=all`.
    pub(crate) fn asking(&self) -> Self {
        let mut asking = self.clone();
        asking.set_query("checks=all");
        asking
    }

    /// Whether the client closes the connection, or its sending side, within a moment after its request.
    pub(crate) fn has_left(&self) -> bool {
        thread::sleep(Duration::from_millis(5));
        let _ = self.stream.set_nonblocking(true);
        let has_left = match self.stream.peek(&mut [0]) {
            Ok(count) => count == 0,
            Err(error) => error.kind() != io::ErrorKind::WouldBlock,
        };
        let _ = self.stream.set_nonblocking(false);
        has_left
    }

    /// Waits until the client leaves. Returns whether it did, and did not send more.
    pub(crate) fn wait_for_leave(&self) -> bool {
        !matches!(self.stream.peek(&mut [0]), Ok(1..))
    }
}

/// Bytes that are left unread would reset the connection before the response arrives.
pub(crate) fn close(stream: &TcpStream) -> io::Result<()> {
    stream.shutdown(Shutdown::Write)?;
    stream.set_read_timeout(Some(REST_TIME))?;
    io::copy(&mut stream.take(REST_LIMIT), &mut io::sink()).map(drop)
}

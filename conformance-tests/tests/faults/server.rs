//! An HTTP server for the endpoint, with room for one fault of its own.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use health_conformance::{Harness, Journal, Server, Setup, StartError};

use crate::endpoint::{Answer, Endpoint};
use crate::fault::Fault;
use crate::http::{Request, close};

/// How long a server with a fault waits for a body.
const BODY_TIME: Duration = Duration::from_secs(30);

/// Servers with one fault, or none.
pub(crate) struct Faulty(pub(crate) Option<Fault>);

impl Harness for Faulty {
    fn start(&self, setup: &Setup, journal: &Journal) -> Result<Server, StartError> {
        let endpoint = Endpoint::new(self.0, setup, journal).map_err(StartError::Refused)?;
        let failed = |error: io::Error| StartError::Failed(error.to_string());
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let host = Arc::new(Host {
            endpoint,
            address,
            has_ended: AtomicBool::new(false),
            connections: AtomicUsize::new(0),
        });
        let serving = host.clone();
        thread::spawn(move || serving.serve(&listener));
        let told = host.clone();
        let server = Server::new(address, move || host.end());
        Ok(server.with_commands(move |command| {
            told.endpoint.apply(command);
            Ok(())
        }))
    }
}

struct Host {
    endpoint: Endpoint,
    address: std::net::SocketAddr,
    has_ended: AtomicBool,
    connections: AtomicUsize,
}

impl Host {
    fn has(&self, fault: Fault) -> bool {
        self.endpoint.has(fault)
    }

    /// Ends the server: its listener is closed when the next connection comes, which is made here.
    fn end(&self) {
        self.has_ended.store(true, Ordering::Relaxed);
        self.endpoint.runs.clock().end();
        let _ = TcpStream::connect(self.address);
    }

    fn serve(self: Arc<Self>, listener: &TcpListener) {
        for stream in listener.incoming().flatten() {
            if self.has_ended.load(Ordering::Relaxed) {
                break;
            }
            let host = self.clone();
            let converse = move || {
                let others = host.connections.fetch_add(1, Ordering::Relaxed);
                if !(host.has(Fault::CrowdRefused) && others >= 64) {
                    let ending = host.converse(&stream);
                    if ending.is_err() && host.has(Fault::EndsWithoutReader) {
                        host.end();
                    }
                }
                host.connections.fetch_sub(1, Ordering::Relaxed);
            };
            if self.has(Fault::OneAtATime) {
                converse();
            } else {
                thread::spawn(converse);
            }
        }
    }

    fn converse(&self, mut stream: &TcpStream) -> io::Result<()> {
        stream.set_nodelay(true)?;
        let mut reader = BufReader::new(stream);
        let mut first: Option<Answer> = None;
        let mut target: Option<String> = None;
        loop {
            if self.has(Fault::PipelineDropped) {
                reader = BufReader::new(stream);
            }
            if self.has(Fault::PiecesRefused) && reader.buffer().is_empty() {
                let mut start = [0; 16 * 1024];
                let count = stream.peek(&mut start)?;
                let is_whole = start[..count].windows(4).any(|bytes| bytes == b"\r\n\r\n");
                if !is_whole {
                    return Ok(());
                }
            }
            let has_begun = !reader.buffer().is_empty() || stream.peek(&mut [0])? > 0;
            let Some(mut request) = Request::read(&mut reader)? else {
                if has_begun && self.has(Fault::EndsWithHalfARequest) {
                    self.end();
                }
                return Ok(());
            };
            if self.has(Fault::EndpointOfTheConnection) {
                request.target = target.get_or_insert(request.target).clone();
            }
            let is_raw = |c: char| match self.endpoint.fault {
                Some(Fault::EndsWithRawByte) => c == '\u{fffd}',
                Some(Fault::EndsWithRawControl) => c.is_control(),
                _ => false,
            };
            if request.target.contains(is_raw) {
                self.end();
                return Ok(());
            }
            if self.has(Fault::RunEndsWithItsAsker) {
                self.watch(stream.try_clone()?);
            }
            let form = self.body(&request, stream, &mut reader)?;
            let answer = match (&first, self.endpoint.fault) {
                (Some(first), Some(Fault::StateOfTheConnection)) => first.clone(),
                _ => match self.endpoint.answer(&request, &form, first.is_none()) {
                    Some(answer) => answer,
                    None => return Ok(()),
                },
            };
            if self.has(Fault::LeavingPoisonsChecks) && has_left(stream) {
                self.endpoint.poison();
            }
            first.get_or_insert_with(|| answer.clone());
            let bytes = bytes(&answer, self.keeps(&request));
            if self.has(Fault::HalfAnswerToHalfClosed) && has_left(stream) {
                return stream.write_all(&bytes[..bytes.len() / 2]);
            }
            stream.write_all(&bytes)?;
            if !self.keeps(&request) {
                return close(stream);
            }
            if self.has(Fault::ChunksTakenForRequest) && request.has_body() {
                // The size of the first chunk.
                reader.read_line(&mut String::new())?;
            }
        }
    }

    /// Ends the run that is under way when the client leaves.
    fn watch(&self, stream: TcpStream) {
        let checks = self.endpoint.runs.clone();
        thread::spawn(move || {
            if !matches!(stream.peek(&mut [0]), Ok(1..)) {
                checks.cancel();
            }
        });
    }

    fn keeps(&self, request: &Request) -> bool {
        let is_chunked = request.header("transfer-encoding").is_some();
        match self.endpoint.fault {
            Some(Fault::CloseIgnored) => !request.has_body(),
            Some(Fault::ConnectionNotKept) => false,
            Some(Fault::BodyTakenForRequest) if request.has_body() && !is_chunked => true,
            Some(Fault::ChunksTakenForRequest) if is_chunked => true,
            _ => request.keeps_connection(),
        }
    }

    /// Reads the body where a fault wants it.
    fn body(
        &self,
        request: &Request,
        mut stream: &TcpStream,
        reader: &mut BufReader<&TcpStream>,
    ) -> io::Result<String> {
        let waits = match self.endpoint.fault {
            Some(Fault::FormIsRead) => request.header("content-type").is_some(),
            Some(Fault::BodyIsAwaited) => request.header("expect").is_none(),
            Some(Fault::ContinueAndWait) => request.header("expect").is_some(),
            _ => false,
        };
        let length = request.header("content-length").unwrap_or_default();
        let Some(length) = length.parse().ok().filter(|_| waits) else {
            return Ok(String::new());
        };
        if request.header("expect").is_some() {
            stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
        }
        stream.set_read_timeout(Some(BODY_TIME))?;
        let mut body = vec![0; length];
        reader.read_exact(&mut body)?;
        let body = String::from_utf8_lossy(&body).into_owned();
        Ok(match self.has(Fault::FormIsRead) {
            true => body,
            false => String::new(),
        })
    }
}

/// Whether the client has closed the connection, or its sending side, a moment after its request.
fn has_left(stream: &TcpStream) -> bool {
    thread::sleep(Duration::from_millis(5));
    let _ = stream.set_nonblocking(true);
    let has_left = match stream.peek(&mut [0]) {
        Ok(count) => count == 0,
        Err(error) => error.kind() != io::ErrorKind::WouldBlock,
    };
    let _ = stream.set_nonblocking(false);
    has_left
}

fn bytes(answer: &Answer, keeps: bool) -> Vec<u8> {
    let connection = if keeps { "keep-alive" } else { "close" };
    let mut text = format!(
        "HTTP/1.1 {} {}\r\nconnection: {connection}\r\n",
        answer.status, answer.reason
    );
    for (name, value) in &answer.headers {
        text += &format!("{name}: {value}\r\n");
    }
    text += "\r\n";
    text += &answer.body;
    text.into_bytes()
}

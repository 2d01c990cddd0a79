//! The server around a correct response, and faults of its connections.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::thread;
use std::time::Duration;

use health_conformance::{Harness, Journal, Line, Server, Setup, StartError};

use crate::correct::{Answer, Correct, Record};
use crate::fault::{Decoration, Ending, Fault, Wire};
use crate::http::{Request, close};

/// How long a server with a fault waits for a body.
const BODY_TIME: Duration = Duration::from_secs(30);

/// Servers with one fault, or none.
pub(crate) struct Faulty(pub(crate) Option<&'static Fault>);

impl Harness for Faulty {
    fn start(&self, setup: &Setup, journal: &Journal) -> Result<Server, StartError> {
        let decoration = self.0.map(|fault| (fault.decorate)()).unwrap_or_default();
        (decoration.refuse)(setup).map_err(StartError::Refused)?;
        let mut setup = setup.clone();
        (decoration.setup)(&mut setup);
        let (correct, mut records) = Correct::new(&setup, journal).map_err(StartError::Refused)?;
        (decoration.records)(&mut records);
        print(journal, records);
        let failed = |error: io::Error| StartError::Failed(error.to_string());
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let host = Arc::new(Host {
            correct,
            decoration,
            address,
            has_ended: AtomicBool::new(false),
            connections: AtomicUsize::new(0),
            opened: AtomicUsize::new(0),
        });
        let (serving, told) = (host.clone(), host.clone());
        thread::spawn(move || serving.serve(&listener));
        let server = Server::new(address, move || host.end());
        Ok(server.with_commands(move |command| {
            (told.decoration.command)(command, &told.correct);
            Ok(())
        }))
    }
}

fn print(journal: &Journal, records: Vec<Record>) {
    for Record { level, text } in records {
        journal.record(Line::Log { level, text });
    }
}

struct Host {
    correct: Correct,
    decoration: Decoration,
    address: SocketAddr,
    has_ended: AtomicBool,
    connections: AtomicUsize,
    opened: AtomicUsize,
}

impl Host {
    fn has(&self, wire: Wire) -> bool {
        self.decoration.wire == Some(wire)
    }

    /// Ends the server: its listener is closed when the next connection comes, which is made here.
    fn end(&self) {
        self.has_ended.store(true, Relaxed);
        let _ = TcpStream::connect(self.address);
    }

    fn serve(self: Arc<Self>, listener: &TcpListener) {
        for stream in listener.incoming().flatten() {
            if self.has_ended.load(Relaxed) {
                break;
            }
            let host = self.clone();
            let converse = move || {
                let others = host.connections.fetch_add(1, Relaxed);
                if !(host.has(Wire::RefusesCrowds) && others >= 64) {
                    let ending = host.converse(&Arc::new(stream));
                    if ending.is_err() && host.has(Wire::EndsWithoutReader) {
                        host.end();
                    }
                }
                host.connections.fetch_sub(1, Relaxed);
            };
            if self.has(Wire::OneAtATime) {
                converse();
            } else {
                thread::spawn(converse);
            }
        }
    }

    fn converse(&self, stream: &Arc<TcpStream>) -> io::Result<()> {
        stream.set_nodelay(true)?;
        let connection = self.opened.fetch_add(1, Relaxed);
        let mut reader = BufReader::new(&**stream);
        for number in 0.. {
            if self.has(Wire::DropsPipeline) {
                reader = BufReader::new(&**stream);
            }
            if self.has(Wire::RefusesPieces) && reader.buffer().is_empty() {
                let mut start = [0; 16 * 1024];
                let count = stream.peek(&mut start)?;
                let is_whole = start[..count].windows(4).any(|bytes| bytes == b"\r\n\r\n");
                if !is_whole {
                    return Ok(());
                }
            }
            let has_begun = !reader.buffer().is_empty() || stream.peek(&mut [0])? > 0;
            let Some(mut request) = Request::read(&mut reader, stream)? else {
                if has_begun && self.has(Wire::EndsWithHalfARequest) {
                    self.end();
                }
                return Ok(());
            };
            (request.connection, request.number) = (connection, number);
            if (self.decoration.reads_body)(&request) {
                request.body = read_body(&request, stream, &mut reader)?;
            }
            let mut answer = match (self.decoration.exchange)(&request, &self.correct) {
                Ok(answer) => answer,
                Err(Ending::Connection) => return Ok(()),
                Err(Ending::Server) => {
                    self.end();
                    return Ok(());
                }
            };
            (self.decoration.records)(&mut answer.records);
            let keeps = (self.decoration.keeps)(&request, request.keeps_connection());
            let (mut bytes, body) = answer.bytes(keeps);
            let head = bytes.len();
            bytes.extend(body);
            let Answer { is_cut, sent_first, closes, active, records, .. } = answer;
            print(&self.correct.journal, records);
            if is_cut {
                return (&**stream).write_all(&bytes[..bytes.len() / 2]);
            }
            let first = sent_first.map_or(bytes.len(), |count| bytes.len().min(head + count));
            (&**stream).write_all(&bytes[..first])?;
            if sent_first.is_some() {
                self.correct.finish();
                (&**stream).write_all(&bytes[first..])?;
            }
            drop(active);
            if !keeps || closes {
                return close(stream);
            }
            if self.has(Wire::SkipsChunkSize) && request.has_body() {
                reader.read_line(&mut String::new())?;
            }
        }
        Ok(())
    }
}

fn read_body(
    request: &Request,
    mut stream: &TcpStream,
    reader: &mut BufReader<&TcpStream>,
) -> io::Result<String> {
    let length = request.header("content-length").unwrap_or_default();
    let Ok(length) = length.parse() else {
        return Ok(String::new());
    };
    if request.header("expect").is_some() {
        stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
    }
    stream.set_read_timeout(Some(BODY_TIME))?;
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    Ok(String::from_utf8_lossy(&body).into_owned())
}

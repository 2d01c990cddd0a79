//! The testee protocol: a server in any language, started as a program.

use std::ffi::OsStr;
use std::io::{BufRead as _, BufReader, Read as _};
use std::net::SocketAddr;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::given::Given;
use crate::harness::{Harness, Server, StartError};
use crate::journal::{Journal, Line};

/// How long a program may take to print READY.
const START_LIMIT: Duration = Duration::from_secs(20);
/// How long a program may take to end once its standard input is closed.
const STOP_LIMIT: Duration = Duration::from_secs(3);

/// A program that speaks the testee protocol.
#[derive(Debug, Clone)]
pub struct Program {
    path: String,
    arguments: Vec<String>,
}

impl Program {
    /// Reads a command such as `target/debug/examples/axum_testee`, split into words as a shell does.
    ///
    /// `None` when there is no word, or a quote is not closed.
    pub fn parse(command: &str) -> Option<Self> {
        let mut words = shlex::split(command)?.into_iter();
        Some(Self {
            path: words.next()?,
            arguments: words.collect(),
        })
    }
}

impl Harness for Program {
    fn start(&self, given: &Given, journal: &Journal) -> Result<Server, StartError> {
        let given = serde_json::to_string(given)
            .map_err(|error| StartError::Failed(format!("cannot write HEALTH_GIVEN: {error}")))?;
        let mut running = Running::spawn(self, OsStr::new(&given))?;
        let address = running.wait_until_ready(journal)?;
        Ok(Server::new(address, move || running.stop()))
    }

    /// What the testee protocol allows.
    fn patience(&self) -> Duration {
        Duration::from_millis(500)
    }
}

/// A process, ended at the latest when this is dropped.
struct Running {
    child: Child,
    input: Option<ChildStdin>,
    errors: Option<JoinHandle<String>>,
}

impl Running {
    fn spawn(program: &Program, given: &OsStr) -> Result<Self, StartError> {
        let mut child = Command::new(&program.path)
            .args(&program.arguments)
            .env("HEALTH_GIVEN", given)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| StartError::Failed(format!("cannot run {}: {error}", program.path)))?;
        let input = child.stdin.take();
        let errors = child.stderr.take().map(|mut errors| {
            thread::spawn(move || {
                let mut bytes = Vec::new();
                // What was read before an error is worth showing.
                let _ = errors.read_to_end(&mut bytes);
                String::from_utf8_lossy(&bytes).into_owned()
            })
        });
        Ok(Self {
            child,
            input,
            errors,
        })
    }

    fn wait_until_ready(&mut self, journal: &Journal) -> Result<SocketAddr, StartError> {
        let (ready, readiness) = mpsc::channel();
        if let Some(output) = self.child.stdout.take() {
            let journal = journal.clone();
            thread::spawn(move || {
                for line in BufReader::new(output).split(b'\n').map_while(Result::ok) {
                    let line = String::from_utf8_lossy(&line);
                    if let Some(url) = line.trim_end_matches('\r').strip_prefix("READY ") {
                        // Nobody waits for a second READY.
                        let _ = ready.send(url.to_owned());
                    } else if let Some(line) = Line::parse(line.trim_end_matches('\r')) {
                        journal.record(line);
                    }
                }
            });
        }
        match readiness.recv_timeout(START_LIMIT) {
            Ok(url) => address(&url)
                .ok_or_else(|| StartError::Failed(format!("READY with the odd address {url:?}"))),
            Err(RecvTimeoutError::Timeout) => Err(StartError::Failed(format!(
                "no READY within {} s",
                START_LIMIT.as_secs()
            ))),
            Err(RecvTimeoutError::Disconnected) => Err(self.how_it_ended()),
        }
    }

    /// The program closed its output without READY: H11 wants an error message and a non-zero code.
    fn how_it_ended(&mut self) -> StartError {
        let status = self.wait(STOP_LIMIT);
        if status.is_none() {
            self.kill();
        }
        let errors = self.errors.take().map(JoinHandle::join);
        let message = errors.and_then(Result::ok).unwrap_or_default();
        let message = message.trim().to_owned();
        match status {
            Some(status) if status.success() => {
                StartError::Failed("ended with code 0 before READY".to_owned())
            }
            Some(status) if status.code().is_none() || message.is_empty() => {
                StartError::Failed(format!("ended before READY ({status}): {message:?}"))
            }
            Some(_) => StartError::Refused(message),
            None => StartError::Failed("closed its output before READY, and ran on".to_owned()),
        }
    }

    fn wait(&mut self, limit: Duration) -> Option<ExitStatus> {
        let start = Instant::now();
        loop {
            match self.child.try_wait() {
                Ok(None) if start.elapsed() < limit => thread::sleep(Duration::from_millis(5)),
                Ok(status) => return status,
                Err(_) => return None,
            }
        }
    }

    fn kill(&mut self) {
        // It may have ended by itself in the meantime.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    fn stop(mut self) {
        self.input.take();
        if self.wait(STOP_LIMIT).is_none() {
            self.kill();
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.kill();
    }
}

fn address(url: &str) -> Option<SocketAddr> {
    url.strip_prefix("http://")?.parse().ok()
}

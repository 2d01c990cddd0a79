//! The testee protocol: starts a server in any language as a program.

use std::ffi::OsStr;
use std::io::{self, BufRead as _, BufReader, Read, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::scenario::command::Command as Told;
use crate::setup::Setup;
use crate::target::journal::{Journal, Line};
use crate::target::{Harness, Server, StartError};

/// The levels of the records that a program prints.
const LEVELS: [&str; 3] = ["INFO", "WARN", "ERROR"];

/// Limit for a program to print READY.
const START_LIMIT: Duration = Duration::from_secs(60);
/// Limit for a command to take effect.
const COMMAND_LIMIT: Duration = Duration::from_secs(10);
/// Default limit for a program to exit after its standard input closes.
const STOP_LIMIT: Duration = Duration::from_secs(10);
/// Limit for a program to exit after it has closed its output before READY.
const FAILED_START_LIMIT: Duration = Duration::from_secs(3);
/// Limit for a program to exit after it has dropped a connection.
const ENDING_LIMIT: Duration = Duration::from_millis(200);
/// Interval of polls for the end of a process.
const POLL: Duration = Duration::from_millis(5);
/// Maximum length of a line on standard output in bytes: more than any record of the suite's checks.
const LINE_LIMIT: u64 = 1 << 20;
/// Maximum number of characters of a line in a message.
const SHOWN: usize = 200;
/// Maximum number of bytes of standard error that are kept.
const ERRORS_LIMIT: usize = 64 * 1024;

/// A program that speaks the testee protocol.
#[derive(Debug, Clone)]
pub struct Program {
    path: String,
    arguments: Vec<String>,
    stop_timeout: Duration,
}

impl Program {
    /// Parses a command such as `target/debug/examples/axum_testee`, split into words as in a shell.
    ///
    /// Returns `None` if there is no word or a quote is not closed.
    pub fn parse(command: &str) -> Option<Self> {
        let mut words = shlex::split(command)?.into_iter();
        Some(Self { path: words.next()?, arguments: words.collect(), stop_timeout: STOP_LIMIT })
    }

    /// Sets the limit for the program to exit after its standard input closes. Default: 10 seconds.
    #[must_use]
    pub fn with_stop_timeout(mut self, stop_timeout: Duration) -> Self {
        self.stop_timeout = stop_timeout;
        self
    }
}

impl Harness for Program {
    fn start(&self, setup: &Setup, journal: &Journal) -> Result<Server, StartError> {
        let setup = serde_json::to_string(setup)
            .map_err(|error| StartError::Failed(format!("cannot write HEALTH_SETUP: {error}")))?;
        let mut running = Running::spawn(self, OsStr::new(&setup))?;
        let address = running.wait_until_ready(journal)?;
        if listens_elsewhere(address) {
            let expected = "the server listens on 127.0.0.1 only";
            journal
                .record_breach(expected, "it also listens on 127.0.0.2, probably on all addresses");
        }
        let running = Arc::new(Mutex::new(running));
        let (watched, told) = (running.clone(), running.clone());
        let (limit, journal) = (self.stop_timeout, journal.clone());
        let server = Server::new(address, move || lock(&running).stop(limit, &journal));
        let server = server.with_ending(move || lock(&watched).ending());
        Ok(server.with_commands(move |command| lock(&told).command(command)))
    }

    /// The 500 ms that the testee protocol allows, and some more for the transport.
    fn patience(&self) -> Duration {
        Duration::from_millis(750)
    }
}

/// A process, which is killed on drop.
struct Running {
    child: Child,
    input: Option<ChildStdin>,
    /// A message for each DONE.
    done: Option<Receiver<()>>,
    /// Number of commands without a DONE.
    told: Arc<AtomicUsize>,
    errors: Errors,
}

/// The standard error of the program so far.
struct Errors {
    text: Arc<Mutex<Vec<u8>>>,
    reader: JoinHandle<()>,
}

impl Errors {
    fn read(mut stream: impl Read + Send + 'static) -> Self {
        let text = Arc::<Mutex<Vec<u8>>>::default();
        let kept = text.clone();
        let reader = thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(count @ 1..) = stream.read(&mut buffer) {
                let mut kept = lock(&kept);
                let room = ERRORS_LIMIT.saturating_sub(kept.len());
                kept.extend_from_slice(&buffer[..count.min(room)]);
            }
        });
        Self { text, reader }
    }

    /// All of it, or what has arrived after `limit` if a child of the program keeps the stream open.
    fn wait(&self, limit: Duration) -> String {
        let start = Instant::now();
        while !self.reader.is_finished() && start.elapsed() < limit {
            thread::sleep(POLL);
        }
        let text = lock(&self.text);
        String::from_utf8_lossy(&text).trim().to_owned()
    }
}

impl Running {
    fn spawn(program: &Program, setup: &OsStr) -> Result<Self, StartError> {
        let mut command = Command::new(&program.path);
        command
            .args(&program.arguments)
            .env("HEALTH_SETUP", setup)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        // Only HEALTH_SETUP defines settings, not the environment of this process.
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("HEALTHCHECK_") {
                command.env_remove(name);
            }
        }
        own_group(&mut command);
        let mut child = command
            .spawn()
            .map_err(|error| StartError::Failed(format!("cannot run {}: {error}", program.path)))?;
        let input = child.stdin.take();
        let errors = match child.stderr.take() {
            Some(stream) => Errors::read(stream),
            None => Errors::read(io::empty()),
        };
        Ok(Self { child, input, done: None, told: Arc::default(), errors })
    }

    fn wait_until_ready(&mut self, journal: &Journal) -> Result<SocketAddr, StartError> {
        let (ready, readiness) = mpsc::channel();
        let (tell_done, done) = mpsc::channel();
        self.done = Some(done);
        let last_line = Arc::<Mutex<String>>::default();
        if let Some(output) = self.child.stdout.take() {
            let journal = journal.clone();
            let last_line = last_line.clone();
            let told = self.told.clone();
            thread::spawn(move || {
                let mut output = BufReader::new(output);
                let mut bytes = Vec::new();
                let mut is_ready = false;
                // A line that is too long becomes several lines.
                while let Ok(1..) = (&mut output).take(LINE_LIMIT).read_until(b'\n', &mut bytes) {
                    let line = String::from_utf8_lossy(&bytes).into_owned();
                    let line = line.trim_end_matches(['\r', '\n']);
                    bytes.clear();
                    if let Some(url) = line.strip_prefix("READY ") {
                        if is_ready {
                            journal.record_breach("one READY line", "a second READY line");
                        }
                        is_ready = true;
                        // The suite may have timed out.
                        let _ = ready.send(url.to_owned());
                    } else if line == "DONE" {
                        let commands =
                            told.fetch_update(Relaxed, Relaxed, |left| left.checked_sub(1));
                        if commands.is_err() {
                            let expected = "one DONE line for each command";
                            journal.record_breach(expected, "a DONE without a command");
                        }
                        // A command that timed out does not wait.
                        let _ = tell_done.send(());
                    } else if let Some(line) = Line::parse(line) {
                        if let Line::Log { level, .. } = &line {
                            if !LEVELS.contains(&level.as_str()) {
                                let got = line.to_string().chars().take(SHOWN).collect::<String>();
                                journal.record_breach("LOG INFO, LOG WARN or LOG ERROR", got);
                            }
                        }
                        journal.record(line);
                    } else {
                        *lock(&last_line) = line.chars().take(SHOWN).collect();
                    }
                }
            });
        }
        match readiness.recv_timeout(START_LIMIT) {
            Ok(url) => address(&url).ok_or_else(|| {
                StartError::Failed(format!(
                    "READY with the address {url:?} instead of READY http://127.0.0.1:PORT"
                ))
            }),
            Err(RecvTimeoutError::Timeout) => Err(StartError::Failed(format!(
                "no READY http://127.0.0.1:PORT within {} s; last line: {:?}; standard error: {:?}",
                START_LIMIT.as_secs(),
                lock(&last_line),
                self.errors.wait(Duration::ZERO)
            ))),
            Err(RecvTimeoutError::Disconnected) => Err(self.how_it_ended()),
        }
    }

    /// The program closed its output without READY. A rejected setting needs an error message and a non-zero exit code (H11).
    fn how_it_ended(&mut self) -> StartError {
        let status = self.wait(FAILED_START_LIMIT);
        let message = self.errors.wait(FAILED_START_LIMIT);
        match status {
            Some(status) if status.code().is_some_and(|code| code != 0) && !message.is_empty() => {
                StartError::Refused(message)
            }
            Some(status) => StartError::Failed(format!(
                "ended before READY ({status}); standard error: {message:?}"
            )),
            None => StartError::Failed(format!(
                "closed its output before READY without exiting; standard error: {message:?}"
            )),
        }
    }

    /// Sends a command to the program, and waits until it took effect.
    fn command(&mut self, command: &Told) -> Result<(), String> {
        let (Some(input), Some(done)) = (&mut self.input, &self.done) else {
            return Err("the program was stopped".to_owned());
        };
        self.told.fetch_add(1, Relaxed);
        writeln!(input, "{command}")
            .map_err(|error| format!("cannot send the command: {error}"))?;
        match done.recv_timeout(COMMAND_LIMIT) {
            Ok(()) => Ok(()),
            Err(RecvTimeoutError::Timeout) => {
                let seconds = COMMAND_LIMIT.as_secs();
                Err(format!("no DONE on standard output within {seconds} s"))
            }
            Err(RecvTimeoutError::Disconnected) => {
                let ending = self.ending();
                Err(ending.unwrap_or_else(|| "the program closed its output".to_owned()))
            }
        }
    }

    fn wait(&mut self, limit: Duration) -> Option<ExitStatus> {
        let start = Instant::now();
        loop {
            match self.child.try_wait() {
                Ok(None) if start.elapsed() < limit => thread::sleep(POLL),
                Ok(status) => return status,
                Err(_) => return None,
            }
        }
    }

    /// Kills the program and its children.
    fn kill(&mut self) {
        kill_group(&self.child);
        // It may have exited in the meantime.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// How the program has ended, if it has or is about to.
    fn ending(&mut self) -> Option<String> {
        let status = self.wait(ENDING_LIMIT)?;
        let errors = self.errors.wait(ENDING_LIMIT);
        Some(format!("the program ended ({status}); standard error: {errors:?}"))
    }

    /// Closes standard input, and waits for the program to exit.
    fn stop(&mut self, limit: Duration, journal: &Journal) {
        self.input.take();
        if self.wait(limit).is_none() {
            let seconds = limit.as_secs_f64();
            let expected =
                format!("the program ends within {seconds} s when its standard input closes");
            journal.record_breach(expected, "it did not exit and was killed");
        }
        self.kill();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.kill();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(unix)]
fn own_group(command: &mut Command) {
    use std::os::unix::process::CommandExt as _;

    command.process_group(0);
}

/// The id of the group is that of its first process. The system does not reuse it while the group has a member; without
/// members this has no effect.
#[cfg(unix)]
fn kill_group(child: &Child) {
    let group = i32::try_from(child.id()).ok();
    if let Some(group) = group.and_then(rustix::process::Pid::from_raw) {
        let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
    }
}

#[cfg(not(unix))]
fn own_group(_command: &mut Command) {}

#[cfg(not(unix))]
fn kill_group(_child: &Child) {}

/// Whether a server can be reached at another loopback address than 127.0.0.1.
fn listens_elsewhere(address: SocketAddr) -> bool {
    let elsewhere = SocketAddr::from(([127, 0, 0, 2], address.port()));
    TcpStream::connect_timeout(&elsewhere, ENDING_LIMIT).is_ok()
}

/// Parses the address of a READY line: 127.0.0.1 and a port.
fn address(url: &str) -> Option<SocketAddr> {
    let address: SocketAddr = url.strip_prefix("http://")?.parse().ok()?;
    let is_ours = address.ip() == Ipv4Addr::LOCALHOST && address.port() != 0;
    is_ours.then_some(address)
}

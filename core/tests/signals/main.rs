//! Signals start a drain, or end the process. Each test runs itself again in a separate process, and sends signals to
//! it.

#![cfg(any(unix, all(windows, feature = "tokio")))]
#![expect(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

#[cfg(windows)]
mod console;
#[cfg(unix)]
mod early;
#[cfg(target_os = "linux")]
mod first_process;
#[cfg(unix)]
mod running;

use std::env;
use std::future::Future;
#[cfg(target_os = "linux")]
use std::io::Write as _;
use std::io::{BufRead as _, BufReader, Lines};
use std::pin::pin;
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio, exit};
use std::thread;
use std::time::Duration;

use futures::FutureExt as _;
use futures::executor::block_on;
use futures::future::join;
use health_core::{Endpoint, Health, HealthConfig, Signals};

/// Set in the process that gets the signals.
const IS_SERVER: &str = "HEALTH_SIGNALS_SERVER";
/// Longer than any test.
const FOR_EVER: Duration = Duration::from_secs(3600);

/// The process, and the lines it prints.
struct Server {
    process: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Server {
    /// Runs the test of this name as `body` in a separate process. Returns `None` in that process, after `body`.
    fn start(test: &str, body: impl FnOnce()) -> Option<Self> {
        Self::start_by(Command::new(env::current_exe().unwrap()), test, body)
    }

    /// Like [`start`](Self::start); `command` runs this executable.
    fn start_by(mut command: Command, test: &str, body: impl FnOnce()) -> Option<Self> {
        if env::var_os(IS_SERVER).is_some() {
            body();
            return None;
        }
        #[cfg(windows)]
        console::give_own(&mut command);
        let mut process = command
            .args([test, "--exact", "--nocapture"])
            .env(IS_SERVER, "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        Some(Self { process, lines })
    }

    fn wait_for(&mut self, line: &str) {
        let mut lines = self.lines.by_ref().map(Result::unwrap);
        assert!(lines.any(|printed| printed.contains(line)), "it ended before {line:?}");
    }

    /// Sends a line to its standard input.
    #[cfg(target_os = "linux")]
    fn tell(&self, line: &str) {
        writeln!(self.process.stdin.as_ref().unwrap(), "{line}").unwrap();
    }

    /// The rest of what it prints.
    #[cfg(unix)]
    fn rest(&mut self) -> Vec<String> {
        self.lines.by_ref().map(Result::unwrap).collect()
    }

    fn status(mut self) -> ExitStatus {
        self.process.wait().unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn health() -> Health {
    let config = HealthConfig::default().with_disablefile("");
    let builder = Health::builder().config(config).termination_grace_period(2 * FOR_EVER);
    builder.endpoint(Endpoint::liveness("/live")).build().unwrap()
}

fn say(line: &str) {
    println!("{line}");
}

/// Prints a line when the drain has begun, and the response at that time.
fn watch(health: &Health) {
    let health = health.clone();
    thread::spawn(move || {
        while !health.is_draining() {
            thread::yield_now();
        }
        let state = |path| block_on(health.at(path).unwrap().respond("")).state();
        say(&format!("now {} and {}", state("/health"), state("/live")));
    });
}

/// Prints that it waits for signals as soon as it does, until the end of the drain.
fn ready<T>(drain: impl Future<Output = T>) {
    let mut drain = pin!(drain);
    assert!(drain.as_mut().now_or_never().is_none());
    say("READY");
    block_on(drain);
}

fn drain_for_ever() {
    drain_on(Signals::new().unwrap());
}

fn drain_on(signals: Signals) {
    let health = health();
    watch(&health);
    ready(health.drain_when(signals, FOR_EVER));
    say("drained");
}

/// A server whose last request never ends.
fn drain_and_hang() {
    drain_for_ever();
    thread::sleep(FOR_EVER);
}

/// Two applications that wait for signals, and a `Signals` that is gone.
fn drain_two() {
    let [gone, first, second] = [(); 3].map(|()| Signals::new().unwrap());
    drop(gone);
    let applications = [(); 2].map(|()| health());
    let [one, other] = &applications;
    ready(join(one.drain_when(first, Duration::ZERO), other.drain_when(second, Duration::ZERO)));
    say("both drained");
}

/// A start that takes so long that the test fails.
fn go_on_starting() {
    thread::sleep(Duration::from_secs(30));
    exit(3);
}

//! Tests the end of a process: one with checks that are stuck for a minute gets SIGTERM.

#![expect(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

use std::env;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use health_core::{Check, Drain, Health};
use rustix::process::{Pid, Signal, kill_process};

use crate::ask;

/// Duration of the stuck checks.
const STUCK: Duration = Duration::from_secs(60);

/// Set in the process that gets the signal.
const IS_SERVER: &str = "HEALTH_SHUTDOWN_SERVER";

/// Runs the test `test` again in a new process, in which `serve` serves until SIGTERM, and
/// ends that process while its checks are stuck. It must end long before they do.
///
/// `serve` calls [`ready`] when it listens.
pub fn ends_while_checks_are_stuck(test: &str, serve: impl FnOnce(Health)) {
    if env::var_os(IS_SERVER).is_some() {
        return serve(stuck());
    }
    let (mut server, address) = Server::start(test);
    let (status, body) = ask(address, "GET /health?checks=all");
    assert_eq!(status, 503, "{body}");
    let status = server.terminate();
    assert!(status.success(), "it did not end in good order: {status}");
}

/// Runs the test `test` again in a new process, in which `serve` serves until it has drained, at most for a second, and
/// [shuts down](Health::shut_down_after). `serve` covers an application whose handler at `/hangs` never returns,
/// and that responds with the number of active requests at `/active`.
///
/// `serve` calls [`ready`] when it listens. The drain begins with the signal that it waits for.
pub fn ends_while_a_handler_hangs(test: &str, serve: impl FnOnce(Health, Drain)) {
    if env::var_os(IS_SERVER).is_some() {
        let drain = Drain::at_least(Duration::ZERO).at_most(Duration::from_secs(1)).unwrap();
        return serve(Health::builder().build().unwrap(), drain);
    }
    let (mut server, address) = Server::start(test);
    let mut connection = TcpStream::connect(address).unwrap();
    connection.write_all(b"GET /hangs HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    while ask(address, "GET /active").1 != "2" {
        thread::sleep(Duration::from_millis(1));
    }
    let status = server.terminate();
    assert_eq!(status.code(), Some(1), "a request is dropped");
    assert_eq!(connection.read_to_end(&mut Vec::new()).unwrap_or(0), 0);
}

/// Reports the address of the server to the test.
pub fn ready(address: SocketAddr) {
    println!("READY {address}");
}

/// Two stuck checks: a blocking check, and an async check that blocks.
fn stuck() -> Health {
    let sleep = || {
        thread::sleep(STUCK);
        Ok::<(), String>(())
    };
    Health::builder()
        .timeout(Duration::from_millis(100))
        .register(Check::blocking("blocks", sleep))
        .check("blocks-though-it-should-not", move || async move { sleep() })
        .build()
        .unwrap()
}

/// A process that is killed on drop.
struct Server {
    process: Child,
    /// Kept open: the process writes more than its address.
    _output: BufReader<ChildStdout>,
}

impl Server {
    /// Runs the test, and waits until it is ready.
    fn start(test: &str) -> (Self, SocketAddr) {
        let mut process = Command::new(env::current_exe().unwrap())
            .args([test, "--exact", "--nocapture"])
            .env(IS_SERVER, "1")
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut output = BufReader::new(process.stdout.take().unwrap());
        let address = output.by_ref().lines().find_map(|line| {
            let address = line.unwrap().split_once("READY ")?.1.to_owned();
            address.parse().ok()
        });
        (Self { process, _output: output }, address.unwrap())
    }

    /// Sends SIGTERM, and waits for the end, which must come long before that of anything that is stuck.
    fn terminate(&mut self) -> ExitStatus {
        let start = Instant::now();
        kill_process(Pid::from_child(&self.process), Signal::TERM).unwrap();
        let status = loop {
            if let Some(status) = self.process.try_wait().unwrap() {
                break status;
            }
            assert!(start.elapsed() < STUCK / 2, "SIGTERM does not end it");
            thread::sleep(Duration::from_millis(1));
        };
        println!("ended {:?} after SIGTERM", start.elapsed());
        status
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

//! Tests the end of a process: one with checks that are stuck for a minute gets SIGTERM.

#![expect(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

use std::env;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use health_core::{Check, Health};
use rustix::process::{Pid, Signal, kill_process};

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
    let mut server = Command::new(env::current_exe().unwrap())
        .args([test, "--exact", "--nocapture"])
        .env(IS_SERVER, "1")
        .stdout(Stdio::piped())
        .spawn()
        .map(Server)
        .unwrap();
    let mut lines = BufReader::new(server.0.stdout.take().unwrap()).lines();
    let address = lines.find_map(|line| {
        let address = line.unwrap().split_once("READY ")?.1.to_owned();
        address.parse::<SocketAddr>().ok()
    });

    let mut connection = TcpStream::connect(address.unwrap()).unwrap();
    connection
        .write_all(
            b"GET /health?checks=all HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
        )
        .unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 503 "), "{answer}");

    let start = Instant::now();
    kill_process(Pid::from_child(&server.0), Signal::TERM).unwrap();
    let status = loop {
        if let Some(status) = server.0.try_wait().unwrap() {
            break status;
        }
        assert!(start.elapsed() < STUCK / 2, "SIGTERM does not end it");
        thread::sleep(Duration::from_millis(1));
    };
    assert!(status.success(), "it did not end in good order: {status}");
    println!("ended {:?} after SIGTERM", start.elapsed());
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
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

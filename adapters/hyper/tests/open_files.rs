//! What clients can take from a process with separate listeners: file descriptors and memory.

#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

mod client;

use std::env;
use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Lines, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::AsRawFd as _;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::thread;
use std::time::Duration;

use health_core::Health;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

const ANYWHERE: &str = "127.0.0.1:0";

/// Set in the process that may open few files: how many, or `+` and how many more than it has open.
const MAY_OPEN: &str = "HEALTH_MAY_OPEN";

/// A process with an application, a health listener and an agent check.
struct Server {
    process: Child,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
    health: SocketAddr,
    agent: SocketAddr,
    application: SocketAddr,
}

impl Server {
    /// Runs `test` of this program in another process, which has to call [`serve`]. `None` in that process.
    fn start(test: &str, may_open: &str) -> Option<Self> {
        if let Ok(may_open) = env::var(MAY_OPEN) {
            serve(&may_open);
            return None;
        }
        let mut process = Command::new(env::current_exe().unwrap())
            .args([test, "--exact", "--nocapture"])
            .env(MAY_OPEN, may_open)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let input = process.stdin.take().unwrap();
        let mut output = BufReader::new(process.stdout.take().unwrap()).lines();
        let addresses = output.find_map(|line| {
            let (_, addresses) = line.as_ref().unwrap().split_once("READY ")?;
            let addresses = addresses.split(' ').map(|address| address.parse().unwrap());
            Some(addresses.collect::<Vec<_>>())
        });
        let [health, agent, application] = addresses.unwrap()[..] else {
            unreachable!("three addresses");
        };
        Some(Self { process, input, output, health, agent, application })
    }

    fn allow_more_files(&mut self) {
        self.input.write_all(b"more\n").unwrap();
    }

    #[cfg(target_os = "linux")]
    fn open_files(&self) -> usize {
        let files = format!("/proc/{}/fd", self.process.id());
        std::fs::read_dir(files).unwrap().count()
    }

    /// The memory that the process has, in KiB.
    #[cfg(target_os = "linux")]
    fn memory(&self) -> usize {
        let status = format!("/proc/{}/status", self.process.id());
        let status = std::fs::read_to_string(status).unwrap();
        let (_, resident) = status.split_once("VmRSS:").unwrap();
        resident.split_whitespace().next().unwrap().parse().unwrap()
    }

    /// Ends the process. Returns its warnings.
    fn warnings(mut self) -> Vec<String> {
        drop(self.input);
        let lines = self.output.map(Result::unwrap);
        let warnings = lines.filter(|line| line.contains("WARN")).collect();
        assert!(self.process.wait().unwrap().success());
        warnings
    }
}

/// Serves until the end of standard input. A line there lifts the limit.
fn serve(may_open: &str) {
    tracing_subscriber::fmt().with_ansi(false).with_writer(io::stdout).init();
    let health = Health::builder().build().unwrap();
    let listener = health_hyper::listen(ANYWHERE, health.clone()).unwrap();
    let agent = health_hyper::agent_check(ANYWHERE, health, "/health").unwrap();
    let application = TcpListener::bind(ANYWHERE).unwrap();
    let addresses = [listener.local_addr(), agent.local_addr(), application.local_addr().unwrap()];

    let limits = getrlimit(Resource::Nofile);
    let next = File::open("/dev/null").unwrap().as_raw_fd();
    let current = match may_open.strip_prefix('+') {
        Some(more) => u64::try_from(next).unwrap() + more.parse::<u64>().unwrap(),
        None => may_open.parse().unwrap(),
    };
    let current = Some(current);
    setrlimit(Resource::Nofile, Rlimit { current, ..limits }).unwrap();
    thread::spawn(move || run(&application));
    println!("READY {}", addresses.map(|address| address.to_string()).join(" "));

    for line in io::stdin().lines() {
        line.unwrap();
        setrlimit(Resource::Nofile, limits).unwrap();
    }
}

/// The application.
fn run(listener: &TcpListener) {
    loop {
        match listener.accept() {
            Ok((mut client, _)) => client.write_all(b"welcome").unwrap(),
            Err(_) => thread::sleep(Duration::from_millis(1)),
        }
    }
}

fn connect_to_each(addresses: [SocketAddr; 2], count: usize) -> Vec<TcpStream> {
    let addresses = addresses.iter().cycle().take(count * addresses.len());
    addresses.map(|address| TcpStream::connect(address).unwrap()).collect()
}

/// A connection on which a response that takes too long is an error: far less than a connection may be idle.
fn connect(address: SocketAddr) -> TcpStream {
    let connection = TcpStream::connect(address).unwrap();
    let limit = Some(Duration::from_secs(30));
    connection.set_read_timeout(limit).unwrap();
    connection
}

fn received(mut connection: TcpStream) -> String {
    let mut received = String::new();
    connection.read_to_string(&mut received).unwrap();
    received
}

fn expect_responses(server: &Server) {
    let response = client::ask(connect(server.health), "/health");
    assert!(response.starts_with("HTTP/1.1 200 OK\r\n"), "{response}");
    let line = received(connect(server.agent));
    assert_eq!(line, "up ready\n");
    let page = received(connect(server.application));
    assert_eq!(page, "welcome");
}

#[test]
fn it_responds_again_once_there_are_files_to_open() {
    let test = "it_responds_again_once_there_are_files_to_open";
    let Some(mut server) = Server::start(test, "+0") else {
        return;
    };
    let mut waiting = TcpStream::connect(server.health).unwrap();
    waiting.set_read_timeout(Some(Duration::from_millis(300))).unwrap();
    // Time to try, and to fail: however short it is, what follows has to hold.
    let early = waiting.read(&mut [0]).unwrap_err();
    assert!(matches!(early.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut), "{early}");

    server.allow_more_files();
    waiting.set_read_timeout(None).unwrap();
    let response = client::ask(waiting, "/health");
    assert!(response.starts_with("HTTP/1.1 200 OK\r\n"), "{response}");
    expect_responses(&server);
    let warnings = server.warnings();
    assert_eq!(warnings.len(), 1, "{warnings:?}");
}

#[test]
fn clients_that_hold_the_last_descriptors_keep_neither_pollers_nor_the_application_waiting() {
    let test =
        "clients_that_hold_the_last_descriptors_keep_neither_pollers_nor_the_application_waiting";
    let Some(server) = Server::start(test, "+5") else {
        return;
    };
    let (health, agent) = (server.health, server.agent);
    let held = connect_to_each([health, agent], 10);
    for mut connection in &held {
        // Those to the health listener are idle after that, which they may be for long.
        let _ = connection.write_all(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n");
    }
    for _ in 0..5 {
        expect_responses(&server);
    }
    drop(held);
    // One for each listener, however many attempts failed.
    let mut warnings = server.warnings();
    warnings.sort_by_key(|warning| warning.contains(&agent.to_string()));
    let listeners =
        [format!("the health listener on {health}"), format!("the agent check on {agent}")];
    assert_eq!(warnings.len(), listeners.len(), "{warnings:?}");
    for (warning, listener) in warnings.iter().zip(listeners) {
        let start =
            format!("WARN health: {listener} cannot accept a connection (Too many open files");
        assert!(warning.contains(&start), "{warning}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn three_hundred_clients_take_64_of_256_descriptors_from_the_application() {
    let test = "three_hundred_clients_take_64_of_256_descriptors_from_the_application";
    let Some(server) = Server::start(test, "256") else {
        return;
    };
    expect_responses(&server);
    let before = server.open_files();
    let held = connect_to_each([server.health, server.agent], 300);
    expect_responses(&server);
    // Each listener may be about to close one more.
    let after = server.open_files();
    assert!(after <= before + 2 * (64 + 1), "{before}, {after}");
    drop(held);
    let warnings = server.warnings();
    assert_eq!(warnings.len(), 2, "{warnings:?}");
    for warning in warnings {
        assert!(warning.contains("has 64 connections, which is its limit"), "{warning}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_connection_takes_less_than_64_kib_of_memory() {
    let test = "a_connection_takes_less_than_64_kib_of_memory";
    let Some(server) = Server::start(test, "256") else {
        return;
    };
    for _ in 0..100 {
        expect_responses(&server);
    }
    let before = server.memory();
    // As long as a head may be, almost.
    let head = format!("GET /health HTTP/1.1\r\nX: {}", "x".repeat(16_000));
    let held: Vec<_> = (0..64)
        .map(|_| {
            let mut connection = TcpStream::connect(server.health).unwrap();
            connection.write_all(head.as_bytes()).unwrap();
            connection
        })
        .collect();
    expect_responses(&server);
    let each = server.memory().saturating_sub(before) / held.len();
    println!("{each} KiB a connection");
    assert!(each < 64, "{each}");
    // The last connection is one over the limit.
    assert!(server.warnings().len() <= 1);
}

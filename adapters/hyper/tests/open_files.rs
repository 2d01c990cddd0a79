//! A process that may open no more files for a while.

#![cfg(unix)]
#![expect(
    clippy::unwrap_used,
    reason = "a helper that fails is a test that fails"
)]

mod client;

use std::env;
use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::os::fd::AsRawFd as _;
use std::process::{Command, Stdio};
use std::time::Duration;

use health_core::Health;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Set in the process that may open no more files.
const IS_SERVER: &str = "HEALTH_OPEN_FILES_SERVER";

/// Listens, with no file left to open, until there is a line on standard input; then with files again.
fn serve() {
    let health = Health::builder().build().unwrap();
    let listener = health_hyper::listen("127.0.0.1:0", health).unwrap();
    let limits = getrlimit(Resource::Nofile);
    let next = File::open("/dev/null").unwrap().as_raw_fd();
    let current = Some(next.try_into().unwrap());
    setrlimit(Resource::Nofile, Rlimit { current, ..limits }).unwrap();
    println!("READY {}", listener.local_addr());

    let mut lines = io::stdin().lines();
    lines.next().unwrap().unwrap();
    setrlimit(Resource::Nofile, limits).unwrap();
    assert!(lines.next().is_none());
}

#[test]
fn it_answers_again_once_there_are_files_to_open() {
    if env::var_os(IS_SERVER).is_some() {
        return serve();
    }
    let mut server = Command::new(env::current_exe().unwrap())
        .args([
            "it_answers_again_once_there_are_files_to_open",
            "--exact",
            "--nocapture",
        ])
        .env(IS_SERVER, "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = server.stdin.take().unwrap();
    let mut lines = BufReader::new(server.stdout.take().unwrap()).lines();
    let address = lines.find_map(|line| {
        let address = line.unwrap().split_once("READY ")?.1.to_owned();
        address.parse::<SocketAddr>().ok()
    });

    let mut waiting = TcpStream::connect(address.unwrap()).unwrap();
    waiting
        .set_read_timeout(Some(Duration::from_millis(300)))
        .unwrap();
    // Time to try, and to fail: however short it is, what follows has to hold.
    let early = waiting.read(&mut [0]).unwrap_err();
    assert!(
        matches!(
            early.kind(),
            io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut
        ),
        "{early}"
    );

    input.write_all(b"more\n").unwrap();
    waiting.set_read_timeout(None).unwrap();
    let answer = client::ask(waiting, "/health");
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    drop(input);
    assert!(server.wait().unwrap().success());
}

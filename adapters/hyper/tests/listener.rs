//! A listener of the endpoint's own.

#![expect(
    clippy::unwrap_used,
    reason = "a helper that fails is a test that fails"
)]

mod client;

use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use client::ask;
use health_core::Health;
use health_hyper::listen;
use tokio::runtime::{self, Handle, Runtime};

const ANYWHERE: &str = "127.0.0.1:0";

/// How long an answer may take: far less than a connection may be idle.
const LIMIT: Duration = Duration::from_secs(30);

fn runtime() -> Runtime {
    runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
}

fn get(address: SocketAddr, target: &str) -> String {
    let connection = TcpStream::connect(address).unwrap();
    connection.set_read_timeout(Some(LIMIT)).unwrap();
    ask(connection, target)
}

fn health() -> Health {
    Health::builder().build().unwrap()
}

/// An endpoint whose check passes in the runtime `expected` alone, and only while that keeps its time.
fn bound_to(expected: &Runtime) -> Health {
    let expected = expected.handle().id();
    let check = move || async move {
        tokio::time::sleep(Duration::from_millis(1)).await;
        let found = Handle::current().id();
        (found == expected).then_some(()).ok_or("another runtime")
    };
    Health::builder().check("bound", check).build().unwrap()
}

#[test]
fn it_answers_while_the_runtime_of_the_application_is_blocked() {
    runtime().block_on(async {
        let listener = listen(ANYWHERE, health()).unwrap();
        // This blocks the one thread that the runtime has.
        let answer = get(listener.local_addr(), "/health?checks=all");
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
        assert!(answer.ends_with("\r\n\r\nOK"), "{answer}");
    });
}

#[test]
fn it_answers_after_the_application_has_ended_and_let_go_of_it() {
    let application = runtime();
    let address = application.block_on(async { listen(ANYWHERE, health()).unwrap().local_addr() });
    drop(application);
    let answer = get(address, "/health");
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
}

#[test]
fn checks_find_the_runtime_of_the_application() {
    let application = runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    let inside = application.enter();
    let listener = listen(ANYWHERE, bound_to(&application)).unwrap();
    drop(inside);
    let answer = get(listener.local_addr(), "/health?checks=all");
    assert!(answer.ends_with("\r\n\r\nOK"), "{answer}");
}

#[test]
fn outside_any_runtime_checks_find_its_own() {
    let health = Health::builder()
        .check("timer", || async {
            tokio::time::sleep(Duration::from_millis(1)).await;
            Ok::<(), String>(())
        })
        .build()
        .unwrap();
    let listener = listen(ANYWHERE, health).unwrap();
    let answer = get(listener.local_addr(), "/health?checks=all");
    assert!(answer.ends_with("\r\n\r\nOK"), "{answer}");
}

#[test]
fn every_other_path_is_missing() {
    let listener = listen(ANYWHERE, health()).unwrap();
    for target in ["/", "/health/", "/orders?checks=all"] {
        let answer = get(listener.local_addr(), target);
        assert!(answer.starts_with("HTTP/1.1 404 Not Found\r\n"), "{answer}");
        assert!(answer.ends_with("\r\n\r\n"), "{answer}");
    }
}

#[test]
fn a_connection_is_kept_for_the_next_request() {
    let listener = listen(ANYWHERE, health()).unwrap();
    let mut connection = TcpStream::connect(listener.local_addr()).unwrap();
    connection
        .write_all(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
        .unwrap();
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\nOK") {
        let mut byte = [0];
        connection.read_exact(&mut byte).unwrap();
        answer.extend(byte);
    }
    let answer = ask(connection, "/health");
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
}

#[test]
fn an_address_in_use_is_an_error_at_once() {
    let listener = listen(ANYWHERE, health()).unwrap();
    let error = listen(listener.local_addr(), health()).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::AddrInUse);
}

#[test]
fn a_client_that_has_sent_all_it_will_gets_its_answer() {
    let listener = listen(ANYWHERE, health()).unwrap();
    let mut connection = TcpStream::connect(listener.local_addr()).unwrap();
    connection
        .write_all(b"GET /health HTTP/1.0\r\n\r\n")
        .unwrap();
    connection.shutdown(std::net::Shutdown::Write).unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).unwrap();
    assert!(answer.ends_with("\r\n\r\nOK"), "{answer}");
}

#[cfg(unix)]
#[test]
fn clients_that_hold_on_to_more_connections_than_there_may_be_keep_nobody_out() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

    // This process is both ends.
    let limits = getrlimit(Resource::Nofile);
    let current = limits.maximum;
    setrlimit(Resource::Nofile, Rlimit { current, ..limits }).unwrap();

    let listener = listen(ANYWHERE, health()).unwrap();
    let mut held = Vec::new();
    for _ in 0..600 {
        let mut connection = TcpStream::connect(listener.local_addr()).unwrap();
        connection.write_all(b"GET /health HTTP/1.1\r\nHo").unwrap();
        held.push(connection);
    }
    let answer = get(listener.local_addr(), "/health");
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    // The oldest had to go.
    held[0].set_read_timeout(Some(LIMIT)).unwrap();
    let ended = held[0].read_to_end(&mut Vec::new());
    let was_reset = |error: &io::Error| error.kind() == io::ErrorKind::ConnectionReset;
    assert!(
        ended.as_ref().map_or_else(was_reset, |read| *read == 0),
        "{ended:?}"
    );
    // The newest has not.
    let newest = held.pop().unwrap();
    assert!(finish(newest).starts_with("HTTP/1.1 200 OK\r\n"));
}

#[cfg(unix)]
fn finish(mut connection: TcpStream) -> String {
    connection
        .write_all(b"st: localhost\r\nConnection: close\r\n\r\n")
        .unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).unwrap();
    answer
}

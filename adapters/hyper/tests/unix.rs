//! A listener for the endpoints alone, on a Unix domain socket.

#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

mod client;

use std::fs;
use std::io;
use std::os::unix::net::{UnixListener, UnixStream};

use client::{ask, send};
use health_core::{Endpoint, Health};
use health_hyper::{listen_control, listen_unix};

fn health() -> Health {
    Health::builder().build().unwrap()
}

#[test]
fn it_responds_on_a_unix_domain_socket() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("health.sock");
    listen_unix(&path, health()).unwrap();
    let answer = ask(UnixStream::connect(path).unwrap(), "/health");
    assert!(answer.ends_with("\r\n\r\nOK"), "{answer}");
}

#[test]
fn a_socket_that_an_earlier_process_left_behind_is_replaced() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("health.sock");
    drop(UnixListener::bind(&path).unwrap());
    listen_unix(&path, health()).unwrap();
    let answer = ask(UnixStream::connect(path).unwrap(), "/health");
    assert!(answer.ends_with("\r\n\r\nOK"), "{answer}");
}

#[test]
fn a_socket_on_which_another_process_listens_is_an_error_and_stays() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("health.sock");
    let other = UnixListener::bind(&path).unwrap();
    let error = listen_unix(&path, health()).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::AddrInUse);
    let expected = format!("cannot listen on {}: another process listens on it", path.display());
    assert_eq!(error.to_string(), expected);
    // That of the call that found the listener.
    other.accept().unwrap();
    UnixStream::connect(path).unwrap();
    other.accept().unwrap();
}

#[test]
fn a_file_that_is_no_socket_is_an_error_and_stays() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("orders.csv");
    fs::write(&path, "17").unwrap();
    let error = listen_unix(&path, health()).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::AddrInUse);
    let expected = format!("cannot listen on {}: the file is not a socket", path.display());
    assert_eq!(error.to_string(), expected);
    assert_eq!(fs::read_to_string(path).unwrap(), "17");
}

/// Other systems than Linux cannot tell a full queue from a socket without a listener.
#[cfg(target_os = "linux")]
#[test]
fn a_socket_whose_listener_is_too_busy_to_accept_is_an_error_and_stays() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("health.sock");
    let other = UnixListener::bind(&path).unwrap();
    rustix::net::listen(&other, 0).unwrap();
    // Fills the queue: a second connection would wait.
    let _first = UnixStream::connect(&path).unwrap();

    let (tell, told) = std::sync::mpsc::channel();
    let listening = path.clone();
    std::thread::spawn(move || tell.send(listen_unix(listening, health())));
    // A call that waits for room in the queue would not return at all.
    let limit = std::time::Duration::from_secs(30);
    let error = told.recv_timeout(limit).unwrap().unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::AddrInUse);
    other.accept().unwrap();
    UnixStream::connect(path).unwrap();
    other.accept().unwrap();
}

#[test]
fn a_path_that_cannot_be_bound_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let missing = directory.path().join("missing/health.sock");
    let too_long = directory.path().join("x".repeat(200));
    for path in [missing, too_long] {
        let error = listen_unix(&path, health()).unwrap_err().to_string();
        let start = format!("cannot listen on {}: ", path.display());
        assert!(error.starts_with(&start), "{error}");
    }
}

#[test]
fn the_command_on_the_control_socket_begins_a_drain() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("control.sock");
    let health = health();
    listen_control(&path, &health).unwrap();
    let connect = || UnixStream::connect(&path).unwrap();
    assert!(ask(connect(), "/health").ends_with("\r\n\r\nOK"));

    for (method, target, status) in [
        ("GET", "/drain", "HTTP/1.1 405 "),
        ("HEAD", "/drain", "HTTP/1.1 405 "),
        ("POST", "/", "HTTP/1.1 404 "),
        ("POST", "/drain/", "HTTP/1.1 404 "),
    ] {
        let response = send(connect(), method, target);
        assert!(response.starts_with(status), "{method} {target}: {response}");
        assert!(!health.is_draining(), "{method} {target}");
    }
    for _ in 0..2 {
        let response = send(connect(), "POST", "/drain");
        assert!(response.starts_with("HTTP/1.1 202 "), "{response}");
        assert!(response.ends_with("\r\n\r\nDRAINING"), "{response}");
        assert!(health.is_draining());
    }
    assert!(ask(connect(), "/health").ends_with("\r\n\r\nMAINTENANCE"));
}

#[test]
fn other_listeners_have_no_command() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("health.sock");
    let health = health();
    listen_unix(&path, health.clone()).unwrap();
    let tcp = health_hyper::listen("127.0.0.1:0", health.clone()).unwrap().local_addr();
    let responses = [
        send(UnixStream::connect(&path).unwrap(), "POST", "/drain"),
        send(std::net::TcpStream::connect(tcp).unwrap(), "POST", "/drain"),
    ];
    for response in responses {
        assert!(response.starts_with("HTTP/1.1 404 "), "{response}");
    }
    assert!(!health.is_draining());
}

#[test]
fn an_endpoint_at_the_path_of_the_command_is_an_error() {
    let health = Health::builder().endpoint(Endpoint::readiness("/drain")).build().unwrap();
    let directory = tempfile::tempdir().unwrap();
    let error = listen_control(directory.path().join("control.sock"), &health).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
    assert!(error.to_string().starts_with("an endpoint has the path /drain"), "{error}");
}

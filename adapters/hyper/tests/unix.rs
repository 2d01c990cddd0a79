//! A listener of the endpoint's own on a Unix domain socket.

#![cfg(unix)]
#![expect(
    clippy::unwrap_used,
    reason = "a helper that fails is a test that fails"
)]

mod client;

use std::fs;
use std::io;
use std::os::unix::net::{UnixListener, UnixStream};

use client::ask;
use health_core::Health;
use health_hyper::listen_unix;

fn health() -> Health {
    Health::builder().build().unwrap()
}

#[test]
fn it_answers_on_a_unix_domain_socket() {
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
fn a_socket_on_which_somebody_listens_is_an_error_and_stays() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("health.sock");
    let other = UnixListener::bind(&path).unwrap();
    let error = listen_unix(&path, health()).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::AddrInUse);
    // The look whether somebody listens comes first.
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
    assert_eq!(fs::read_to_string(path).unwrap(), "17");
}

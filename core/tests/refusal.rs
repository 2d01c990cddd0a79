//! The system refuses connections to a listener, and keeps those that it has accepted.

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

use std::env;
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::process::Command;
use std::sync::Mutex;

use health_core::refuse_connections;

/// A child process has all listeners of this process until it is another program.
static ONE_TEST: Mutex<()> = Mutex::new(());

fn is_refused(listener: &TcpListener) -> bool {
    match TcpStream::connect(listener.local_addr().unwrap()) {
        Ok(_) => false,
        Err(error) => error.kind() == ErrorKind::ConnectionRefused,
    }
}

#[test]
fn new_connections_are_refused_and_those_that_wait_are_accepted_and_work() {
    let _one_test = ONE_TEST.lock();
    for address in ["127.0.0.1:0", "0.0.0.0:0", "[::]:0"] {
        let Ok(listener) = TcpListener::bind(address) else {
            assert_eq!(address, "[::]:0", "only IPv6 can be disabled");
            continue;
        };
        let local = listener.local_addr().unwrap();
        let mut clients = [(); 3].map(|()| TcpStream::connect(local).unwrap());
        refuse_connections(&listener).unwrap();
        assert!(is_refused(&listener), "{address}");
        let mut accepted = clients.each_ref().map(|_| listener.accept().unwrap().0);
        assert!(is_refused(&listener), "{address}");
        for (client, accepted) in clients.iter_mut().zip(&mut accepted) {
            let mut byte = [0];
            client.write_all(b"?").unwrap();
            accepted.read_exact(&mut byte).unwrap();
            accepted.write_all(b"!").unwrap();
            client.read_exact(&mut byte).unwrap();
            assert_eq!(byte, *b"!");
        }
    }
}

#[test]
fn a_listener_that_another_process_has_stays_open() {
    let _one_test = ONE_TEST.lock();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let copy = OwnedFd::from(listener.try_clone().unwrap());
    let mut other = Command::new("sleep").arg("60").stdin(copy).spawn().unwrap();
    assert!(refuse_connections(&listener).is_err());
    assert!(!is_refused(&listener));
    other.kill().unwrap();
    other.wait().unwrap();
    refuse_connections(&listener).unwrap();
    assert!(is_refused(&listener));
}

/// Set in the process whose environment names listeners.
const IS_ACTIVATED: &str = "HEALTH_IS_ACTIVATED";

#[test]
fn the_listeners_of_a_process_that_was_given_some_stay_open() {
    let _one_test = ONE_TEST.lock();
    if env::var_os(IS_ACTIVATED).is_some() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        assert!(refuse_connections(&listener).is_err());
        assert!(!is_refused(&listener));
        return;
    }
    let again = Command::new(env::current_exe().unwrap())
        .args(["--exact", "the_listeners_of_a_process_that_was_given_some_stay_open"])
        .env(IS_ACTIVATED, "")
        .env("LISTEN_FDS", "1")
        .output()
        .unwrap();
    assert!(again.status.success(), "{again:?}");
}

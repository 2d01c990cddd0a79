//! Unix sockets.

use std::ffi::OsStr;
use std::io::Write as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::sync::mpsc::{self, Receiver};
use std::thread;

use crate::Run;
use crate::server::read_request;

/// A server on this socket, and the requests that it gets.
fn serve(path: &Path, response: &'static [u8]) -> Receiver<String> {
    let listener = UnixListener::bind(path).unwrap();
    let (sender, requests) = mpsc::channel();
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            sender.send(read_request(&mut stream)).unwrap();
            let _ = stream.write_all(response);
        }
    });
    requests
}

#[test]
fn a_socket_replaces_the_host() {
    let directory = tempfile::tempdir().unwrap();
    // No UTF-8, on purpose.
    let path = directory.path().join(OsStr::from_bytes(b"\xff.socket"));
    let requests = serve(&path, b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK");
    let url = OsStr::new("http://shop:81/health?checks=all");
    let run = Run::of([OsStr::new("--unix-socket"), path.as_os_str(), url]);
    run.concluded(0, "healthy: 200 OK");
    let request = requests.recv().unwrap();
    let start = "GET /health?checks=all HTTP/1.1\r\nHost: shop:81\r\n";
    assert!(request.starts_with(start), "{request}");
}

#[test]
fn a_socket_that_is_not_there_is_named() {
    let run = Run::of(["--unix-socket=/nowhere/socket", "http://shop/"]);
    run.fails(r#""/nowhere/socket": No such file"#);
}

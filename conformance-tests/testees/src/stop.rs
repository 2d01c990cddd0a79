//! Tests the stop of a server after a drain (H26).

#![expect(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::Duration;

/// How many clients connect right before the stop, so that some of them are in the queue of the system.
const CLIENTS: usize = 50;

/// Clients connect to the server at `address`, which drains, and `stop` lets it stop. They send their
/// first requests only when no further client can connect. Each gets its response, with the body of `/`.
pub fn answers_who_has_just_connected(address: SocketAddr, body: &str, stop: impl FnOnce()) {
    let clients = [(); CLIENTS].map(|()| TcpStream::connect(address).unwrap());
    stop();
    while TcpStream::connect(address).is_ok() {
        thread::sleep(Duration::from_millis(1));
    }
    for mut client in clients {
        // An error is a connection that was reset.
        let _ = client.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
        let mut response = String::new();
        let _ = client.read_to_string(&mut response);
        let response = response.to_lowercase();
        assert!(response.contains("\r\nconnection: close\r\n"), "{response:?}");
        assert!(response.ends_with(body), "{response:?}");
    }
}

//! A simple client for tests.

#![expect(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};

/// Sends a request without a body, such as `GET /health`, and returns status code and body of the response.
///
/// # Panics
///
/// There is no response in HTTP/1.1.
pub fn ask(address: SocketAddr, request: &str) -> (u16, String) {
    let mut connection = TcpStream::connect(address).unwrap();
    let request = format!("{request} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    connection.write_all(request.as_bytes()).unwrap();
    let mut response = String::new();
    connection.read_to_string(&mut response).unwrap();
    let (head, body) = response.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap();
    (status.parse().unwrap(), body.to_owned())
}

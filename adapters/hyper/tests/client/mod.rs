//! A plain client for the tests.

#![expect(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

use std::io::{Read, Write};

/// The whole response to `GET target`, which is the last on its connection.
pub(crate) fn ask(connection: impl Read + Write, target: &str) -> String {
    send(connection, "GET", target)
}

/// The same for another method.
pub(crate) fn send(mut connection: impl Read + Write, method: &str, target: &str) -> String {
    let request =
        format!("{method} {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    connection.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).unwrap();
    answer
}

//! Servers for tests, on threads that end.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

/// The longest that a server waits for anything.
const PATIENCE: Duration = Duration::from_secs(20);

/// Serves each connection by `behave`, until the test ends.
pub(crate) fn serve(behave: impl Fn(TcpStream) + Send + Sync + Clone + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let stream = stream.unwrap();
            stream.set_read_timeout(Some(PATIENCE)).unwrap();
            stream.set_write_timeout(Some(PATIENCE)).unwrap();
            let behave = behave.clone();
            std::thread::spawn(move || behave(stream));
        }
    });
    address
}

/// Reads nothing and writes nothing until the client is gone, or for long enough.
pub(crate) fn hang(stream: TcpStream) {
    for _ in 0..PATIENCE.as_millis() / 10 {
        std::thread::sleep(Duration::from_millis(10));
        if stream.peek(&mut [0]).is_ok_and(|read| read == 0) {
            return;
        }
    }
}

/// Reads the head of a request; `None` at the end of the connection.
#[cfg(feature = "http")]
pub(crate) fn request(stream: &mut TcpStream) -> Option<String> {
    use std::io::Read as _;

    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).ok()?;
        head.push(byte[0]);
    }
    String::from_utf8(head).ok()
}

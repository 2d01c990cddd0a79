//! Servers of a few lines each, well behaved and otherwise.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{self, Receiver};
use std::thread;

/// A server that does the same with each connection, for as long as the test runs.
pub(crate) fn serve(play: impl Fn(TcpStream) + Send + 'static) -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    serve_on(listener, play)
}

pub(crate) fn serve_on(
    listener: TcpListener,
    play: impl Fn(TcpStream) + Send + 'static,
) -> SocketAddr {
    let address = listener.local_addr().unwrap();
    thread::spawn(move || listener.incoming().flatten().for_each(play));
    address
}

/// Reads a request, responds with these bytes, and closes.
pub(crate) fn responding(response: impl AsRef<[u8]> + Send + 'static) -> SocketAddr {
    serve(move |mut stream| {
        read_request(&mut stream);
        let _ = stream.write_all(response.as_ref());
    })
}

/// As [`responding`], and hands over each request.
pub(crate) fn recording(response: &'static str) -> (SocketAddr, Receiver<String>) {
    let (sender, requests) = mpsc::channel();
    let address = serve(move |mut stream| {
        sender.send(read_request(&mut stream)).unwrap();
        let _ = stream.write_all(response.as_bytes());
    });
    (address, requests)
}

/// Reads a request, sends the beginning, and then the same over and over until the client has gone.
pub(crate) fn endless(beginning: &'static str, again: &'static str) -> SocketAddr {
    serve(move |mut stream| {
        read_request(&mut stream);
        let _ = stream.write_all(beginning.as_bytes());
        while stream.write_all(again.as_bytes()).is_ok() {}
    })
}

/// Sends its response and closes its sending side before it reads.
pub(crate) fn hasty(response: &'static str) -> SocketAddr {
    serve(move |mut stream| {
        let _ = stream.write_all(response.as_bytes());
        let _ = stream.shutdown(Shutdown::Write);
        let _ = stream.read_to_end(&mut Vec::new());
    })
}

/// An address without a listener.
pub(crate) fn without_listener() -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    listener.local_addr().unwrap()
}

pub(crate) fn read_request(stream: &mut impl Read) -> String {
    let mut request = Vec::new();
    let mut byte = [0];
    while !request.ends_with(b"\r\n\r\n") && matches!(stream.read(&mut byte), Ok(1)) {
        request.extend(byte);
    }
    String::from_utf8(request).unwrap()
}

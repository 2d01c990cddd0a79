//! Servers that respond as a test tells them, to test the simulator itself.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use crate::kubelet::Container;

/// Calls the function with each connection and its request, until the test ends.
pub(crate) fn serve(respond: impl Fn(TcpStream, String) + Send + 'static) -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut request = Vec::new();
            let mut byte = [0];
            while !request.ends_with(b"\r\n\r\n") && matches!(stream.read(&mut byte), Ok(1)) {
                request.extend(byte);
            }
            respond(stream, String::from_utf8(request).unwrap());
        }
    });
    address
}

/// Responds to every request with these bytes.
pub(crate) fn responding(response: impl AsRef<[u8]> + Send + 'static) -> SocketAddr {
    serve(move |mut stream, _| {
        let _ = stream.write_all(response.as_ref());
    })
}

/// A program that responds to each path with a status code.
pub(crate) struct Fake {
    codes: Arc<[AtomicU16; 3]>,
    /// How many seconds it takes to end after SIGTERM; `None` if it never does.
    ends_after: Option<u32>,
    seconds_left: Option<u32>,
    requests: Arc<Mutex<Vec<String>>>,
}

pub(crate) const PATHS: [&str; 3] = ["/started", "/live", "/ready"];

impl Fake {
    pub(crate) fn ending_after(seconds: Option<u32>) -> Self {
        Self {
            codes: Arc::new([200, 200, 200].map(AtomicU16::new)),
            ends_after: seconds,
            seconds_left: None,
            requests: Arc::default(),
        }
    }

    /// Sets the status code of a path, also for later starts.
    pub(crate) fn respond_with(&self, path: &str, code: u16) {
        let index = PATHS.iter().position(|other| *other == path).unwrap();
        self.codes[index].store(code, Ordering::SeqCst);
    }

    /// Lets it end by itself, in the next second.
    pub(crate) fn crash(&mut self) {
        self.seconds_left = Some(1);
    }

    /// Returns the paths that were requested since the last call.
    pub(crate) fn take_requests(&self) -> Vec<String> {
        std::mem::take(&mut self.requests.lock().unwrap())
    }
}

impl Container for Fake {
    fn start(&mut self) -> SocketAddr {
        self.seconds_left = None;
        let codes = self.codes.clone();
        let requests = self.requests.clone();
        serve(move |mut stream, request| {
            let path = request.split(' ').nth(1).unwrap();
            requests.lock().unwrap().push(path.to_owned());
            let index = PATHS.iter().position(|other| *other == path).unwrap();
            let code = codes[index].load(Ordering::SeqCst);
            let _ = write!(stream, "HTTP/1.1 {code} X\r\nContent-Length: 0\r\n\r\n");
        })
    }

    fn terminate(&mut self) {
        self.seconds_left = self.ends_after;
    }

    fn kill(&mut self) {}

    fn pass_second(&mut self) -> bool {
        let left = self.seconds_left.map(|left| left - 1);
        self.seconds_left = left;
        left != Some(0)
    }
}

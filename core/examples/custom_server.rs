//! A health endpoint in a custom server, with only the standard library and `health-core`.

use std::future::Future;
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::task::{Context, Poll, Wake};
use std::thread::{self, Thread};
use std::time::Duration;

use health_core::{Endpoints, Health, HealthConfig, HealthRequest, path_and_query};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let health = Health::builder()
        .config(HealthConfig::from_env()?)
        .check("temp", || async { std::env::temp_dir().read_dir().map(drop) })
        .build()?;
    let listener = TcpListener::bind("127.0.0.1:8080")?;
    println!("curl -i http://127.0.0.1:8080{}", health.config().url());
    serve(&listener, &health.into());
    Ok(())
}

/// Responds to one request of each connection, on a separate thread.
pub(crate) fn serve(listener: &TcpListener, endpoints: &Endpoints) {
    // A connection that fails, or for which no thread can be started, affects no other.
    for stream in listener.incoming().flatten() {
        let endpoints = endpoints.clone();
        let _ = thread::Builder::new().spawn(move || answer(stream, &endpoints));
    }
}

fn answer(mut stream: TcpStream, endpoints: &Endpoints) -> io::Result<()> {
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    let mut lines = BufReader::new(stream.try_clone()?.take(64 * 1024)).split(b'\n');
    let request_line = lines.next().unwrap_or_else(|| Ok(Vec::new()))?;
    let mut head = Vec::new();
    while let Some(line) = lines.next().transpose()?.filter(|line| line != b"\r") {
        head.push(line);
    }

    let request_line = String::from_utf8_lossy(&request_line);
    let mut words = request_line.split(' ');
    let (method, target) = (words.next().unwrap_or(""), words.next().unwrap_or(""));
    let (path, query) = path_and_query(target);
    if let Some(endpoint) = endpoints.route(method, path) {
        let headers = head.iter().filter_map(|line| {
            let (name, value) = std::str::from_utf8(line).ok()?.split_once(':')?;
            Some((name, value.trim().as_bytes()))
        });
        let answer = block_on(endpoint.respond(HealthRequest::new(query).headers(headers)));
        let (code, reason) = (answer.status().as_u16(), answer.reason());
        write!(stream, "HTTP/1.1 {code} {reason}\r\nConnection: close\r\n")?;
        for (name, value) in answer.headers() {
            write!(stream, "{name}: {value}\r\n")?;
        }
        let body = if method == "HEAD" { "" } else { answer.body() };
        write!(stream, "\r\n{body}")?;
    } else {
        stream.write_all(b"HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\n")?;
    }
    // An unread request body would reset the connection before the response arrives.
    stream.shutdown(Shutdown::Write)?;
    io::copy(&mut stream.take(1024 * 1024), &mut io::sink()).map(drop)
}

/// A minimal executor; any other works too.
fn block_on<F: Future>(future: F) -> F::Output {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let mut future = std::pin::pin!(future);
    let waker = Arc::new(Unpark(thread::current())).into();
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return output;
        }
        thread::park();
    }
}

//! A listener for the endpoints alone.

#![expect(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

mod client;

use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::Duration;

use client::ask;
use health_core::{Check, Endpoint, Health};
use health_hyper::{agent_check, listen};
use tokio::runtime::{self, Handle, Runtime};

const ANYWHERE: &str = "127.0.0.1:0";

/// A response that takes longer is missing.
const LIMIT: Duration = Duration::from_secs(30);

fn runtime() -> Runtime {
    runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

fn get(address: SocketAddr, target: &str) -> String {
    let connection = TcpStream::connect(address).unwrap();
    connection.set_read_timeout(Some(LIMIT)).unwrap();
    ask(connection, target)
}

fn health() -> Health {
    Health::builder().build().unwrap()
}

/// An endpoint whose check passes in no runtime but `expected`, and only while that runs timers.
fn bound_to(expected: &Runtime) -> Health {
    let expected = expected.handle().id();
    let check = move || async move {
        tokio::time::sleep(Duration::from_millis(1)).await;
        let found = Handle::current().id();
        (found == expected).then_some(()).ok_or("another runtime")
    };
    Health::builder().check("bound", check).build().unwrap()
}

#[test]
fn it_responds_while_the_runtime_of_the_application_is_blocked() {
    runtime().block_on(async {
        let listener = listen(ANYWHERE, health()).unwrap();
        // This blocks the one thread that the runtime has.
        let answer = get(listener.local_addr(), "/health?checks=all");
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
        assert!(answer.ends_with("\r\n\r\nOK"), "{answer}");
    });
}

#[test]
fn it_responds_after_the_runtime_of_the_application_has_ended_and_the_value_was_dropped() {
    let application = runtime();
    let address = application.block_on(async { listen(ANYWHERE, health()).unwrap().local_addr() });
    drop(application);
    let answer = get(address, "/health");
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
}

#[test]
fn checks_find_the_runtime_of_the_application() {
    let application =
        runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let inside = application.enter();
    let listener = listen(ANYWHERE, bound_to(&application)).unwrap();
    drop(inside);
    let answer = get(listener.local_addr(), "/health?checks=all");
    assert!(answer.ends_with("\r\n\r\nOK"), "{answer}");
}

#[test]
fn outside_any_runtime_checks_find_its_own() {
    let health = Health::builder()
        .check("timer", || async {
            tokio::time::sleep(Duration::from_millis(1)).await;
            Ok::<(), String>(())
        })
        .build()
        .unwrap();
    let listener = listen(ANYWHERE, health).unwrap();
    let answer = get(listener.local_addr(), "/health?checks=all");
    assert!(answer.ends_with("\r\n\r\nOK"), "{answer}");
}

#[test]
fn every_other_path_is_not_found() {
    let listener = listen(ANYWHERE, health()).unwrap();
    for target in ["/", "/health/", "/orders?checks=all"] {
        let answer = get(listener.local_addr(), target);
        assert!(answer.starts_with("HTTP/1.1 404 Not Found\r\n"), "{answer}");
        assert!(answer.ends_with("\r\n\r\n"), "{answer}");
    }
}

#[test]
fn it_serves_the_endpoints_that_were_chosen() {
    let health = Health::builder()
        .endpoint(Endpoint::liveness("/live"))
        .endpoint(Endpoint::readiness("/ready"))
        .build()
        .unwrap();
    let ready = health.at("/ready").unwrap();
    let listener = listen(ANYWHERE, ready).unwrap();
    let response = get(listener.local_addr(), "/ready");
    assert!(response.starts_with("HTTP/1.1 200 OK\r\n"), "{response}");
    for target in ["/live", "/health"] {
        let response = get(listener.local_addr(), target);
        assert!(response.starts_with("HTTP/1.1 404 "), "{response}");
    }
}

#[test]
fn a_connection_is_kept_for_the_next_request() {
    let listener = listen(ANYWHERE, health()).unwrap();
    let mut connection = TcpStream::connect(listener.local_addr()).unwrap();
    connection.write_all(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\nOK") {
        let mut byte = [0];
        connection.read_exact(&mut byte).unwrap();
        answer.extend(byte);
    }
    let answer = ask(connection, "/health");
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
}

#[test]
fn an_address_in_use_is_an_error_that_names_it() {
    let address = listen(ANYWHERE, health()).unwrap().local_addr();
    let start = format!("cannot listen on {address}: ");
    for error in [
        listen(address, health()).unwrap_err(),
        agent_check(address, health(), "/health").unwrap_err(),
    ] {
        assert_eq!(error.kind(), io::ErrorKind::AddrInUse);
        assert!(error.to_string().starts_with(&start), "{error}");
    }
}

#[test]
fn an_error_names_every_address_that_was_tried() {
    let [one, other] = [(); 2].map(|()| listen(ANYWHERE, health()).unwrap().local_addr());
    let error = listen(&[one, other][..], health()).unwrap_err();
    let start = format!("cannot listen on {one} or {other}: ");
    assert!(error.to_string().starts_with(&start), "{error}");
}

#[test]
fn the_first_address_that_can_be_bound_is_used() {
    let in_use = listen(ANYWHERE, health()).unwrap().local_addr();
    let free = ANYWHERE.parse().unwrap();
    let listener = listen(&[in_use, free, in_use][..], health()).unwrap();
    let response = get(listener.local_addr(), "/health");
    assert!(response.starts_with("HTTP/1.1 200 OK\r\n"), "{response}");
}

#[test]
fn an_address_that_is_none_is_an_error() {
    for address in ["", "localhost", "127.0.0.1:65536"] {
        let error = listen(address, health()).unwrap_err().to_string();
        assert!(
            error.starts_with("cannot resolve the address of the health listener: "),
            "{error}"
        );
    }
    let none: [SocketAddr; 0] = [];
    let error = listen(&none[..], health()).unwrap_err().to_string();
    assert_eq!(error, "the health listener has no address to listen on");
}

#[test]
fn a_client_that_closes_its_sending_side_gets_its_response() {
    let (closed, is_closed) = mpsc::channel();
    let is_closed = Mutex::new(is_closed);
    let check = Check::blocking("client", move || is_closed.lock().unwrap().recv());
    let health = Health::builder().register(check).build().unwrap();
    let listener = listen(ANYWHERE, health).unwrap();
    let mut connection = TcpStream::connect(listener.local_addr()).unwrap();
    connection.write_all(b"GET /health?checks=all HTTP/1.0\r\n\r\n").unwrap();
    connection.shutdown(std::net::Shutdown::Write).unwrap();
    // The response is made after that.
    thread::sleep(Duration::from_millis(50));
    closed.send(()).unwrap();
    let response = rest(connection);
    assert!(response.ends_with("\r\n\r\nOK"), "{response}");
}

#[cfg(unix)]
#[test]
fn clients_that_hold_connections_keep_no_poller_out() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

    // This process is both ends.
    let limits = getrlimit(Resource::Nofile);
    let current = limits.maximum;
    setrlimit(Resource::Nofile, Rlimit { current, ..limits }).unwrap();

    let listener = listen(ANYWHERE, health()).unwrap();
    let mut held = Vec::new();
    // As many as a listener keeps in any process, and more.
    for _ in 0..600 {
        let mut connection = TcpStream::connect(listener.local_addr()).unwrap();
        connection.write_all(b"GET /health HTTP/1.1\r\nHo").unwrap();
        held.push(connection);
    }
    let response = get(listener.local_addr(), "/health");
    assert!(response.starts_with("HTTP/1.1 200 OK\r\n"), "{response}");
    // The oldest has been closed.
    held[0].set_read_timeout(Some(LIMIT)).unwrap();
    let ended = held[0].read_to_end(&mut Vec::new());
    let was_reset = |error: &io::Error| error.kind() == io::ErrorKind::ConnectionReset;
    assert!(ended.as_ref().map_or_else(was_reset, |read| *read == 0), "{ended:?}");
    // The newest has not.
    let mut newest = held.pop().unwrap();
    newest.write_all(b"st: localhost\r\nConnection: close\r\n\r\n").unwrap();
    let response = rest(newest);
    assert!(response.starts_with("HTTP/1.1 200 OK\r\n"), "{response}");
}

fn rest(mut connection: TcpStream) -> String {
    connection.set_read_timeout(Some(LIMIT)).unwrap();
    let mut rest = String::new();
    connection.read_to_string(&mut rest).unwrap();
    rest
}

/// Also a client that reads nothing, and one that reads all.
#[test]
fn clients_that_send_requests_without_a_pause_keep_no_poller_out() {
    let listener = listen(ANYWHERE, health()).unwrap();
    let address = listener.local_addr();
    let is_over = Arc::new(AtomicBool::new(false));
    let floods: Vec<_> = (0..2)
        .map(|number| {
            let is_over = is_over.clone();
            thread::spawn(move || {
                let mut connection = TcpStream::connect(address).unwrap();
                if number % 2 == 0 {
                    let mut responses = connection.try_clone().unwrap();
                    thread::spawn(move || io::copy(&mut responses, &mut io::sink()));
                }
                connection.set_nonblocking(true).unwrap();
                let requests = b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n".repeat(100);
                while !is_over.load(Ordering::Relaxed) {
                    // Whole requests or not, and whether the connection lasts: the flood goes on.
                    let _ = connection.write(&requests);
                    thread::yield_now();
                }
            })
        })
        .collect();
    for _ in 0..50 {
        let response = get(address, "/health");
        assert!(response.starts_with("HTTP/1.1 200 OK\r\n"), "{response}");
    }
    is_over.store(true, Ordering::Relaxed);
    for flood in floods {
        flood.join().unwrap();
    }
}

/// The status, if the response is complete: its head ends, and as many bytes follow as it says.
fn complete(method: &str, response: &str) -> Option<u16> {
    let (head, body) = response.split_once("\r\n\r\n")?;
    let mut lines = head.split("\r\n");
    let status = lines.next()?.strip_prefix("HTTP/1.")?.get(2..5)?;
    let length = lines.find_map(|line| {
        let (name, value) = line.split_once(": ")?;
        name.eq_ignore_ascii_case("content-length").then_some(value)
    });
    let is_complete = method == "HEAD" || length? == body.len().to_string();
    is_complete.then_some(status.parse().ok()?)
}

#[test]
fn every_form_of_a_request_has_a_complete_response() {
    let listener = listen(ANYWHERE, health()).unwrap();
    let methods =
        ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "PURGE"];
    let forms = [
        ("/health", &[200][..]),
        ("/health?", &[200]),
        ("http://localhost/health", &[200]),
        ("http://localhost/health?x", &[200]),
        ("http://localhost", &[404]),
        ("http://localhost?checks=all", &[404]),
        ("/", &[404]),
        ("//", &[404]),
        ("localhost", &[404]),
        ("localhost:80", &[404]),
        ("health", &[404]),
        ("*", &[404]),
        ("?checks=all", &[404, 400]),
        ("#", &[400]),
        ("", &[400]),
        ("http://", &[400]),
        ("http:///health", &[400]),
        ("/he alth", &[400]),
    ];
    let mut wrong = Vec::new();
    for method in methods {
        for (target, statuses) in forms {
            // CONNECT asks for a tunnel, and no path has one.
            let statuses = match method {
                "CONNECT" if statuses == [200] => &[404],
                _ => statuses,
            };
            for version in ["HTTP/1.1", "HTTP/1.0"] {
                let head = format!("{method} {target} {version}");
                let connection = TcpStream::connect(listener.local_addr()).unwrap();
                let request = format!("{head}\r\nHost: localhost\r\nConnection: close\r\n\r\n");
                (&connection).write_all(request.as_bytes()).unwrap();
                let response = rest(connection);
                let status = complete(method, &response);
                if !status.is_some_and(|status| statuses.contains(&status)) {
                    wrong.push(format!("{head}: {status:?}, {response:?}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn bytes_that_are_no_request_have_a_complete_response() {
    let listener = listen(ANYWHERE, health()).unwrap();
    let long = format!("GET /health HTTP/1.1\r\nX: {}\r\n\r\n", "x".repeat(60_000));
    let many = format!("GET /health HTTP/1.1\r\n{}\r\n", "X: y\r\n".repeat(1000));
    for (bytes, status) in [
        // The start of a TLS connection.
        (&b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"[..], 400),
        (b"GET /health HTTP/3.0\r\n\r\n", 400),
        (b"GET /health\r\n\r\n", 400),
        (b"GET /health HTTP/1.1\r\nHost localhost\r\n\r\n", 400),
        (long.as_bytes(), 431),
        (many.as_bytes(), 431),
    ] {
        let connection = TcpStream::connect(listener.local_addr()).unwrap();
        (&connection).write_all(bytes).unwrap();
        let response = rest(connection);
        assert_eq!(complete("GET", &response), Some(status), "{response:?}");
    }
}

#[test]
fn an_unread_body_costs_no_client_its_response() {
    let listener = listen(ANYWHERE, health()).unwrap();
    for _ in 0..20 {
        let connection = TcpStream::connect(listener.local_addr()).unwrap();
        let head = "POST /health HTTP/1.1\r\nHost: localhost\r\nContent-Length: 40000\r\n\r\n";
        (&connection).write_all(head.as_bytes()).unwrap();
        (&connection).write_all(&[b'x'; 40000]).unwrap();
        let response = rest(connection);
        assert_eq!(complete("POST", &response), Some(200), "{response:?}");
    }
}

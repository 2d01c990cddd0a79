//! Tests of the simulator: what a probe sends, and how it judges the response.

use std::io::Write as _;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use crate::fake::{responding, serve};
use crate::prober::{Outcome, probe};
use crate::worker::Probe;

/// Long enough for any server that responds.
const TIMEOUT: Duration = Duration::from_secs(30);

fn send(address: SocketAddr) -> Outcome {
    probe(address, "/ready", TIMEOUT)
}

fn is_failure(outcome: &Outcome, why: &str) -> bool {
    matches!(outcome, Outcome::Failure(reason) if reason.contains(why))
}

#[test]
fn a_probe_is_a_get_on_a_new_connection() {
    let (sender, requests) = mpsc::channel();
    let address = serve(move |mut stream, request| {
        let from = stream.peer_addr().unwrap();
        sender.send((from, request)).unwrap();
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    });
    assert_eq!(send(address), Outcome::Success(200));
    assert_eq!(send(address), Outcome::Success(200));
    let (first, request) = requests.recv().unwrap();
    let (second, _) = requests.recv().unwrap();
    assert_ne!(first, second);
    assert!(request.starts_with("GET /ready HTTP/1.1\r\n"), "{request}");
    assert!(request.contains("\r\nUser-Agent: kube-probe/1."), "{request}");
    assert!(request.contains("\r\nConnection: close\r\n"), "{request}");
}

#[test]
fn success_is_200_to_399() {
    let send =
        |code: u16| send(responding(format!("HTTP/1.1 {code}\r\nContent-Length: 0\r\n\r\n")));
    for code in [200, 204, 299] {
        assert_eq!(send(code), Outcome::Success(code));
    }
    for code in [300, 304, 399] {
        assert_eq!(send(code), Outcome::Warning(code));
    }
    for code in [400, 404, 429, 500, 503] {
        assert!(is_failure(&send(code), &code.to_string()), "{code}");
    }
}

#[test]
fn redirects_are_followed_on_the_same_host_and_ten_times_at_most() {
    let redirect = |to: &str| responding(format!("HTTP/1.1 302 Found\r\nLocation: {to}\r\n\r\n"));
    let gone = responding("HTTP/1.1 410 Gone\r\nContent-Length: 0\r\n\r\n");
    assert!(is_failure(&send(redirect(&format!("http://{gone}/"))), "410"));
    assert_eq!(send(redirect("http://shop.example/")), Outcome::Warning(302));
    assert_eq!(send(redirect("https://127.0.0.1/")), Outcome::Warning(302));
    let no_location = responding("HTTP/1.1 302 Found\r\n\r\n");
    assert_eq!(send(no_location), Outcome::Warning(302));

    // Redirects `/ready` to `/1`, `/1` to `/2`, and so on up to the last.
    let hops = |last: u32| {
        serve(move |mut stream, request| {
            let path = request.split(' ').nth(1).unwrap();
            let hop = path[1..].parse().unwrap_or(0);
            let _ = if hop == last {
                write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
            } else {
                write!(stream, "HTTP/1.1 302 X\r\nLocation: /{}\r\n\r\n", hop + 1)
            };
        })
    };
    assert_eq!(send(hops(10)), Outcome::Success(200));
    assert!(is_failure(&send(hops(11)), "10 redirects"));
}

#[test]
fn at_most_ten_kilobytes_of_a_body_are_read() {
    let endless = serve(|mut stream, _| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n");
        while stream.write_all(b"a page\n").is_ok() {}
    });
    assert_eq!(send(endless), Outcome::Success(200));
}

#[test]
fn a_response_with_an_incomplete_body_is_discarded() {
    for code in [200, 503] {
        let response = format!("HTTP/1.1 {code} X\r\nContent-Length: 2\r\n\r\nO");
        assert_eq!(send(responding(response)), Outcome::Discarded);
    }
}

#[test]
fn a_closed_port_and_an_invalid_response_are_failures() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let closed = listener.local_addr().unwrap();
    drop(listener);
    assert!(is_failure(&send(closed), "refused"));
    assert!(is_failure(&send(responding("")), ""));
    assert!(is_failure(&send(responding("220 mail\r\n\r\n")), ""));
}

#[test]
fn a_server_that_does_not_respond_fails_at_the_timeout() {
    // The server responds at last, so that a probe without a timeout would succeed.
    let mute = serve(|mut stream, _| {
        thread::sleep(Duration::from_secs(20));
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    });
    let timeout = Probe::new("/ready").timeout;
    assert_eq!(timeout, Duration::from_secs(1));
    let outcome = probe(mute, "/ready", timeout);
    assert!(matches!(outcome, Outcome::Failure(_)), "{outcome:?}");
}

//! The simulator itself: what one probe sends, and what it makes of the answer.

use std::io::Write as _;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use crate::fake::{answering, serve};
use crate::prober::{Outcome, probe};
use crate::worker::Probe;

/// Long enough for any server that answers at all.
const PATIENCE: Duration = Duration::from_secs(30);

fn ask(address: SocketAddr) -> Outcome {
    probe(address, "/ready", PATIENCE)
}

fn is_failure(outcome: &Outcome, why: &str) -> bool {
    matches!(outcome, Outcome::Failure(reason) if reason.contains(why))
}

#[test]
fn a_probe_is_a_get_on_a_connection_of_its_own() {
    let (sender, requests) = mpsc::channel();
    let address = serve(move |mut stream, request| {
        let from = stream.peer_addr().unwrap();
        sender.send((from, request)).unwrap();
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    });
    assert_eq!(ask(address), Outcome::Success(200));
    assert_eq!(ask(address), Outcome::Success(200));
    let (first, request) = requests.recv().unwrap();
    let (second, _) = requests.recv().unwrap();
    assert_ne!(first, second);
    assert!(request.starts_with("GET /ready HTTP/1.1\r\n"), "{request}");
    assert!(
        request.contains("\r\nUser-Agent: kube-probe/1."),
        "{request}"
    );
    assert!(request.contains("\r\nConnection: close\r\n"), "{request}");
}

#[test]
fn success_is_200_to_399() {
    let ask = |code: u16| {
        ask(answering(format!(
            "HTTP/1.1 {code}\r\nContent-Length: 0\r\n\r\n"
        )))
    };
    for code in [200, 204, 299] {
        assert_eq!(ask(code), Outcome::Success(code));
    }
    for code in [300, 304, 399] {
        assert_eq!(ask(code), Outcome::Warning(code));
    }
    for code in [400, 404, 429, 500, 503] {
        assert!(is_failure(&ask(code), &code.to_string()), "{code}");
    }
}

#[test]
fn redirects_are_followed_on_the_same_host_alone_and_ten_times_at_most() {
    let redirect = |to: &str| answering(format!("HTTP/1.1 302 Found\r\nLocation: {to}\r\n\r\n"));
    let gone = answering("HTTP/1.1 410 Gone\r\nContent-Length: 0\r\n\r\n");
    assert!(is_failure(
        &ask(redirect(&format!("http://{gone}/"))),
        "410"
    ));
    assert_eq!(ask(redirect("http://shop.example/")), Outcome::Warning(302));
    assert_eq!(ask(redirect("https://127.0.0.1/")), Outcome::Warning(302));
    let no_location = answering("HTTP/1.1 302 Found\r\n\r\n");
    assert_eq!(ask(no_location), Outcome::Warning(302));

    // Answers `/ready` with `/1`, `/1` with `/2`, and so on up to the last.
    let hops = |last: u32| {
        serve(move |mut stream, request| {
            let path = request.split(' ').nth(1).unwrap();
            let hop = path[1..].parse().unwrap_or(0);
            let _ = match hop == last {
                true => write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
                false => write!(stream, "HTTP/1.1 302 X\r\nLocation: /{}\r\n\r\n", hop + 1),
            };
        })
    };
    assert_eq!(ask(hops(10)), Outcome::Success(200));
    assert!(is_failure(&ask(hops(11)), "10 redirects"));
}

#[test]
fn ten_kilobytes_of_a_body_are_read_and_no_more() {
    let endless = serve(|mut stream, _| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n");
        while stream.write_all(b"a page\n").is_ok() {}
    });
    assert_eq!(ask(endless), Outcome::Success(200));
}

#[test]
fn an_answer_whose_body_breaks_off_counts_neither_way() {
    for code in [200, 503] {
        let answer = format!("HTTP/1.1 {code} X\r\nContent-Length: 2\r\n\r\nO");
        assert_eq!(ask(answering(answer)), Outcome::Discarded);
    }
}

#[test]
fn nobody_there_and_nothing_understood_are_failures() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let nobody = listener.local_addr().unwrap();
    drop(listener);
    assert!(is_failure(&ask(nobody), "refused"));
    assert!(is_failure(&ask(answering("")), ""));
    assert!(is_failure(&ask(answering("220 mail\r\n\r\n")), ""));
}

#[test]
fn a_server_that_never_answers_fails_when_the_second_is_over() {
    // It gives up at last, should the probe not.
    let mute = serve(|mut stream, _| {
        thread::sleep(Duration::from_secs(20));
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    });
    let timeout = Probe::new("/ready").timeout;
    assert_eq!(timeout, Duration::from_secs(1));
    let outcome = probe(mute, "/ready", timeout);
    assert!(matches!(outcome, Outcome::Failure(_)), "{outcome:?}");
}

//! A server that says what the tests need.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use health_core::Report;

use super::*;
use crate::Indicator;
use crate::misbehaving::{hang, serve};

const INFO: &str = "INFO {\"version\":\"2.9.0\",\"max_payload\":1048576,\"headers\":true}\r\n";

/// What the server says: at first, to a login, and to a message.
#[derive(Clone, Copy)]
struct Words {
    first: &'static str,
    login: &'static str,
    message: &'static str,
}

const SOUND: Words = Words { first: INFO, login: "PONG\r\n", message: "" };

/// Returns its address, and the lines that its clients send.
fn server(words: Words) -> (SocketAddr, Arc<Mutex<Vec<String>>>) {
    let lines = Arc::new(Mutex::new(Vec::new()));
    let seen = lines.clone();
    let address = serve(move |mut stream| {
        let _ = respond(&mut stream, words, &seen);
    });
    (address, lines)
}

fn respond(stream: &mut TcpStream, words: Words, seen: &Mutex<Vec<String>>) -> std::io::Result<()> {
    stream.write_all(words.first.as_bytes())?;
    let mut subscription = String::new();
    for line in BufReader::new(stream.try_clone()?).lines() {
        let Ok(line) = line else {
            stream.write_all(b"-ERR 'Unknown Protocol Operation'\r\n")?;
            hang(stream.try_clone()?);
            return Ok(());
        };
        seen.lock().unwrap().push(line.clone());
        let mut parts = line.split(' ');
        match parts.next() {
            Some("PING") => stream.write_all(words.login.as_bytes())?,
            Some("SUB") => subscription = parts.collect::<Vec<_>>().join(" "),
            Some("PUB") => {
                stream.write_all(words.message.as_bytes())?;
                if !words.message.starts_with('-') {
                    let nobody = format!("HMSG {subscription} 16 16\r\nNATS/1.0 503\r\n\r\n\r\n");
                    stream.write_all(nobody.as_bytes())?;
                }
            }
            _ => {}
        }
    }
    Ok(())
}

async fn report(indicator: &impl Indicator) -> Report {
    Report::of("queue", indicator.test().await)
}

fn connected_to(address: SocketAddr) -> Kept<Opened> {
    connection(format!("nats://{address}"), ConnectOptions::new)
}

#[tokio::test]
async fn all_tests_use_one_connection() {
    let (address, lines) = server(SOUND);
    let indicator = connected_to(address);
    for _ in 0..100 {
        let report = report(&indicator).await;
        assert_eq!(report.reason(), None, "{report:?}");
    }
    let lines = lines.lock().unwrap();
    let count = |word: &str| lines.iter().filter(|line| line.starts_with(word)).count();
    assert_eq!((count("CONNECT"), count("PUB")), (1, 100));
    // The last one may be on its way.
    assert!(count("SUB") - count("UNSUB") <= 1);
}

#[tokio::test]
async fn the_password_or_token_of_the_url_is_used() {
    for (login, sent) in [
        ("ann:secret", "\"user\":\"ann\",\"pass\":\"secret\""),
        ("secret", "\"auth_token\":\"secret\""),
    ] {
        let (address, lines) = server(SOUND);
        let indicator = connection(format!("nats://{login}@{address}"), ConnectOptions::new);
        assert_eq!(report(&indicator).await.reason(), None);
        assert!(lines.lock().unwrap()[0].contains(sent), "{:?}", lines.lock().unwrap()[0]);
    }
}

#[tokio::test]
async fn words_of_the_server_have_reasons() {
    for (words, expected) in [
        (Words { login: "-ERR 'Authorization Violation'\r\n", ..SOUND }, "unauthorized"),
        (Words { login: "-ERR 'User Authentication Expired'\r\n", ..SOUND }, "unauthorized"),
        (Words { first: "-ERR 'maximum connections exceeded'\r\n", ..SOUND }, "saturated"),
        (
            Words { message: "-ERR 'Permissions Violation for Publish to \"x\"'\r\n", ..SOUND },
            "unauthorized",
        ),
        (Words { message: "INFO {\"ldm\":true}\r\n", ..SOUND }, "stopping"),
        (Words { first: "HTTP/1.1 400 Bad Request\r\n\r\n", ..SOUND }, "protocol"),
        (Words { first: "PONG\r\n", ..SOUND }, "protocol"),
    ] {
        let report = report(&connected_to(server(words).0)).await;
        assert_eq!(report.reason(), Some(expected), "{report:?}");
        let status = if expected == "stopping" { "DEGRADED" } else { "ERROR" };
        assert_eq!(report.status().as_str(), status);
    }
}

#[tokio::test]
async fn servers_that_cannot_be_reached_have_reasons() {
    let refusing = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    for (address, expected) in [
        (refusing, &["refused"][..]),
        (serve(drop), &["closed", "reset"]),
        (serve(hang), &["timed_out"]),
    ] {
        let indicator = connection(format!("nats://ann:secret@{address}"), ConnectOptions::new);
        let report = report(&indicator.timeout(Duration::from_millis(300))).await;
        assert!(expected.contains(&report.reason().unwrap()), "{expected:?}: {report:?}");
        assert!(!report.message().unwrap().contains("secret"));
    }
}

#[tokio::test]
async fn a_plain_server_cannot_be_connected_to_by_tls() {
    let report =
        report(&connection(format!("tls://{}", server(SOUND).0), ConnectOptions::new)).await;
    assert_eq!(report.reason(), Some("tls"), "{:?}", report.message());
}

#[tokio::test]
async fn what_it_cannot_connect_to_is_misconfigured() {
    for url in ["", "nats://ann:secret@queue:x", "http://ann:secret@queue", "nats://[::1"] {
        let report = report(&connection(url, ConnectOptions::new)).await;
        assert_eq!(report.reason(), Some("misconfigured"), "{url}: {report:?}");
        assert!(!report.message().unwrap().contains("secret"));
    }
}

#[test]
fn of_many_errors_between_two_tests_one_is_kept() {
    let (sender, mut errors) = mpsc::channel(0);
    let keep = keep_first(sender);
    for round in 0..2 {
        for error in 0..1_000 {
            keep((round, error));
        }
        assert_eq!(errors.try_recv().ok(), Some((round, 0)));
        assert!(errors.try_recv().is_err());
    }
}

#[tokio::test]
async fn the_client_of_the_application_is_asked_only_while_it_is_connected() {
    let (address, lines) = server(SOUND);
    let options = ConnectOptions::new().retry_on_initial_connect();
    let connected = options.connect(address.to_string()).await.unwrap();
    let connecting = async {
        while connected.connection_state() != State::Connected {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), connecting).await.unwrap();
    assert_eq!(report(&client(&connected)).await.reason(), None);
    assert!(lines.lock().unwrap().iter().any(|line| line.starts_with("PUB")));

    let refusing = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let options = ConnectOptions::new().retry_on_initial_connect();
    let pending = options.connect(refusing.to_string()).await.unwrap();
    assert_eq!(report(&client(&pending)).await.reason(), Some("closed"));
}

use std::io::Write as _;
use std::net::{SocketAddr, TcpStream};
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use health_core::Report;

use super::{Http, http};
use crate::Indicator as _;
use crate::misbehaving::{hang, request, serve};

const LONG: Duration = Duration::from_secs(60);
const NO_CONTENT: &str = "HTTP/1.1 204 No Content\r\n\r\n";

fn live(address: SocketAddr) -> Http {
    http(format!("http://{address}/live")).timeout(LONG).retry_delay(Duration::ZERO)
}

async fn report(http: &Http) -> Report {
    Report::of("http", http.test().await)
}

fn value(report: &Report, name: &str) -> Option<f64> {
    report.values().iter().find(|value| value.name() == name).map(|value| value.number())
}

/// Responds to each request of a connection with `response`.
fn responds(response: impl Into<Vec<u8>>) -> SocketAddr {
    let response = response.into();
    serve(move |mut stream| {
        while request(&mut stream).is_some() {
            if stream.write_all(&response).is_err() {
                return;
            }
        }
    })
}

#[tokio::test]
async fn a_connection_is_kept_or_opened_for_each_test() {
    let address = responds(format!("{NO_CONTENT}HTTP/1.1"));
    let kept = live(responds("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nalive"));
    let fresh = live(responds(NO_CONTENT)).fresh_connections();
    for test in 1..=3 {
        let report_of_kept = report(&kept).await;
        assert_eq!(report_of_kept.status().as_str(), "OK", "{report_of_kept:?}");
        assert_eq!(value(&report_of_kept, "status"), Some(200.0));
        assert_eq!(value(&report_of_kept, "connects"), Some(1.0));
        let report_of_fresh = report(&fresh).await;
        assert_eq!(value(&report_of_fresh, "status"), Some(204.0), "{report_of_fresh:?}");
        assert_eq!(value(&report_of_fresh, "connects"), Some(f64::from(test)));
    }
    // One that sends more than it was asked for is not used again.
    let odd = live(address);
    for _ in 0..3 {
        assert_eq!(report(&odd).await.status().as_str(), "OK");
    }
}

#[tokio::test]
async fn a_server_that_closes_after_each_response_is_no_failure() {
    for response in [
        "HTTP/1.0 200 OK\r\n\r\nuntil the end",
        "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 0\r\n\r\n",
        NO_CONTENT,
    ] {
        let live = live(serve(move |mut stream| {
            request(&mut stream);
            stream.write_all(response.as_bytes()).unwrap();
        }));
        for _ in 0..3 {
            let report = report(&live).await;
            assert_eq!(report.status().as_str(), "OK", "{report:?}");
        }
    }
}

#[tokio::test]
async fn the_request_is_as_configured() {
    let expected = "GET /?all=1 HTTP/1.1\r\nhost: ";
    let address = serve(move |mut stream: TcpStream| {
        let request = request(&mut stream).unwrap();
        let is_expected = request.starts_with(expected)
            && request.contains("\r\nuser-agent: health-indicators/")
            && request.contains("\r\nauthorization: Bearer secret\r\n");
        let status = if is_expected { "200 OK" } else { "500 Not As Expected" };
        stream
            .write_all(format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n").as_bytes())
            .unwrap();
    });
    let http = http(format!("http://{address}?all=1#part")).timeout(LONG);
    let http = http.header("Authorization", "Bearer secret");
    let report = report(&http).await;
    assert_eq!(report.status().as_str(), "OK", "{report:?}");
    assert!(!format!("{http:?}").contains("secret"));
}

#[tokio::test]
async fn a_status_that_is_not_accepted_is_an_error() {
    for (response, reason) in [
        ("301 Moved Permanently\r\nlocation: http://127.0.0.1:1/", "status"),
        ("503 Service Unavailable", "status"),
        ("401 Unauthorized", "unauthorized"),
        ("403 Forbidden", "unauthorized"),
        ("999 Odd", "status"),
    ] {
        let address = responds(format!("HTTP/1.1 {response}\r\ncontent-length: 0\r\n\r\n"));
        let report = report(&live(address)).await;
        assert_eq!((report.status().as_str(), report.reason()), ("ERROR", Some(reason)));
        assert!(value(&report, "status").is_some());
    }
    let address = responds("HTTP/1.1 503 Busy\r\ncontent-length: 0\r\n\r\n");
    let accepting = live(address).accept_status(200..=200).accept_status(500..=503);
    assert_eq!(report(&accepting).await.status().as_str(), "OK");
    let report = report(&live(responds(NO_CONTENT)).accept_status(200..=200)).await;
    assert_eq!(report.reason(), Some("status"));
}

#[tokio::test]
async fn another_protocol_has_its_reason() {
    let mut huge = b"HTTP/1.1 200 OK\r\n".to_vec();
    while huge.len() < 10 << 20 {
        huge.extend_from_slice(b"x-filler: 0123456789012345678901234567890123456789\r\n");
    }
    let one_huge = [b"HTTP/1.1 200 OK\r\nx-huge: ".to_vec(), vec![b'x'; 10 << 20]].concat();
    for bytes in [
        b"-ERR unknown command 'GET'\r\n".to_vec(),
        b"\x15\x03\x01\0\x02\x02\x46".to_vec(),
        b"\0\0\x12\x04\0\0\0\0\0\0\x03\0\0\0\x80\0\x04\0\x01\0\0\0\x05\0\xff\xff\xff".to_vec(),
        vec![0; 1000],
        huge,
        one_huge,
        b"HTTP/1.1 20 OK\r\n\r\n".to_vec(),
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nno chunk\r\n".to_vec(),
        b"HTTP/1.1 200 OK\r\ncontent-length: many\r\n\r\n".to_vec(),
    ] {
        let shown = bytes[..bytes.len().min(60)].escape_ascii().to_string();
        let report = report(&live(responds(bytes))).await;
        assert_eq!(report.reason(), Some("protocol"), "{shown}: {report:?}");
    }
}

#[tokio::test]
async fn a_response_that_is_cut_is_a_closed_connection() {
    for bytes in [
        "",
        "HTTP/1.1 200",
        "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\na\r\nhalf",
    ] {
        let report = report(&live(serve(move |mut stream| {
            request(&mut stream);
            stream.write_all(bytes.as_bytes()).unwrap();
        })))
        .await;
        assert_eq!(report.reason(), Some("closed"), "{bytes:?}: {report:?}");
    }
}

#[tokio::test]
async fn an_endless_body_ends_the_connection_and_not_the_test() {
    let (ended, ends) = (Arc::new(AtomicUsize::new(0)), 3);
    let counter = ended.clone();
    let live = live(serve(move |mut stream| {
        request(&mut stream);
        stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").unwrap();
        while stream.write_all(&[b'x'; 4096]).is_ok() {}
        counter.fetch_add(1, Ordering::SeqCst);
    }));
    for connects in 1..=ends {
        let report = report(&live).await;
        assert_eq!(report.status().as_str(), "OK", "{report:?}");
        assert_eq!(value(&report, "connects"), Some(connects as f64));
    }
    for _ in 0..1000 {
        if ended.load(Ordering::SeqCst) == ends {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("a connection is still open");
}

#[tokio::test]
async fn a_silent_server_is_given_up_wherever_it_stops() {
    for bytes in ["", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf"] {
        let live = live(serve(move |mut stream| {
            request(&mut stream);
            stream.write_all(bytes.as_bytes()).unwrap();
            hang(stream);
        }));
        let report = report(&live.timeout(Duration::from_millis(100))).await;
        assert_eq!(report.reason(), Some("timed_out"), "{report:?}");
    }
}

#[tokio::test]
async fn a_closed_port_and_an_unknown_name_have_reasons() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    assert_eq!(report(&live(closed)).await.reason(), Some("refused"));
    // Reserved by RFC 6761, and with a label that no name server is asked for.
    let unknown = http(format!("http://{}.invalid/", "a".repeat(64))).timeout(LONG);
    assert_eq!(report(&unknown).await.reason(), Some("name"));
}

#[tokio::test]
async fn bad_options_are_misconfigured_and_secrets_are_not_shown() {
    let long = format!("http://{}/", "a".repeat(300));
    let valid = "http://127.0.0.1:1/secret";
    for http in [
        http(""),
        http("secret.example"),
        http("secret.example:80"),
        http("/secret"),
        http("ftp://secret.example/"),
        http("http://"),
        http("http:///secret"),
        http("http://ann:secret@db.example/"),
        http("http://secret.example:99999/"),
        http("http://[::1/secret"),
        http("https://secret.example/"),
        http("http://example.com/secret with spaces"),
        http(long),
        http(valid).header("na me", "secret"),
        http(valid).header("authorization", "secret\r\nx: y"),
        http(valid).header("content-length", "5"),
        http(valid).header("transfer-encoding", "chunked"),
        http(valid).accept_status(RangeInclusive::new(300, 200)),
    ] {
        assert!(!format!("{http:?}").contains("secret"), "{http:?}");
        let report = report(&http).await;
        assert_eq!(report.reason(), Some("misconfigured"), "{report:?}");
        assert!(!report.message().unwrap().contains("secret"), "{report:?}");
    }
}

#[tokio::test]
async fn a_url_with_a_password_is_told_what_to_do() {
    let report = report(&http("http://ann:secret@db.example/")).await;
    assert!(report.message().unwrap().contains("`authorization`"), "{report:?}");
}

#[tokio::test]
async fn an_ipv6_literal_is_a_host() {
    let Ok(listener) = std::net::TcpListener::bind("[::1]:0") else {
        println!("NOT RUN: this host has no IPv6");
        return;
    };
    let live = live(listener.local_addr().unwrap());
    drop(listener);
    assert_eq!(report(&live).await.reason(), Some("refused"));
}

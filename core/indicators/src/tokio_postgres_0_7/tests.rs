use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use ::tokio_postgres_0_7::{Config, NoTls};
use health_core::Report;

use super::{Connection, connection, reasons, writable};
use crate::misbehaving::{hang, serve};
use crate::{Indicator as _, Kept};

const AUTHENTICATED: &[u8] = b"R\0\0\0\x08\0\0\0\0Z\0\0\0\x05I";
const CLEARTEXT_PASSWORD: &[u8] = b"R\0\0\0\x08\0\0\0\x03";
const EMPTY: &[u8] = b"I\0\0\0\x04Z\0\0\0\x05I";

fn config(server: SocketAddr, more: &str) -> Config {
    format!("host={} port={} user=shop {more}", server.ip(), server.port()).parse().unwrap()
}

async fn reason(kept: &Kept<Connection>) -> String {
    let test = tokio::time::timeout(Duration::from_secs(10), kept.test());
    let report = Report::of("database", test.await.expect("the indicator ends in time"));
    assert!(!report.message().unwrap_or_default().contains("secret"));
    report.reason().unwrap_or(report.status().as_str()).to_owned()
}

/// Reads a message of the client, whose length follows `tag` bytes.
fn read(stream: &mut TcpStream, tag: usize) -> Option<Vec<u8>> {
    stream.read_exact(&mut vec![0; tag]).ok()?;
    let mut length = [0; 4];
    stream.read_exact(&mut length).ok()?;
    let mut body = vec![0; usize::try_from(u32::from_be_bytes(length)).unwrap() - 4];
    stream.read_exact(&mut body).ok()?;
    Some(body)
}

fn message(tag: u8, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len() + 4).unwrap();
    [&[tag], &length.to_be_bytes()[..], body].concat()
}

fn error(code: &str) -> Vec<u8> {
    message(b'E', format!("SFATAL\0VFATAL\0C{code}\0Mtext\0\0").as_bytes())
}

/// The response to a query for one text.
fn row(text: &str) -> Vec<u8> {
    let description =
        [b"\0\x01setting\0", &[0; 6][..], b"\0\0\0\x19\xff\xff", &[0; 6][..]].concat();
    let length = u32::try_from(text.len()).unwrap().to_be_bytes();
    let data = [b"\0\x01", &length[..], text.as_bytes()].concat();
    let end = message(b'C', b"SHOW\0");
    [message(b'T', &description), message(b'D', &data), end, message(b'Z', b"I")].concat()
}

/// Responds to the greeting, and to each query.
fn postgres(greeting: Vec<u8>, response: Vec<u8>) -> SocketAddr {
    serve(move |mut stream| {
        if read(&mut stream, 0).is_none() || stream.write_all(&greeting).is_err() {
            return;
        }
        while read(&mut stream, 1).is_some() && stream.write_all(&response).is_ok() {}
    })
}

#[tokio::test]
async fn a_server_that_responds_passes_on_one_connection() {
    let opened = Arc::new(AtomicUsize::new(0));
    let counted = opened.clone();
    let server = serve(move |mut stream| {
        counted.fetch_add(1, Ordering::SeqCst);
        read(&mut stream, 0);
        stream.write_all(AUTHENTICATED).unwrap();
        while read(&mut stream, 1).is_some_and(|query| query == b"\0") {
            stream.write_all(EMPTY).unwrap();
        }
    });
    let indicator = connection(config(server, ""), NoTls);
    for _ in 0..100 {
        assert_eq!(reason(&indicator).await, "OK");
    }
    assert_eq!(opened.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn errors_of_the_server_have_the_reason_of_their_code() {
    for (code, expected) in [
        ("28P01", "unauthorized"),
        ("28000", "unauthorized"),
        ("53300", "saturated"),
        ("57P03", "starting"),
        ("3D000", "missing"),
        ("XX000", "failed"),
        ("", "failed"),
    ] {
        let at_start = postgres(error(code), Vec::new());
        assert_eq!(reason(&connection(config(at_start, ""), NoTls)).await, expected, "{code}");
        let at_query =
            postgres(AUTHENTICATED.to_vec(), [error(code), message(b'Z', b"I")].concat());
        assert_eq!(reason(&connection(config(at_query, ""), NoTls)).await, expected, "{code}");
    }
}

#[tokio::test]
async fn a_server_that_only_reads_is_an_error_if_writes_are_needed() {
    for (response, expected) in [
        (row("off"), "OK"),
        (row("on"), "read_only"),
        (row("ä"), "read_only"),
        (EMPTY.to_vec(), "protocol"),
        (error("42704"), "failed"),
    ] {
        let server = postgres(AUTHENTICATED.to_vec(), response);
        assert_eq!(reason(&writable(config(server, ""), NoTls)).await, expected);
    }
    let server = postgres(AUTHENTICATED.to_vec(), row("on"));
    let config = config(server, "target_session_attrs=read-write");
    assert_eq!(reason(&connection(config, NoTls)).await, "read_only");
}

#[tokio::test]
async fn what_is_missing_in_the_configuration_is_found() {
    let server = postgres(CLEARTEXT_PASSWORD.to_vec(), Vec::new());
    assert_eq!(reason(&connection(config(server, ""), NoTls)).await, "unauthorized");
    let without_tls = serve(|mut stream| {
        read(&mut stream, 0);
        stream.write_all(b"N").unwrap();
    });
    let config = config(without_tls, "password=secret sslmode=require");
    assert_eq!(reason(&connection(config, NoTls)).await, "tls");
    assert_eq!(reason(&connection(Config::new(), NoTls)).await, "misconfigured");
    let invalid = "host='".parse::<Config>().unwrap_err();
    assert_eq!(reasons::reason_of(&invalid), Some("misconfigured"));
}

#[tokio::test]
async fn a_server_that_is_gone_closes_or_speaks_something_else_has_a_reason() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let gone = listener.local_addr().unwrap();
    drop(listener);
    assert_eq!(reason(&connection(config(gone, ""), NoTls)).await, "refused");

    let closing = reason(&connection(config(serve(drop), ""), NoTls)).await;
    assert!(["closed", "reset"].contains(&&*closing), "{closing}");

    let http = postgres(b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec(), Vec::new());
    let http = connection(config(http, ""), NoTls).timeout(Duration::from_millis(500));
    let http = reason(&http).await;
    // The length of its first message is that of its text.
    assert!(["protocol", "timed_out"].contains(&&*http), "{http}");
    let unknown = postgres(message(b'?', b""), Vec::new());
    assert_eq!(reason(&connection(config(unknown, ""), NoTls)).await, "protocol");
}

#[tokio::test]
async fn a_server_that_hangs_or_never_ends_is_given_up_and_the_connection_closed() {
    let open = Arc::new(AtomicUsize::new(0));
    let silent = {
        let open = open.clone();
        serve(move |mut stream| {
            open.fetch_add(1, Ordering::SeqCst);
            read(&mut stream, 0);
            stream.write_all(AUTHENTICATED).unwrap();
            read(&mut stream, 1);
            hang(stream);
            open.fetch_sub(1, Ordering::SeqCst);
        })
    };
    let endless = serve(|mut stream| {
        read(&mut stream, 0);
        stream.write_all(AUTHENTICATED).unwrap();
        read(&mut stream, 1);
        let row = row("off");
        let row = &row[..row.len() - message(b'Z', b"I").len()];
        while stream.write_all(row).is_ok() {}
    });
    for server in [serve(hang), silent, endless] {
        let indicator = connection(config(server, ""), NoTls).timeout(Duration::from_millis(300));
        assert_eq!(reason(&indicator).await, "timed_out");
    }
    for _ in 0..1000 {
        if open.load(Ordering::SeqCst) == 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("a connection is still open");
}

#[test]
fn without_tokio_it_fails() {
    let indicator = connection(Config::new(), NoTls);
    let report = Report::of("database", futures::executor::block_on(indicator.test()));
    assert_eq!(report.status().as_str(), "ERROR");
}

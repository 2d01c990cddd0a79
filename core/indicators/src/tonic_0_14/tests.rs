use std::convert::Infallible;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use ::tonic_0_14::transport::{Channel, Endpoint};
use health_core::Report;
use http::{HeaderMap, Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};

use super::{channel, connection};
use crate::misbehaving::{hang, serve};
use crate::{Indicator as _, Kept};

const LONG: Duration = Duration::from_secs(60);

async fn report(check: &Kept<Channel>) -> Report {
    Report::of("stock", check.test().await)
}

fn of(address: SocketAddr) -> Kept<Channel> {
    connection(format!("http://{address}"), "shop.Orders").timeout(LONG)
}

/// A server of gRPC that responds with a message, a code and a text.
async fn grpc(message: &'static [u8], code: &'static str, text: &'static str) -> SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let respond = move |request: Request<Incoming>| async move {
        assert_eq!(request.uri().path(), "/grpc.health.v1.Health/Check");
        let body = request.into_body().collect().await.unwrap().to_bytes();
        assert_eq!(&body[..], b"\0\0\0\0\x0d\x0a\x0bshop.Orders");
        let mut trailers = HeaderMap::new();
        trailers.insert("grpc-status", code.parse().unwrap());
        trailers.insert("grpc-message", text.parse().unwrap());
        let body = Full::new(Bytes::from_static(message));
        let body = body.with_trailers(async { Some(Ok(trailers)) });
        Ok::<_, Infallible>(
            Response::builder().header("content-type", "application/grpc").body(body).unwrap(),
        )
    };
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let builder = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
            let io = TokioIo::new(stream);
            tokio::spawn(builder.serve_connection(io, service_fn(respond)));
        }
    });
    address
}

#[tokio::test]
async fn what_the_server_says_counts() {
    let long = [b"\0\0\0\x13\x87\x08\x01\x12\x82\x27".to_vec(), vec![0; 4994]].concat().leak();
    for (message, code, status, reason) in [
        (b"\0\0\0\0\x02\x08\x01".as_slice(), "0", "OK", None),
        (b"\0\0\0\0\x02\x08\x02", "0", "ERROR", Some("status")),
        (b"\0\0\0\0\x02\x08\x03", "0", "DEGRADED", Some("missing")),
        (b"\0\0\0\0\0", "0", "ERROR", Some("status")),
        (b"\0\0\0\0\x02\x08\x07", "0", "ERROR", Some("status")),
        // With a field of a later version.
        (b"\0\0\0\0\x04\x08\x01\x10\x01", "0", "OK", None),
        (b"", "5", "DEGRADED", Some("missing")),
        (b"", "12", "DEGRADED", Some("missing")),
        (b"", "16", "ERROR", Some("unauthorized")),
        (b"", "7", "ERROR", Some("unauthorized")),
        (b"", "14", "ERROR", Some("status")),
        (b"", "odd", "ERROR", Some("status")),
        (b"", "0", "ERROR", Some("status")),
        (b"\0\0\0\0\x02\xff\xff", "0", "ERROR", Some("status")),
        (long, "0", "ERROR", Some("status")),
        (b"\0\x7f\xff\xff\xff\x08\x01", "0", "ERROR", Some("status")),
    ] {
        let address = grpc(message, code, "").await;
        let report = report(&of(address)).await;
        let found = (report.status().as_str(), report.reason());
        assert_eq!(found, (status, reason), "{message:?}, {code}: {:?}", report.message());
    }
}

#[tokio::test]
async fn one_connection_or_the_channel_of_the_application_is_used_again() {
    let address = grpc(b"\0\0\0\0\x02\x08\x01", "0", "").await;
    let own = of(address);
    let lazy = Endpoint::from_shared(format!("http://{address}")).unwrap().connect_lazy();
    let given = channel(&lazy, "shop.Orders").timeout(LONG);
    for check in [&own, &given] {
        for _ in 0..3 {
            let report = report(check).await;
            assert_eq!(report.status().as_str(), "OK", "{:?}", report.message());
            assert_eq!(report.values()[0].number(), 1.0);
        }
    }
}

/// Reads until the request has come.
fn read_request(stream: &mut TcpStream) {
    let mut received = Vec::new();
    let name = b"shop.Orders";
    while !received.windows(name.len()).any(|window| window == name) {
        let mut buffer = [0; 1000];
        let read = stream.read(&mut buffer).unwrap();
        assert!(read > 0, "the client closed the connection");
        received.extend_from_slice(&buffer[..read]);
    }
}

#[tokio::test]
async fn another_protocol_is_an_error_with_its_reason() {
    for bytes in [
        b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n".as_slice(),
        b"-ERR unknown command\r\n",
        b"\x15\x03\x01\0\x02\x02\x46",
        &[0; 100],
    ] {
        let shown = bytes.escape_ascii();
        let address = serve(move |mut stream| {
            read_request(&mut stream);
            stream.write_all(bytes).unwrap();
            hang(stream);
        });
        let late = report(&of(address)).await;
        assert_eq!(late.reason(), Some("protocol"), "{shown}: {:?}", late.message());

        let address = serve(move |mut stream| {
            stream.write_all(bytes).unwrap_or_default();
            hang(stream);
        });
        let early = report(&of(address)).await;
        let is_known = matches!(early.reason(), Some("protocol" | "closed"));
        assert!(is_known, "{shown}: {:?}", early.message());
    }
}

#[tokio::test]
async fn a_server_that_closes_is_silent_or_is_gone_has_a_reason() {
    let closed = report(&of(serve(|mut stream| read_request(&mut stream)))).await;
    assert!(matches!(closed.reason(), Some("closed" | "reset")), "{:?}", closed.message());
    let closed = report(&of(serve(drop))).await;
    assert!(matches!(closed.reason(), Some("closed" | "reset")), "{:?}", closed.message());
    let silent = report(&of(serve(hang)).timeout(Duration::from_millis(100))).await;
    assert_eq!(silent.reason(), Some("timed_out"));
    let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    assert_eq!(report(&of(gone)).await.reason(), Some("refused"));
    let lazy = Endpoint::from_shared(format!("http://{gone}")).unwrap().connect_lazy();
    assert_eq!(report(&channel(&lazy, "").timeout(LONG)).await.reason(), Some("refused"));
    // Reserved by RFC 6761, and with a label that no name server is asked for.
    let unknown = connection(format!("http://{}.invalid:1", "a".repeat(64)), "").timeout(LONG);
    assert_eq!(report(&unknown).await.reason(), Some("name"));
}

#[tokio::test]
async fn bad_options_are_misconfigured_and_secrets_are_not_shown() {
    let long = format!("http://{}:1", "a".repeat(300));
    for uri in [
        "",
        "secret.example:1",
        "https://secret.example:1",
        "unix:/secret",
        "http://ann:secret@stock.example:1",
        "http://secret.example:99999",
        &long,
    ] {
        let report = report(&connection(uri, "")).await;
        assert_eq!(report.reason(), Some("misconfigured"), "{uri}: {:?}", report.message());
        assert!(!report.message().unwrap().contains("secret"), "{uri}");
    }
    let address = grpc(b"", "13", "at http://ann:secret@db.example").await;
    let report = report(&of(address)).await;
    assert!(!report.message().unwrap().contains("secret"), "{:?}", report.message());
}

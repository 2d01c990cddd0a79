//! What covers the application: active requests, and connections that close during a drain (H26).

#![expect(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

use std::convert::Infallible;
use std::future::{pending, poll_fn, ready};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{IpAddr, Ipv4Addr, TcpStream};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use allocation_counter::measure;
use futures::FutureExt as _;
use futures::executor::block_on;
use health_hyper::{ClientAddress, Drain, Endpoint, Health, health_request, service};
use health_testees::hyper::serve_app;
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt as _, Empty, Full};
use hyper::body::{Body, Bytes, Frame};
use hyper::header::{CONNECTION, HeaderValue};
use hyper::service::{Service, service_fn};
use hyper::{Request, Response, StatusCode, Version};

fn health() -> Health {
    Health::builder().endpoint(Endpoint::liveness("/live")).build().unwrap()
}

fn draining() -> Health {
    let health = health();
    health.drain();
    health
}

fn request(target: &str) -> Request<String> {
    Request::get(target).body(String::new()).unwrap()
}

/// The header `Connection` of the response to a request in `version`, from an application that responds with
/// `response`.
fn connection(
    health: &Health,
    mut request: Request<String>,
    version: Version,
    response: Response<String>,
) -> Option<HeaderValue> {
    *request.version_mut() = version;
    let app = service_fn(move |_: Request<String>| ready(Ok::<_, Infallible>(response.clone())));
    let response = block_on(service(health, app).call(request)).unwrap();
    let mut values = response.headers().get_all(CONNECTION).iter();
    let value = values.next().cloned();
    assert_eq!(values.next(), None);
    value
}

#[test]
fn while_draining_each_response_over_http_1_closes_the_connection() {
    for path in ["/", "/health", "/live"] {
        for version in [Version::HTTP_10, Version::HTTP_11] {
            let own = || Response::new("own".to_owned());
            assert_eq!(connection(&health(), request(path), version, own()), None, "{path}");
            let closes = connection(&draining(), request(path), version, own());
            assert_eq!(closes, Some(HeaderValue::from_static("close")), "{path} {version:?}");
        }
    }
}

#[test]
fn a_response_over_http_2_has_no_such_header() {
    for path in ["/", "/health"] {
        let own = Response::new("own".to_owned());
        assert_eq!(connection(&draining(), request(path), Version::HTTP_2, own), None, "{path}");
    }
}

#[test]
fn the_header_replaces_that_of_the_application() {
    let kept = HeaderValue::from_static("keep-alive");
    let own = Response::builder().header(CONNECTION, &kept).body(String::new()).unwrap();
    let version = Version::HTTP_11;
    assert_eq!(connection(&health(), request("/"), version, own.clone()), Some(kept));
    let closes = connection(&draining(), request("/"), version, own);
    assert_eq!(closes, Some(HeaderValue::from_static("close")));
}

#[test]
fn a_switch_to_another_protocol_stays_as_it_is() {
    let upgrade = HeaderValue::from_static("upgrade");
    for status in [StatusCode::SWITCHING_PROTOCOLS, StatusCode::UPGRADE_REQUIRED] {
        let own = Response::builder().status(status).header(CONNECTION, &upgrade);
        let own = own.body(String::new()).unwrap();
        let got = connection(&draining(), request("/"), Version::HTTP_11, own);
        assert_eq!(got.as_ref(), Some(&upgrade), "{status}");
    }
}

#[test]
fn the_server_closes_the_connection_after_the_response() {
    let own = service_fn(|_| ready(Ok::<_, Infallible>(Response::new("own".to_owned()))));
    let server = serve_app(|| service(draining(), own)).unwrap();
    for (start, body) in [
        ("GET / HTTP/1.1\r\n", "own"),
        ("HEAD / HTTP/1.1\r\n", ""),
        ("GET / HTTP/1.0\r\nConnection: keep-alive\r\n", "own"),
        ("GET /live HTTP/1.1\r\n", "OK"),
    ] {
        let mut client = TcpStream::connect(server.address()).unwrap();
        client.write_all(format!("{start}Host: localhost\r\n\r\n").as_bytes()).unwrap();
        let mut response = String::new();
        client.read_to_string(&mut response).unwrap();
        let (head, rest) = response.split_once("\r\n\r\n").unwrap();
        assert!(head.contains("\r\nconnection: close"), "{start}{response}");
        assert_eq!(rest, body, "{start}");
    }
}

/// A body of `frames` pieces.
struct Pieces {
    frames: usize,
}

impl Body for Pieces {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let Some(rest) = self.frames.checked_sub(1) else {
            return Poll::Ready(None);
        };
        self.frames = rest;
        Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(b"piece")))))
    }
}

#[test]
fn a_request_is_active_until_its_response_has_ended() {
    let health = health();
    let app = service_fn(async |_: Request<String>| {
        Ok::<_, Infallible>(Response::new(Pieces { frames: 2 }))
    });
    let app = service(&health, app);
    let called = app.call(request("/"));
    assert_eq!(health.active_requests(), 1);
    let mut body = block_on(called).unwrap().into_body();
    for _ in 0..2 {
        assert!(block_on(body.frame()).is_some());
        assert_eq!(health.active_requests(), 1);
    }
    assert!(block_on(body.frame()).is_none());
    assert_eq!(health.active_requests(), 0);
}

#[test]
fn a_response_that_is_dropped_ends_its_request() {
    let health = health();
    let app = service_fn(async |_: Request<String>| {
        Ok::<_, Infallible>(Response::new(Pieces { frames: 2 }))
    });
    let response = block_on(service(&health, app).call(request("/"))).unwrap();
    assert_eq!(health.active_requests(), 1);
    drop(response);
    assert_eq!(health.active_requests(), 0);
}

#[test]
fn a_request_that_is_cancelled_is_not_active() {
    let health = health();
    let app = service_fn(|_: Request<String>| pending::<Result<Response<String>, Infallible>>());
    let mut called = Box::pin(service(&health, app).call(request("/")));
    assert!(called.as_mut().now_or_never().is_none());
    assert_eq!(health.active_requests(), 1);
    drop(called);
    assert_eq!(health.active_requests(), 0);
}

#[test]
fn a_request_that_fails_or_panics_is_not_active() {
    let health = health();
    let fails = service_fn(|_: Request<String>| ready(Err::<Response<String>, _>("failed")));
    let failed = block_on(service(&health, fails).call(request("/")));
    assert_eq!(failed.err(), Some("failed"));
    let panics = |when: &'static str| {
        let app = service_fn(move |_: Request<String>| {
            assert_ne!(when, "called");
            async move {
                assert_ne!(when, "polled");
                Ok::<_, Infallible>(Response::new(String::new()))
            }
        });
        let app = service(&health, app);
        let call = || block_on(app.call(request("/"))).map(drop);
        catch_unwind(AssertUnwindSafe(call)).unwrap_err();
    };
    panics("called");
    panics("polled");
    assert_eq!(health.active_requests(), 0);
}

/// Whether the body of a response is boxed once more by an adapter that boxes bodies, and the request active until its
/// end.
fn is_boxed_until_its_end<B>(target: &str, body: impl Fn() -> B) -> bool
where
    B: Body<Data = Bytes, Error = Infallible> + Send + Sync + 'static,
{
    let health = health();
    let app = service_fn(|_: Request<String>| {
        ready(Ok::<_, Infallible>(Response::new(BoxBody::new(body()))))
    });
    let app = service(&health, app);
    let mut future = pin!(app.call(request(target)));
    let mut boxes = 0;
    let mut poll = |context: &mut Context<'_>| {
        future.as_mut().poll_boxed(context, |body| {
            boxes += 1;
            BoxBody::new(body)
        })
    };
    let response = block_on(poll_fn(&mut poll)).unwrap();
    let is_active = health.active_requests() == 1;
    let expected = block_on(BoxBody::new(body()).collect()).unwrap().to_bytes();
    let got = block_on(response.into_body().collect()).unwrap().to_bytes();
    assert_eq!(got, if target == "/" { expected } else { Bytes::from_static(b"OK") });
    assert_eq!(health.active_requests(), 0);
    assert_eq!(is_active, boxes == 1);
    boxes == 1
}

#[test]
fn a_body_of_the_application_is_boxed_once_more_unless_it_is_complete() {
    assert!(!is_boxed_until_its_end("/", || Full::from("own")));
    assert!(!is_boxed_until_its_end("/", Full::default));
    assert!(!is_boxed_until_its_end("/", || Full::from(vec![b' '; 64 * 1024])));
    assert!(is_boxed_until_its_end("/", || Full::from(vec![b' '; 64 * 1024 + 1])));
    assert!(is_boxed_until_its_end("/", || Pieces { frames: 2 }));
    assert!(is_boxed_until_its_end("/health", || Full::from("own")));
}

#[test]
fn ten_thousand_requests_leave_none_active() {
    let health = health();
    let own = service_fn(|_| ready(Ok::<_, Infallible>(Response::new("own".to_owned()))));
    let server = serve_app(|| service(&health, own)).unwrap();
    let client = TcpStream::connect(server.address()).unwrap();
    client.set_nodelay(true).unwrap();
    let mut reader = BufReader::new(client.try_clone().unwrap());
    let mut writer = client;
    for number in 0..10_000 {
        let path = if number % 10 == 0 { "/live" } else { "/" };
        write!(writer, "GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
        let mut length = 0;
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).unwrap();
            if let Some(value) = line.strip_prefix("content-length: ") {
                length = value.trim().parse().unwrap();
            }
            if line == "\r\n" {
                break;
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).unwrap();
    }
    // The server drops the last body just after it has written it.
    let start = Instant::now();
    while health.active_requests() > 0 {
        assert!(start.elapsed() < Duration::from_secs(10), "{}", health.active_requests());
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn the_cover_allocates_nothing() {
    let app = service_fn(|_: Request<String>| {
        ready(Ok::<_, Infallible>(Response::new(Full::<Bytes>::from("own"))))
    });
    // The executor of the test allocates at its first use.
    block_on(ready(()));
    let allocations = |service: &dyn Fn(Request<String>)| {
        let request = request("/");
        measure(|| service(request)).count_total
    };
    let plain = allocations(&|request| {
        drop(block_on(block_on(app.call(request)).unwrap().into_body().collect()));
    });
    let covered = service(health(), app);
    let with = allocations(&|request| {
        drop(block_on(block_on(covered.call(request)).unwrap().into_body().collect()));
    });
    assert_eq!(with, plain);
}

#[test]
fn the_application_is_told_who_polls_only_if_a_drain_depends_on_it() {
    let address = IpAddr::V4(Ipv4Addr::LOCALHOST);
    let poll = Request::get("/health?checks=all").header("User-Agent", "a poller");
    let (mut parts, _) = poll.body(()).unwrap().into_parts();
    parts.extensions.insert(ClientAddress(address));
    let health = health();
    let endpoint = health.at("/health").unwrap();
    let poll = || format!("{:?}", health_request(&endpoint, &parts, ClientAddress::of));
    let without = poll();
    assert!(without.contains("checks=all") && without.contains("address: None"), "{without}");
    let second = Duration::from_secs(1);
    let drain = Drain::at_least(second).at_most(second * 2).unwrap();
    drop(health.drain_when(pending::<()>(), drain));
    let with = poll();
    assert!(with.contains("127.0.0.1"), "{with}");
    assert!(with.contains(&format!("{:?}", b"a poller")), "{with}");
}

/// hyper drops the request of a client that has left.
#[test]
fn the_request_of_a_client_that_leaves_is_not_active() {
    let health = health();
    let own = service_fn(|_| pending::<Result<Response<Empty<Bytes>>, Infallible>>());
    let server = serve_app(|| service(&health, own)).unwrap();
    let mut client = TcpStream::connect(server.address()).unwrap();
    client.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    let start = Instant::now();
    let wait_for = |active| {
        while health.active_requests() != active {
            assert!(start.elapsed() < Duration::from_secs(10), "{}", health.active_requests());
            std::thread::sleep(Duration::from_millis(1));
        }
    };
    wait_for(1);
    drop(client);
    wait_for(0);
}

//! A broker that says what the tests need.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ::lapin_4::protocol::AMQPError;
use health_core::Report;

use super::*;
use crate::misbehaving::{hang, serve};

fn frame(channel: u16, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![1];
    frame.extend(channel.to_be_bytes());
    frame.extend(u32::try_from(payload.len()).unwrap().to_be_bytes());
    frame.extend(payload);
    frame.push(0xCE);
    frame
}

/// The next method of the client: its channel, class and number.
fn method(stream: &mut TcpStream) -> Option<(u16, u8, u8)> {
    loop {
        let mut head = [0; 7];
        stream.read_exact(&mut head).ok()?;
        let size = u32::from_be_bytes([head[3], head[4], head[5], head[6]]);
        let mut rest = vec![0; usize::try_from(size).unwrap() + 1];
        stream.read_exact(&mut rest).ok()?;
        if head[0] == 1 {
            return Some((u16::from_be_bytes([head[1], head[2]]), rest[1], rest[3]));
        }
    }
}

#[derive(Default)]
struct Broker {
    connections: AtomicU32,
    published: AtomicU32,
    has_alarm: AtomicBool,
    /// It confirms a message before it says that it reads no other.
    is_late: AtomicBool,
    streams: Mutex<Vec<TcpStream>>,
}

impl Broker {
    fn start() -> (Arc<Self>, String) {
        let broker = Arc::new(Self::default());
        let served = broker.clone();
        let address = serve(move |stream| served.serve(stream));
        (broker, format!("amqp://ann:secret@{address}/%2f"))
    }

    /// Ends all connections, as a server that is killed.
    fn end_connections(&self) {
        for stream in self.streams.lock().unwrap().drain(..) {
            stream.shutdown(Shutdown::Both).unwrap();
        }
    }

    fn serve(&self, mut stream: TcpStream) {
        self.connections.fetch_add(1, Ordering::Relaxed);
        self.streams.lock().unwrap().push(stream.try_clone().unwrap());
        stream.read_exact(&mut [0; 8]).unwrap();
        let start = b"\0\x0A\0\x0A\0\x09\0\0\0\0\0\0\0\x05PLAIN\0\0\0\x05en_US";
        stream.write_all(&frame(0, start)).unwrap();
        let mut tag = 0_u64;
        while let Some((channel, class, method)) = method(&mut stream) {
            let responses: Vec<Vec<u8>> = match (class, method) {
                (10, 11) => vec![b"\0\x0A\0\x1E\0\x10\0\x02\0\0\0\0".to_vec()],
                (10, 40) => vec![b"\0\x0A\0\x29\0".to_vec()],
                (20, 10) => vec![b"\0\x14\0\x0B\0\0\0\0".to_vec()],
                (85, 10) => vec![b"\0\x55\0\x0B".to_vec()],
                (60, 10) => vec![b"\0\x3C\0\x0B".to_vec()],
                (60, 40) => {
                    self.published.fetch_add(1, Ordering::Relaxed);
                    tag += 1;
                    vec![[b"\0\x3C\0\x50".as_slice(), &tag.to_be_bytes(), b"\0"].concat()]
                }
                _ => vec![],
            };
            let is_publish = (class, method) == (60, 40);
            if is_publish && self.has_alarm.load(Ordering::Relaxed) {
                if self.is_late.load(Ordering::Relaxed) {
                    stream.write_all(&frame(channel, &responses[0])).unwrap();
                    std::thread::sleep(Duration::from_millis(50));
                }
                stream.write_all(&frame(0, b"\0\x0A\0\x3C\x06memory")).unwrap();
                while self.has_alarm.load(Ordering::Relaxed) {
                    std::thread::sleep(Duration::from_millis(1));
                }
                stream.write_all(&frame(0, b"\0\x0A\0\x3D")).unwrap();
                if self.is_late.load(Ordering::Relaxed) {
                    continue;
                }
            }
            for response in responses {
                let _ = stream.write_all(&frame(channel, &response));
            }
        }
    }
}

async fn report(indicator: &impl crate::Indicator) -> Report {
    Report::of("queue", indicator.test().await)
}

#[tokio::test]
async fn all_tests_use_one_connection() {
    let (broker, uri) = Broker::start();
    let (consumer, publisher) = (connection(&*uri), publisher(&*uri));
    for _ in 0..100 {
        assert_eq!(report(&consumer).await.reason(), None);
        assert_eq!(report(&publisher).await.reason(), None);
    }
    assert_eq!(broker.connections.load(Ordering::Relaxed), 2);
    assert_eq!(broker.published.load(Ordering::Relaxed), 100);
}

#[tokio::test]
async fn an_alarm_blocks_a_publisher_on_one_connection_until_it_ends() {
    for is_late in [false, true] {
        let (broker, uri) = Broker::start();
        broker.is_late.store(is_late, Ordering::Relaxed);
        let publisher = publisher(uri);
        assert_eq!(report(&publisher).await.reason(), None);
        broker.has_alarm.store(true, Ordering::Relaxed);
        for _ in 0..10 {
            assert_eq!(report(&publisher).await.reason(), Some("blocked"));
        }
        assert_eq!(broker.published.load(Ordering::Relaxed), 2);
        broker.has_alarm.store(false, Ordering::Relaxed);
        for _ in 0..1_000 {
            if report(&publisher).await.reason().is_none() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        assert_eq!(report(&publisher).await.reason(), None);
        assert_eq!(broker.connections.load(Ordering::Relaxed), 1);
    }
}

#[tokio::test]
async fn a_connection_that_is_lost_during_an_alarm_is_replaced() {
    let (broker, uri) = Broker::start();
    let publisher = publisher(uri);
    assert_eq!(report(&publisher).await.reason(), None);
    broker.has_alarm.store(true, Ordering::Relaxed);
    assert_eq!(report(&publisher).await.reason(), Some("blocked"));
    broker.has_alarm.store(false, Ordering::Relaxed);
    broker.end_connections();
    for _ in 0..1_000 {
        if report(&publisher).await.reason().is_none() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(report(&publisher).await.reason(), None);
}

#[tokio::test]
async fn an_alarm_that_is_over_is_not_taken_for_a_new_one() {
    let (broker, uri) = Broker::start();
    let opened = open(&uri).await.unwrap();
    let channel = opened.channel();
    channel.confirm_select(ConfirmSelectOptions::default()).await.unwrap();
    // lapin keeps events only while a listener exists.
    let _listening = opened.connection().events_listener();
    broker.has_alarm.store(true, Ordering::Relaxed);
    let options = BasicPublishOptions::default();
    let properties = BasicProperties::default();
    let message = channel.basic_publish("".into(), NOWHERE.into(), options, b"", properties);
    let confirmation = message.await.unwrap();
    let until = async |blocked| {
        let seen = async {
            while opened.connection().status().blocked() != blocked {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(10), seen).await.unwrap();
    };
    until(true).await;
    broker.has_alarm.store(false, Ordering::Relaxed);
    until(false).await;
    confirmation.await.unwrap();
    let published = publish(&opened).await.unwrap();
    assert_eq!(Report::of("queue", published).reason(), None);
}

#[tokio::test]
async fn what_it_cannot_connect_to_is_misconfigured() {
    let uris = [
        "",
        "queue:5672",
        "http://ann:secret@queue",
        "amqp://ann:secret@queue:x",
        "amqp://ann:secret%ff@queue",
    ];
    for uri in uris {
        let report = report(&connection(uri)).await;
        assert_eq!(report.reason(), Some("misconfigured"), "{uri}: {report:?}");
        assert!(!report.message().unwrap().contains("secret"));
    }
}

#[tokio::test]
async fn no_password_is_sent_over_a_plain_connection_that_should_be_encrypted() {
    let (broker, uri) = Broker::start();
    let report = report(&connection(uri.replace("amqp://", "amqps://"))).await;
    assert!(["misconfigured", "tls"].contains(&report.reason().unwrap()), "{report:?}");
    assert_eq!(broker.published.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn servers_that_do_not_speak_the_protocol_have_reasons() {
    let saying = |bytes: &'static [u8]| {
        serve(move |mut stream| {
            let _ = stream.write_all(bytes);
            hang(stream);
        })
    };
    let another_version = saying(b"AMQP\0\0\x09\x02");
    let http = saying(b"HTTP/1.1 400 Bad Request\r\n\r\n");
    let endless = serve(|mut stream| while stream.write_all(&[0xAA; 64]).is_ok() {});
    for (server, expected) in [
        (another_version, &["protocol"][..]),
        (http, &["protocol"]),
        (endless, &["protocol"]),
        (serve(drop), &["closed", "reset"]),
        (refusing(), &["refused"]),
    ] {
        let report = report(&connection(format!("amqp://ann:secret@{server}"))).await;
        assert!(expected.contains(&report.reason().unwrap()), "{expected:?}: {report:?}");
        assert!(!report.message().unwrap().contains("secret"));
    }
}

fn refusing() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

#[tokio::test]
async fn a_silent_server_is_given_up_with_its_connection() {
    let open = Arc::new(AtomicU32::new(0));
    let counted = open.clone();
    let server = serve(move |mut stream| {
        counted.fetch_add(1, Ordering::Relaxed);
        while stream.read(&mut [0; 64]).is_ok_and(|read| read > 0) {}
        counted.fetch_sub(1, Ordering::Relaxed);
    });
    for _ in 0..5 {
        let indicator = connection(format!("amqp://{server}")).timeout(Duration::from_millis(50));
        assert_eq!(report(&indicator).await.reason(), Some("timed_out"));
    }
    let ended = async {
        while open.load(Ordering::Relaxed) > 0 || threads() > 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), ended).await.unwrap();
}

/// The threads of connections; 0 where the system does not tell.
fn threads() -> usize {
    let tasks = std::fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    let names = tasks.filter_map(|task| std::fs::read_to_string(task.path().join("comm")).ok());
    names.filter(|name| name.starts_with("lapin-io-loop")).count()
}

#[test]
fn errors_of_the_protocol_have_reasons() {
    let (refused, forced) = (AMQPSoftError::ACCESSREFUSED, AMQPHardError::CONNECTIONFORCED);
    let not_allowed = || AMQPErrorKind::Hard(AMQPHardError::NOTALLOWED);
    for (kind, text, reason) in [
        (AMQPErrorKind::Soft(refused), "ACCESS_REFUSED - Login was refused", Some("unauthorized")),
        (not_allowed(), "NOT_ALLOWED - vhost nowhere not found", Some("missing")),
        (not_allowed(), "NOT_ALLOWED - access to vhost '/' refused", Some("unauthorized")),
        (not_allowed(), "NOT_ALLOWED - connection limit (0) is reached", Some("saturated")),
        (AMQPErrorKind::Hard(forced), "CONNECTION_FORCED - shutdown", Some("closed")),
        (AMQPErrorKind::Hard(AMQPHardError::INTERNALERROR), "vhost is down", None),
    ] {
        let error = Error::from(ErrorKind::ProtocolError(AMQPError::new(kind, text.into())));
        assert_eq!(classify(&error), reason, "{text}");
    }
}

#[test]
fn the_address_of_a_host_is_that_of_the_uri() {
    for (uri, host) in [
        ("amqp://queue.example", "queue.example"),
        ("amqp://ann:secret@[::1]:5672/%2f", "::1"),
        ("amqp://127.0.0.1/a[b]c", "127.0.0.1"),
    ] {
        assert_eq!(opened::parse(uri).unwrap().authority.host, host);
    }
}

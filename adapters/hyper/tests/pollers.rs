//! Which pollers a separate listener tells apart.

// Other systems have one loopback address.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

mod client;

use std::future::pending;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use health_core::{Drain, Endpoint, Health};
use tokio::net::TcpSocket;
use tokio::task::spawn_blocking;
use tracing::subscriber::DefaultGuard;

/// The records that are logged on this thread.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Log {
    fn start(&self) -> DefaultGuard {
        let log = self.clone();
        let subscriber =
            tracing_subscriber::fmt().with_ansi(false).with_writer(move || log.clone());
        tracing::subscriber::set_default(subscriber.finish())
    }

    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

/// Polls from this address of the same machine.
async fn poll_from(own: [u8; 4], address: SocketAddr) -> String {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind((own, 0).into()).unwrap();
    let connection = socket.connect(address).await.unwrap().into_std().unwrap();
    connection.set_nonblocking(false).unwrap();
    spawn_blocking(|| client::ask(connection, "/ready")).await.unwrap()
}

#[tokio::test]
async fn a_separate_listener_tells_pollers_apart_by_their_addresses() {
    let log = Log::default();
    let _logging = log.start();
    let health = Health::builder().endpoint(Endpoint::readiness("/ready")).build().unwrap();
    let own = health_hyper::listen("127.0.0.1:0", health.clone()).unwrap();
    let agent = health_hyper::agent_check("127.0.0.1:0", health.clone(), "/ready").unwrap();
    // Much less than a poller needs to notice it.
    let drain =
        Drain::at_least(Duration::from_millis(1)).at_most(Duration::from_millis(50)).unwrap();
    let drained = health.drain_when(pending::<()>(), drain);
    for address in [[127, 0, 0, 2], [127, 0, 0, 3]] {
        assert!(poll_from(address, own.local_addr()).await.starts_with("HTTP/1.1 200 "));
    }
    for address in [[127, 0, 0, 4], [127, 0, 0, 5]] {
        assert_eq!(poll_from(address, agent.local_addr()).await, "up ready\n");
    }
    health.drain();
    drained.await;
    let log = log.text();
    for poller in ["127.0.0.2", "127.0.0.3", "127.0.0.4", "127.0.0.5"] {
        assert!(log.contains(&format!("at {poller} on /ready, told 0 of 3 times")), "{log}");
    }
}

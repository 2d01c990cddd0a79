//! Watches without a connection: each is polled when a test says so.

#![expect(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};

use allocation_counter::measure;
use futures::FutureExt as _;
use health_tonic::{Endpoint, Health, HealthConfig, HealthServer};
use http_body_util::{BodyExt as _, Full};
use tonic::codegen::{Bytes, Service as _, http};

const WATCHES: usize = 10_000;
const CHANGES: usize = 1_000;

/// A message of the given bytes, none of them compressed.
fn message(bytes: &[u8]) -> Vec<u8> {
    let length = u32::try_from(bytes.len()).unwrap();
    [&[0], &length.to_be_bytes()[..], bytes].concat()
}

/// The response with the status of this number.
fn status(number: u8) -> Vec<u8> {
    message(&[0x08, number])
}

const SERVING: u8 = 1;
const NOT_SERVING: u8 = 2;

/// The body of the response to *Watch*. hyper polls it only while the client has room for more.
struct Watched(tonic::body::Body);

impl Watched {
    fn new(server: &mut HealthServer, service: &str) -> Self {
        let length = u8::try_from(service.len()).unwrap();
        let request = message(&[&[0x0a, length], service.as_bytes()].concat());
        let request = http::Request::post("/grpc.health.v1.Health/Watch")
            .header("content-type", "application/grpc")
            .body(Full::<Bytes>::from(request))
            .unwrap();
        let response = server.call(request).now_or_never().unwrap().unwrap();
        Self(response.into_body())
    }

    /// The next message if there is one; `None` while there is none.
    fn read(&mut self) -> Option<Vec<u8>> {
        let frame = self.0.frame().now_or_never()?.unwrap().unwrap();
        Some(frame.into_data().unwrap().to_vec())
    }
}

#[test]
fn watches_that_nobody_reads_cost_bounded_memory_and_are_at_the_newest_state_when_they_are_read() {
    let health = Health::builder()
        .config(HealthConfig::default().with_disablefile(""))
        .endpoint(Endpoint::readiness("/ready"))
        .build()
        .unwrap();
    let mut server = health_tonic::service(&health).unwrap();
    let switch = health.maintenance_switch();
    let mut watches = Vec::with_capacity(WATCHES);

    // The first evaluation is that of another thread.
    let mut first = Watched::new(&mut server, "/ready");
    while first.read().is_none() {
        std::thread::yield_now();
    }
    let begun = measure(|| {
        for _ in 0..WATCHES {
            let mut watched = Watched::new(&mut server, "/ready");
            assert_eq!(watched.read(), Some(status(SERVING)));
            // Waits for the next.
            assert_eq!(watched.read(), None);
            watches.push(watched);
        }
    });
    let each = begun.bytes_current / i64::try_from(WATCHES).unwrap();
    println!("{each} bytes for each of {WATCHES} watches");
    assert!(each < 16 * 1024, "{each} bytes");

    let changed = measure(|| {
        for _ in 0..CHANGES {
            switch.turn_off();
            switch.turn_on();
        }
    });
    let grown = changed.bytes_current;
    println!("{grown} bytes for {CHANGES} changes without a reader");
    assert!(grown < 64 * 1024, "{grown} bytes");

    for watched in &mut watches {
        assert_eq!(watched.read(), Some(status(NOT_SERVING)));
        assert_eq!(watched.read(), None);
    }
    health.drain();
    for watched in &mut watches {
        let end = watched.0.frame().now_or_never().unwrap().unwrap().unwrap();
        assert!(end.is_trailers());
    }
}

/// Reads a watch on the spot whenever it is woken.
struct Hasty {
    watched: Mutex<Watched>,
    read: Mutex<Vec<Vec<u8>>>,
}

impl Wake for Hasty {
    fn wake(self: Arc<Self>) {
        // It is being read.
        let Ok(mut watched) = self.watched.try_lock() else {
            return;
        };
        let waker = Waker::from(self.clone());
        let context = &mut Context::from_waker(&waker);
        while let Poll::Ready(Some(frame)) = watched.0.frame().poll_unpin(context) {
            let Ok(data) = frame.unwrap().into_data() else {
                return;
            };
            self.read.lock().unwrap().push(data.to_vec());
        }
    }
}

#[test]
fn a_watch_that_learns_of_the_end_of_a_drain_before_its_beginning_is_not_serving_all_the_same() {
    let config = HealthConfig::default().with_disablefile("");
    let ready = Endpoint::readiness("/ready");
    let health = Health::builder().config(config).endpoint(ready).build().unwrap();
    let mut server = health_tonic::service(&health).unwrap();
    let watched = Watched::new(&mut server, "/ready");
    let hasty = Arc::new(Hasty { watched: Mutex::new(watched), read: Mutex::default() });
    while hasty.read.lock().unwrap().is_empty() {
        hasty.clone().wake();
    }
    health.drain();
    assert_eq!(*hasty.read.lock().unwrap(), [status(SERVING), status(NOT_SERVING)]);
}

//! *Watch*, over a connection.

use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use futures::FutureExt as _;
use futures::channel::oneshot;
use futures::future::join_all;
use health_tonic::{Check, Endpoint, Health, HealthServer, StartupLatch};
use tokio::sync::Semaphore;
use tonic::transport::Channel;
use tonic::{Code, Streaming};

use crate::client::HealthCheckResponse;
use crate::client::HealthClient;
use crate::client::ServingStatus::{self, NotServing, ServiceUnknown, Serving};
use crate::served::{builder, check, client, client_of, request, serve};

struct Watched(Streaming<HealthCheckResponse>);

impl Watched {
    async fn new(client: &mut HealthClient<Channel>, service: &str) -> Self {
        Self(client.watch(request(service)).await.unwrap().into_inner())
    }

    /// The next status; `None` at the end of the stream.
    async fn next(&mut self) -> Option<ServingStatus> {
        Some(self.0.message().await.unwrap()?.status())
    }
}

fn ready_and_live() -> Health {
    let endpoints = builder().endpoint(Endpoint::liveness("/live"));
    endpoints.endpoint(Endpoint::readiness("/ready")).build().unwrap()
}

#[tokio::test]
async fn a_watch_sends_the_status_at_once_and_then_each_change() {
    let health = ready_and_live();
    let mut client = client_of(health_tonic::service(&health).unwrap()).await;
    let mut watched = Watched::new(&mut client, "/ready").await;
    assert_eq!(watched.next().await, Some(Serving));
    for _ in 0..3 {
        health.maintenance_switch().turn_on();
        assert_eq!(watched.next().await, Some(NotServing));
        health.maintenance_switch().turn_off();
        assert_eq!(watched.next().await, Some(Serving));
    }
}

#[tokio::test]
async fn two_states_with_the_same_status_are_one_message() {
    let latch = StartupLatch::new("cache");
    let ready = builder().endpoint(Endpoint::readiness("/ready"));
    let health = ready.latch(&latch).build().unwrap();
    let mut client = client_of(health_tonic::service(&health).unwrap()).await;
    let mut watched = Watched::new(&mut client, "/ready").await;
    assert_eq!(watched.next().await, Some(NotServing), "starting");
    health.maintenance_switch().turn_on();
    latch.release();
    // What a poll would find by now.
    assert_eq!(check(&mut client, "/ready").await, Ok(NotServing));
    health.maintenance_switch().turn_off();
    assert_eq!(watched.next().await, Some(Serving));
}

#[tokio::test]
async fn nothing_is_serving_before_its_checks_have_run_and_they_run_once_for_all_watches() {
    let executions = Arc::new(AtomicUsize::new(0));
    let (gate, is_up) = (Arc::new(Semaphore::new(0)), Arc::new(AtomicBool::new(false)));
    let marks = (executions.clone(), gate.clone(), is_up.clone());
    let health = builder()
        .check("database", move || {
            let (executions, gate, is_up) = marks.clone();
            async move {
                executions.fetch_add(1, Ordering::SeqCst);
                gate.acquire().await.map_err(|error| error.to_string())?.forget();
                if is_up.load(Ordering::SeqCst) { Ok(()) } else { Err("down".to_owned()) }
            }
        })
        .endpoint(Endpoint::readiness("/ready"))
        .build()
        .unwrap();
    let mut client = client_of(health_tonic::service(&health).unwrap()).await;
    let mut watches = Vec::new();
    for _ in 0..10 {
        watches.push(Watched::new(&mut client, "/ready").await);
    }
    gate.add_permits(1);
    for watched in &mut watches {
        assert_eq!(watched.next().await, Some(NotServing));
    }
    assert_eq!(executions.load(Ordering::SeqCst), 1);
    // A poll runs the check, and its result is a change for every watch.
    is_up.store(true, Ordering::SeqCst);
    gate.add_permits(1);
    assert_eq!(check(&mut client, "/ready").await, Ok(Serving));
    for watched in &mut watches {
        assert_eq!(watched.next().await, Some(Serving));
    }
    assert_eq!(executions.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn the_first_watch_runs_the_checks_and_is_serving_if_they_pass() {
    let executions = Arc::new(AtomicUsize::new(0));
    let counted = executions.clone();
    let health = builder()
        .check("database", move || {
            counted.fetch_add(1, Ordering::SeqCst);
            async { Ok::<(), String>(()) }
        })
        .endpoint(Endpoint::readiness("/ready"))
        .build()
        .unwrap();
    let mut client = client_of(health_tonic::service(&health).unwrap()).await;
    for _ in 0..2 {
        let mut watched = Watched::new(&mut client, "/ready").await;
        assert_eq!(watched.next().await, Some(Serving));
    }
    assert_eq!(executions.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_watch_that_begins_during_a_start_runs_the_checks_when_it_is_over() {
    let latch = StartupLatch::new("cache");
    let health = builder()
        .latch(&latch)
        .check("database", || async { Err::<(), _>("down") })
        .endpoint(Endpoint::readiness("/ready"))
        .build()
        .unwrap();
    let mut client = client_of(health_tonic::service(&health).unwrap()).await;
    let mut watched = Watched::new(&mut client, "/ready").await;
    assert_eq!(watched.next().await, Some(NotServing));
    latch.release();
    // It is not serving as before, so there is no message: the run shows it.
    while health.last_results().is_empty() {
        tokio::task::yield_now().await;
    }
    health.drain();
    assert_eq!(watched.next().await, None, "no status but the first");
}

#[tokio::test]
async fn a_status_that_cannot_be_known_yet_ends_the_watch_and_is_not_serving() {
    let is_active = Arc::new(AtomicBool::new(false));
    let seen = is_active.clone();
    let health = builder()
        .check("database", || async { Ok::<(), String>(()) })
        .maintenance_source(move || seen.load(Ordering::SeqCst))
        // The watches see the source once.
        .watch_interval(Duration::from_secs(3600))
        .endpoint(Endpoint::readiness("/ready"))
        .endpoint(Endpoint::readiness("/other").no_checks())
        .build()
        .unwrap();
    let server = HealthServer::builder(&health).service("", "/ready").build().unwrap();
    let mut client = client_of(server).await;
    let mut other = Watched::new(&mut client, "/other").await;
    assert_eq!(other.next().await, Some(Serving));
    is_active.store(true, Ordering::SeqCst);
    let mut watched = Watched::new(&mut client, "/ready").await;
    let error = watched.0.message().await.unwrap_err();
    assert_eq!(error.code(), Code::Unavailable);
}

#[tokio::test]
async fn a_background_check_is_a_change_without_any_poll() {
    let is_up = Arc::new(AtomicBool::new(false));
    let seen = is_up.clone();
    let check = Check::new("database", move || {
        let is_up = seen.load(Ordering::SeqCst);
        async move { if is_up { Ok(()) } else { Err("down") } }
    });
    let health = builder()
        .register(check.timeout(Duration::from_millis(10)).every(Duration::from_millis(10)))
        .endpoint(Endpoint::readiness("/ready"))
        .build()
        .unwrap();
    let mut client = client_of(health_tonic::service(&health).unwrap()).await;
    let mut watched = Watched::new(&mut client, "/ready").await;
    assert_eq!(watched.next().await, Some(NotServing));
    is_up.store(true, Ordering::SeqCst);
    assert_eq!(watched.next().await, Some(Serving));
}

#[tokio::test]
async fn a_watch_of_an_unknown_service_says_so_and_stays_open_until_the_drain_ends() {
    let health = ready_and_live();
    let (end, ends) = oneshot::channel::<()>();
    let drained = health.drain_when(pending::<()>(), Duration::from_secs(3600));
    let held = tokio::spawn(async move {
        futures::future::select(Box::pin(drained), ends).await;
    });
    let mut client = client_of(health_tonic::service(&health).unwrap()).await;
    for name in ["shop.Orders", "/ready?checks=all"] {
        let mut watched = Watched::new(&mut client, name).await;
        assert_eq!(watched.next().await, Some(ServiceUnknown));
        // A response later on the same connection, it is still open.
        assert_eq!(check(&mut client, "/live").await, Ok(Serving));
        assert!(watched.next().now_or_never().is_none());
    }
    let mut watched = Watched::new(&mut client, "unknown").await;
    assert_eq!(watched.next().await, Some(ServiceUnknown));
    health.drain();
    end.send(()).unwrap();
    held.await.unwrap();
    assert_eq!(watched.next().await, None);
}

#[tokio::test]
async fn a_watch_shows_the_drain_at_its_beginning_and_ends_with_it() {
    let health = ready_and_live();
    let (end, ends) = oneshot::channel::<()>();
    let drained = health.drain_when(pending::<()>(), Duration::from_secs(3600));
    let held = tokio::spawn(async move {
        futures::future::select(Box::pin(drained), ends).await;
    });
    let mut client = client_of(health_tonic::service(&health).unwrap()).await;
    let mut ready = Watched::new(&mut client, "/ready").await;
    let mut live = Watched::new(&mut client, "/live").await;
    assert_eq!([ready.next().await, live.next().await], [Some(Serving); 2]);
    health.drain();
    assert_eq!(ready.next().await, Some(NotServing));
    // A watch that ended now would be asked for again at once, by every client, for the whole drain.
    let mut late = Watched::new(&mut client, "").await;
    assert_eq!(late.next().await, Some(NotServing));
    assert_eq!(check(&mut client, "/live").await, Ok(Serving));
    for watched in [&mut ready, &mut late, &mut live] {
        assert!(watched.next().now_or_never().is_none());
    }
    end.send(()).unwrap();
    held.await.unwrap();
    assert_eq!([ready.next().await, late.next().await, live.next().await], [None; 3]);
}

#[tokio::test]
async fn a_server_with_a_thousand_watches_stops_as_soon_as_the_drain_ends() {
    let health = ready_and_live();
    let (signal, signals) = oneshot::channel::<()>();
    let drained = health.drain_when(signals, Duration::from_millis(1));
    let (address, served) = serve(health_tonic::service(&health).unwrap(), drained).await;
    let mut watches = Vec::new();
    for _ in 0..10 {
        let client = client(address, "watching").await;
        let started = (0..100).map(|_| {
            let mut client = client.clone();
            async move {
                let mut watched = Watched::new(&mut client, "/ready").await;
                assert_eq!(watched.next().await, Some(Serving));
                watched
            }
        });
        watches.extend(join_all(started).await);
    }
    assert_eq!(watches.len(), 1000);
    signal.send(()).unwrap();
    // Its connections are still open on the side of the clients.
    served.await.unwrap().unwrap();
    for watched in &mut watches {
        assert_eq!(watched.next().await, Some(NotServing));
        assert_eq!(watched.next().await, None);
    }
}

#[tokio::test]
async fn without_a_call_that_waits_for_the_drain_a_watch_ends_at_its_beginning() {
    let health = ready_and_live();
    let mut client = client_of(health_tonic::service(&health).unwrap()).await;
    let mut ready = Watched::new(&mut client, "/ready").await;
    let mut live = Watched::new(&mut client, "/live").await;
    assert_eq!([ready.next().await, live.next().await], [Some(Serving); 2]);
    health.drain();
    assert_eq!([ready.next().await, ready.next().await], [Some(NotServing), None]);
    assert_eq!(live.next().await, None);
}

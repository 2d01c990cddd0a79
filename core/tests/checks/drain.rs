//! The end of a process (H20).

use std::future::{Future, pending};
use std::pin::Pin;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use futures::channel::mpsc::{UnboundedSender, unbounded};
use futures::executor::block_on;
use futures::stream;
use health_core::{Endpoint, Health, MaintenanceSource, Runtime as _, State};

use crate::virtual_time::{Ask as _, VirtualTime};
use crate::{builder, in_virtual_time};

const SECOND: Duration = Duration::from_secs(1);

fn state(health: &Health, path: &str) -> State {
    block_on(health.at(path).unwrap().respond("")).state()
}

/// An application that drains on a signal, for ten seconds.
struct Draining {
    health: Health,
    time: VirtualTime,
    signals: UnboundedSender<&'static str>,
    is_over: Arc<Mutex<bool>>,
}

fn draining() -> Draining {
    let (health, time) = in_virtual_time(|b| b.endpoint(Endpoint::liveness("/live")));
    let (signals, received) = unbounded();
    let is_over = Arc::new(Mutex::new(false));
    spawn(&time, health.drain_when(received, 10 * SECOND), &is_over);
    Draining { health, time, signals, is_over }
}

fn spawn(
    time: &VirtualTime,
    drain: impl Future<Output = ()> + Send + 'static,
    is_over: &Arc<Mutex<bool>>,
) {
    let tells = is_over.clone();
    let task: Pin<Box<dyn Future<Output = ()> + Send>> = Box::pin(async move {
        drain.await;
        *tells.lock().unwrap() = true;
    });
    time.spawn(task);
    time.settle();
}

impl Draining {
    fn signal(&self) {
        self.signals.unbounded_send("SIGTERM").unwrap();
        self.time.settle();
    }

    fn is_over(&self) -> bool {
        *self.is_over.lock().unwrap()
    }
}

#[test]
fn a_signal_turns_the_endpoint_at_once_and_the_server_may_stop_a_delay_later() {
    let draining = draining();
    draining.time.pass(3600 * SECOND);
    assert_eq!(state(&draining.health, "/health"), State::Ok);
    assert!(!draining.health.is_draining());

    draining.signal();
    assert!(draining.health.is_draining());
    assert_eq!(state(&draining.health, "/health"), State::Draining);
    assert_eq!(state(&draining.health, "/live"), State::Ok);
    draining.time.pass(10 * SECOND - Duration::from_nanos(1));
    assert!(!draining.is_over());
    draining.time.pass(Duration::from_nanos(1));
    assert!(draining.is_over());
    assert_eq!(state(&draining.health, "/health"), State::Draining);
}

#[test]
fn a_second_signal_skips_the_wait() {
    let draining = draining();
    draining.signal();
    draining.time.pass(SECOND);
    assert!(!draining.is_over());
    draining.signal();
    assert!(draining.is_over());
}

#[test]
fn a_drain_that_begins_without_a_signal_ends_in_the_same_way() {
    let draining = draining();
    draining.health.drain();
    draining.time.pass(10 * SECOND - Duration::from_nanos(1));
    assert!(!draining.is_over());
    draining.time.pass(Duration::from_nanos(1));
    assert!(draining.is_over());
}

#[test]
fn the_time_counts_from_the_beginning_of_the_drain_and_not_from_the_signal() {
    for earlier in [0, 4, 9] {
        let draining = draining();
        draining.health.drain();
        draining.time.pass(earlier * SECOND);
        draining.signal();
        assert!(!draining.is_over());
        draining.time.pass((10 - earlier) * SECOND - Duration::from_nanos(1));
        assert!(!draining.is_over(), "after {earlier} seconds");
        draining.time.pass(Duration::from_nanos(1));
        assert!(draining.is_over(), "after {earlier} seconds");
    }
}

#[test]
fn a_drain_that_began_a_delay_before_anything_waits_for_it_leaves_no_wait() {
    for earlier in [10, 11, 3600] {
        let (health, time) = in_virtual_time(|b| b);
        health.drain();
        time.pass(earlier * SECOND);
        let is_over = Arc::new(Mutex::new(false));
        spawn(&time, health.drain_when(pending::<()>(), 10 * SECOND), &is_over);
        assert!(*is_over.lock().unwrap(), "after {earlier} seconds");
    }
}

#[test]
fn of_two_drains_the_first_counts() {
    let draining = draining();
    draining.health.drain();
    draining.time.pass(4 * SECOND);
    draining.health.drain();
    draining.time.pass(5 * SECOND);
    draining.health.drain();
    assert!(!draining.is_over());
    draining.time.pass(SECOND);
    assert!(draining.is_over());
}

#[test]
fn the_first_signal_does_not_skip_a_drain_that_began_otherwise_and_the_second_does() {
    let draining = draining();
    draining.health.drain();
    draining.time.pass(SECOND);
    draining.signal();
    assert!(!draining.is_over());
    draining.signal();
    assert!(draining.is_over());
}

#[test]
fn a_stream_that_ends_neither_starts_nor_shortens_a_drain() {
    let draining = draining();
    draining.signals.close_channel();
    draining.time.pass(3600 * SECOND);
    assert!(!draining.health.is_draining() && !draining.is_over());

    let (health, time) = in_virtual_time(|b| b);
    let is_over = Arc::default();
    spawn(&time, health.drain_when(stream::iter([()]), SECOND), &is_over);
    assert!(health.is_draining());
    time.pass(SECOND - Duration::from_nanos(1));
    assert!(!*is_over.lock().unwrap());
    time.pass(Duration::from_nanos(1));
    assert!(*is_over.lock().unwrap());
}

#[test]
fn a_future_can_be_the_signal_and_two_that_wait_are_one_drain() {
    let (health, time) = in_virtual_time(|b| b);
    let overs = [Arc::default(), Arc::default()];
    let never = health.drain_when(pending::<()>(), SECOND);
    spawn(&time, never, &overs[0]);
    let now = health.drain_when(async { "any output" }, Duration::ZERO);
    assert!(!health.is_draining(), "before it is polled");
    spawn(&time, now, &overs[1]);
    assert!(health.is_draining());
    assert!(*overs[1].lock().unwrap() && !*overs[0].lock().unwrap());
}

#[test]
fn a_delay_without_an_end_ends_with_the_second_signal() {
    let (health, time) = in_virtual_time(|b| b);
    let (signals, received) = unbounded();
    let is_over = Arc::default();
    spawn(&time, health.drain_when(received, Duration::MAX), &is_over);
    for over in [false, true] {
        signals.unbounded_send(()).unwrap();
        time.pass(3600 * SECOND);
        assert_eq!(*is_over.lock().unwrap(), over);
    }
}

#[test]
fn nothing_turns_a_drain_back_and_to_drain_twice_or_before_the_start_is_no_error() {
    let health = builder()
        .check("passes", || std::future::ready(Ok::<(), String>(())))
        .endpoint(Endpoint::readiness("/ready"))
        .build()
        .unwrap();
    health.drain();
    health.clone().drain();
    let switch = health.maintenance_switch();
    switch.turn_on();
    switch.turn_off();
    for _ in 0..3 {
        assert_eq!(state(&health, "/ready"), State::Draining);
        assert_eq!(state(&health, "/health"), State::Draining);
    }
}

#[test]
fn a_run_that_ends_well_during_the_drain_does_not_call_the_host_back() {
    let time = VirtualTime::default();
    let clock = time.clone();
    let health = builder()
        .runtime(time.clone())
        .check("slow", move || {
            let sleep = clock.sleep_until(clock.now() + SECOND);
            async move {
                sleep.await;
                Ok::<(), String>(())
            }
        })
        .endpoint(Endpoint::startup("/started"))
        .build()
        .unwrap();
    let asked = ["/health", "/started"].map(|path| time.ask_at(&health, path));
    time.pass(SECOND / 2);
    health.drain();
    time.pass(SECOND / 2);
    let states = asked.map(|asker| asker.response().state());
    assert_eq!(states, [State::Draining, State::Ok]);
}

/// Begins the drain when it is called, and returns that there is no maintenance.
struct BeginsTheDrain(Arc<OnceLock<Health>>);

impl MaintenanceSource for BeginsTheDrain {
    fn is_active(&self) -> bool {
        self.0.get().unwrap().drain();
        false
    }
}

#[test]
fn a_drain_that_begins_while_a_request_waits_for_a_source_is_its_answer() {
    let application = Arc::new(OnceLock::new());
    let source = BeginsTheDrain(application.clone());
    let health = builder().maintenance_source(source).build().unwrap();
    application.set(health.clone()).unwrap();
    assert_eq!(state(&health, "/health"), State::Draining);
}

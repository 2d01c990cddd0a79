//! When a drain ends (H27).

use std::future::pending;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::FutureExt as _;
use futures::channel::mpsc::{UnboundedSender, unbounded};
use health_core::{Drain, Endpoint, Health, HealthRequest, Runtime as _};

use crate::in_virtual_time;
use crate::virtual_time::VirtualTime;

const SECOND: Duration = Duration::from_secs(1);
const MOMENT: Duration = Duration::from_millis(100);

/// An application that drains for 5 to 60 seconds.
struct Draining {
    health: Health,
    time: VirtualTime,
    signals: UnboundedSender<()>,
    is_over: Arc<Mutex<bool>>,
}

fn draining_for(drain: Drain) -> Draining {
    let (health, time) = in_virtual_time(|b| {
        b.endpoint(Endpoint::readiness("/ready")).endpoint(Endpoint::liveness("/live"))
    });
    let (signals, received) = unbounded();
    let is_over = Arc::new(Mutex::new(false));
    let (ends, drained) = (is_over.clone(), health.drain_when(received, drain));
    time.spawn(Box::pin(async move {
        drained.await;
        *ends.lock().unwrap() = true;
    }));
    time.settle();
    Draining { health, time, signals, is_over }
}

fn five_to_sixty() -> Drain {
    Drain::at_least(5 * SECOND).at_most(60 * SECOND).unwrap()
}

fn draining() -> Draining {
    draining_for(five_to_sixty())
}

/// A client, by the last number of its address and its `User-Agent`.
type Client = (u8, &'static str);

const KUBELET: Client = (1, "kube-probe/1.34");
const HAPROXY: Client = (2, "");

impl Draining {
    fn signal(&self) {
        self.signals.unbounded_send(()).unwrap();
        self.time.settle();
    }

    fn poll_at(&self, path: &'static str, (number, agent): Client) {
        let endpoint = self.health.at(path).unwrap();
        assert!(endpoint.reads_headers());
        let address = IpAddr::from(Ipv4Addr::new(10, 0, 0, number));
        self.time.spawn(Box::pin(async move {
            let request =
                HealthRequest::new("").client(Some(address)).header("User-Agent", agent.as_bytes());
            endpoint.respond(request).await;
        }));
        self.time.settle();
    }

    fn poll(&self, client: Client) {
        self.poll_at("/ready", client);
    }

    /// This many polls, each after the period.
    fn poll_every(&self, period: Duration, polls: u32, clients: &[Client]) {
        for _ in 0..polls {
            self.time.pass(period);
            clients.iter().for_each(|client| self.poll(*client));
        }
    }

    fn is_over(&self) -> bool {
        *self.is_over.lock().unwrap()
    }

    /// Requires that the drain goes on for `time`, and then ends within 0.1 seconds.
    fn ends_after(&self, time: Duration) {
        self.time.pass(time.saturating_sub(Duration::from_nanos(1)));
        assert!(!self.is_over(), "earlier than after {time:?}");
        self.time.pass(MOMENT + Duration::from_nanos(1));
        assert!(self.is_over(), "later than after {time:?}");
    }
}

#[test]
fn without_pollers_and_active_requests_it_ends_after_the_minimum() {
    let draining = draining();
    draining.signal();
    draining.ends_after(5 * SECOND);
}

#[test]
fn it_goes_on_while_a_request_is_active_and_ends_when_the_last_one_does() {
    let draining = draining();
    let first = draining.health.track();
    let second = first.clone();
    assert_eq!(draining.health.active_requests(), 2);
    draining.signal();
    draining.time.pass(20 * SECOND);
    drop(first);
    draining.time.pass(SECOND);
    assert!(!draining.is_over());
    drop(second);
    assert_eq!(draining.health.active_requests(), 0);
    draining.ends_after(Duration::ZERO);
}

#[test]
fn a_request_that_never_ends_holds_it_until_the_maximum() {
    let draining = draining();
    let deadline = draining.health.drain_deadline();
    let _never = draining.health.track();
    draining.signal();
    draining.time.pass(60 * SECOND - Duration::from_nanos(1));
    assert!(!draining.is_over());
    assert_eq!(deadline.clone().now_or_never(), None);
    draining.time.pass(Duration::from_nanos(1));
    assert!(draining.is_over());
    assert_eq!(deadline.now_or_never(), Some(()));
}

#[test]
fn a_poller_has_noticed_one_second_after_its_third_draining_response() {
    let draining = draining();
    draining.poll_every(4 * SECOND, 3, &[KUBELET]);
    draining.signal();
    draining.poll_every(4 * SECOND, 3, &[KUBELET]);
    draining.ends_after(SECOND);
}

#[test]
fn the_second_of_a_poller_does_not_begin_anew_while_it_polls_on() {
    let drain = Drain::at_least(SECOND).at_most(60 * SECOND).unwrap();
    let draining = draining_for(drain);
    draining.poll_every(2 * MOMENT, 3, &[KUBELET]);
    draining.signal();
    draining.poll_every(2 * MOMENT, 7, &[KUBELET]);
    // It was told for the third time 0.8 seconds ago.
    draining.ends_after(2 * MOMENT);
}

#[test]
fn every_poller_is_waited_for_the_slowest_too() {
    let draining = draining();
    draining.poll_every(10 * SECOND, 2, &[HAPROXY]);
    draining.poll_every(SECOND, 2, &[KUBELET]);
    draining.signal();
    // The fast one has noticed.
    draining.poll_every(SECOND, 7, &[KUBELET]);
    assert!(!draining.is_over());
    draining.poll(HAPROXY);
    draining.poll_every(10 * SECOND, 2, &[KUBELET, HAPROXY]);
    draining.ends_after(SECOND);
}

#[test]
fn pollers_are_told_apart_by_address_agent_and_endpoint() {
    for (path, other) in
        [("/ready", (2, "kube-probe/1.34")), ("/ready", (1, "curl")), ("/health", KUBELET)]
    {
        let draining = draining();
        for _ in 0..2 {
            draining.time.pass(2 * SECOND);
            draining.poll(KUBELET);
            draining.poll_at(path, other);
        }
        draining.signal();
        for told in 0..3 {
            draining.time.pass(2 * SECOND);
            draining.poll(KUBELET);
            // The other is told once less.
            if told < 2 {
                draining.poll_at(path, other);
            }
        }
        draining.time.pass(SECOND + MOMENT);
        assert!(!draining.is_over(), "{path} {other:?}");
        draining.poll_at(path, other);
        draining.ends_after(SECOND);
    }
}

#[test]
fn an_endpoint_that_ignores_the_drain_has_no_pollers() {
    let draining = draining();
    for _ in 0..3 {
        draining.time.pass(SECOND);
        draining.poll_at("/live", KUBELET);
    }
    draining.signal();
    draining.ends_after(5 * SECOND);
}

#[test]
fn a_poller_that_misses_two_polls_is_gone() {
    let draining = draining();
    draining.poll_every(4 * SECOND, 3, &[KUBELET]);
    draining.signal();
    draining.ends_after(2 * 4 * SECOND + SECOND);
}

#[test]
fn a_client_that_has_asked_once_is_gone_after_eleven_seconds() {
    let draining = draining();
    draining.poll(KUBELET);
    draining.signal();
    draining.ends_after(11 * SECOND);
}

#[test]
fn a_threshold_of_one_is_enough_for_a_poller_that_leaves_at_once() {
    for threshold in [0, 1] {
        let draining = draining_for(five_to_sixty().failure_threshold(threshold));
        draining.poll_every(7 * SECOND, 2, &[KUBELET]);
        draining.signal();
        draining.poll_every(7 * SECOND, 1, &[KUBELET]);
        draining.ends_after(SECOND);
    }
}

#[test]
fn the_maximum_holds_for_pollers_that_never_notice() {
    let draining = draining_for(five_to_sixty().failure_threshold(1000));
    draining.poll_every(2 * SECOND, 2, &[KUBELET]);
    draining.signal();
    draining.poll_every(2 * SECOND, 29, &[KUBELET]);
    assert!(!draining.is_over());
    draining.ends_after(2 * SECOND);
}

#[test]
fn clients_with_changing_names_do_not_push_out_a_poller() {
    let draining = draining();
    let names: Vec<&'static str> =
        (0..200).map(|n| -> &'static str { Box::leak(format!("client/{n}").into()) }).collect();
    draining.poll_every(30 * SECOND, 3, &[KUBELET]);
    for name in names {
        draining.poll((9, name));
    }
    draining.signal();
    draining.time.pass(12 * SECOND);
    assert!(!draining.is_over(), "only the poller is waited for now");
    draining.poll_every(18 * SECOND, 1, &[KUBELET]);
    draining.poll_every(10 * SECOND, 2, &[KUBELET]);
    draining.ends_after(SECOND);
}

#[test]
fn pollers_that_are_gone_make_room_for_new_ones() {
    let draining = draining();
    for number in 0..64 {
        draining.poll((number, "gone"));
        draining.poll((number, "gone"));
    }
    draining.time.pass(3600 * SECOND);
    let both = [KUBELET, HAPROXY];
    draining.poll_every(4 * SECOND, 2, &both);
    draining.signal();
    draining.poll_every(4 * SECOND, 2, &both);
    draining.poll_every(4 * SECOND, 1, &[KUBELET]);
    draining.time.pass(2 * SECOND);
    assert!(!draining.is_over(), "the other has been told only twice");
    draining.poll(HAPROXY);
    draining.ends_after(SECOND);
}

#[test]
fn a_request_that_ends_twice_does_not_hold_a_drain() {
    let draining = draining();
    drop(draining.health.reattach());
    assert_eq!(draining.health.active_requests(), 0);
    draining.signal();
    draining.ends_after(5 * SECOND);
}

#[test]
fn a_fixed_time_depends_on_nothing_and_has_no_deadline() {
    for drain in [Drain::from(5 * SECOND), Drain::at_least(5 * SECOND)] {
        let draining = draining_for(drain);
        let deadline = draining.health.drain_deadline();
        let _active = draining.health.track();
        assert!(!draining.health.at("/ready").unwrap().reads_headers());
        draining.signal();
        draining.time.pass(5 * SECOND - Duration::from_nanos(1));
        assert!(!draining.is_over());
        draining.time.pass(Duration::from_nanos(1));
        assert!(draining.is_over());
        draining.time.pass(3600 * SECOND);
        assert_eq!(deadline.now_or_never(), None);
    }
}

#[test]
fn equal_limits_are_a_fixed_time_with_a_deadline() {
    let draining = draining_for(Drain::at_least(5 * SECOND).at_most(5 * SECOND).unwrap());
    let deadline = draining.health.drain_deadline();
    draining.signal();
    draining.time.pass(5 * SECOND - Duration::from_nanos(1));
    assert!(!draining.is_over());
    draining.time.pass(Duration::from_nanos(1));
    assert!(draining.is_over());
    assert_eq!(deadline.now_or_never(), Some(()));
}

#[test]
fn a_second_signal_skips_the_minimum_and_the_wait_for_requests_but_the_deadline_stays() {
    for passed in [SECOND, 20 * SECOND] {
        let draining = draining();
        let deadline = draining.health.drain_deadline();
        let _active = draining.health.track();
        draining.signal();
        draining.time.pass(passed);
        assert!(!draining.is_over());
        draining.signal();
        assert!(draining.is_over());
        assert_eq!(deadline.clone().now_or_never(), None);
        draining.time.pass(60 * SECOND - passed);
        assert_eq!(deadline.now_or_never(), Some(()));
    }
}

#[test]
fn a_drain_that_began_before_the_server_listens_counts() {
    let (health, time) = in_virtual_time(|b| b);
    health.drain();
    time.pass(4 * SECOND);
    let is_over = Arc::new(Mutex::new(false));
    let (ends, drained) = (is_over.clone(), health.drain_when(pending::<()>(), five_to_sixty()));
    time.spawn(Box::pin(async move {
        drained.await;
        *ends.lock().unwrap() = true;
    }));
    time.pass(SECOND - Duration::from_nanos(1));
    assert!(!*is_over.lock().unwrap());
    time.pass(Duration::from_nanos(1));
    assert!(*is_over.lock().unwrap());
}

#[test]
fn limits_that_contradict_each_other_are_an_error_with_both() {
    let error = Drain::at_least(25 * SECOND).at_most(5 * SECOND).unwrap_err();
    assert_eq!(
        error.to_string(),
        "a drain cannot last at least 25s and at most 5s: `at_most` must not be shorter"
    );
}

#[test]
fn an_enormous_time_is_no_panic() {
    let drain = Drain::at_least(Duration::ZERO).at_most(Duration::MAX).unwrap();
    let draining = draining_for(drain);
    let active = draining.health.track();
    draining.signal();
    draining.time.pass(3600 * SECOND);
    assert!(!draining.is_over());
    drop(active);
    draining.ends_after(Duration::ZERO);
}

#[test]
fn a_response_closes_its_connection_only_in_a_drain_and_only_if_it_may() {
    let (health, _time) = in_virtual_time(|b| b);
    let active = health.track();
    assert!(!active.closes_connection(200));
    health.drain();
    for status in [200, 204, 304, 404, 500] {
        assert!(active.closes_connection(status), "{status}");
    }
    for status in [101, 426] {
        assert!(!active.closes_connection(status), "{status}");
    }
}

#[test]
fn a_million_requests_on_many_threads_leave_the_count_at_zero() {
    let (health, _time) = in_virtual_time(|b| b);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..125_000 {
                    let request = health.track();
                    drop((request.clone(), request));
                }
            });
        }
    });
    assert_eq!(health.active_requests(), 0);
}

//! What follows the server (H27): its end at the deadline, and the shutdown phases.

use std::future::{Future, pending, ready};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::channel::oneshot;
use futures::executor::block_on;
use health_core::{CheckResult, Drain, Ended, Health, HealthBuilder, Runtime as _};

use crate::virtual_time::VirtualTime;
use crate::{builder, in_virtual_time};

const SECOND: Duration = Duration::from_secs(1);
const LAST_CALL: Duration = Duration::from_millis(500);

/// How the server and the phases have ended, once they have.
type Slot = Arc<Mutex<Option<Ended<Served>>>>;

type Served = Result<(), &'static str>;

fn shut_down(
    health: &Health,
    time: &VirtualTime,
    server: impl Future<Output = Served> + Send + 'static,
) -> Slot {
    let slot = Slot::default();
    let (tells, health) = (slot.clone(), health.clone());
    let task: Pin<Box<dyn Future<Output = ()> + Send>> = Box::pin(async move {
        let ended = health.shut_down_after(server).await;
        *tells.lock().unwrap() = Some(ended);
    });
    time.spawn(task);
    time.settle();
    slot
}

fn take(slot: &Slot) -> Option<Ended<Served>> {
    slot.lock().unwrap().take()
}

/// An application that drains for 1 to 10 seconds, and has these phases.
fn application(describe: impl FnOnce(HealthBuilder) -> HealthBuilder) -> (Health, VirtualTime) {
    let (health, time) = in_virtual_time(describe);
    let drain = Drain::at_least(SECOND).at_most(10 * SECOND).unwrap();
    time.spawn(Box::pin(health.drain_when(pending::<()>(), drain)));
    time.settle();
    (health, time)
}

#[test]
fn a_server_that_ends_in_time_is_a_clean_end() {
    let (health, time) = application(|b| b);
    let slot = shut_down(&health, &time, ready(Ok(())));
    let ended = take(&slot).unwrap();
    assert!(ended.is_clean());
    assert_eq!(ended.dropped_requests(), 0);
    assert_eq!(ended.failed_phases().count(), 0);
    assert_eq!(ended.into_server(), Some(Ok(())));
}

#[test]
fn a_server_that_does_not_end_is_dropped_half_a_second_after_the_deadline() {
    let (health, time) = application(|b| b);
    let (held, dropped) = oneshot::channel::<()>();
    let slot = shut_down(&health, &time, async move {
        let _held = held;
        pending().await
    });
    let mut dropped = dropped;
    let _active = health.track();
    time.pass(3600 * SECOND);
    health.drain();
    time.settle();
    time.pass(10 * SECOND + LAST_CALL - Duration::from_nanos(1));
    assert_eq!(dropped.try_recv(), Ok(None));
    assert!(take(&slot).is_none());
    time.pass(Duration::from_nanos(1));
    let ended = take(&slot).unwrap();
    assert!(dropped.try_recv().is_err(), "it is dropped");
    assert!(!ended.is_clean());
    assert_eq!(ended.dropped_requests(), 1);
    assert_eq!(ended.into_server(), None);
}

#[test]
fn the_server_is_dropped_before_the_phases() {
    let (held, dropped) = oneshot::channel::<()>();
    let was_dropped = Arc::new(Mutex::new(None));
    let (tells, mut dropped) = (was_dropped.clone(), dropped);
    let (health, time) = application(|b| {
        b.shutdown_phase("pool", SECOND, move || {
            *tells.lock().unwrap() = Some(dropped.try_recv().is_err());
            ready(CheckResult::ok())
        })
    });
    let slot = shut_down(&health, &time, async move {
        let _held = held;
        pending().await
    });
    health.drain();
    time.settle();
    time.pass(10 * SECOND + LAST_CALL);
    assert!(take(&slot).is_some());
    assert_eq!(*was_dropped.lock().unwrap(), Some(true));
}

#[test]
fn the_error_of_a_server_in_a_task_counts() {
    let output = |output: Result<Result<(), &'static str>, &'static str>| {
        let health = builder().build().unwrap();
        drop(health.at("/health"));
        block_on(health.shut_down_after(ready(output))).is_clean()
    };
    assert!(output(Ok(Ok(()))));
    assert!(!output(Ok(Err("the address is in use"))));
    assert!(!output(Err("the task panicked")));
}

#[test]
fn active_requests_that_outlive_the_server_are_waited_for_until_then() {
    let (health, time) = application(|b| b);
    let socket = health.track();
    health.drain();
    let slot = shut_down(&health, &time, ready(Ok(())));
    time.pass(5 * SECOND);
    assert!(take(&slot).is_none());
    drop(socket);
    time.pass(SECOND);
    assert!(take(&slot).unwrap().is_clean());

    let (health, time) = application(|b| b);
    let _never = health.track();
    health.drain();
    let slot = shut_down(&health, &time, ready(Ok(())));
    time.pass(10 * SECOND);
    assert!(take(&slot).is_none());
    time.pass(LAST_CALL);
    let ended = take(&slot).unwrap();
    assert!(!ended.is_clean());
    assert_eq!(ended.dropped_requests(), 1);
    assert_eq!(ended.into_server(), Some(Ok(())));
}

#[test]
fn a_server_that_fails_without_a_drain_waits_for_no_request() {
    let (health, time) = application(|b| b);
    let _active = health.track();
    let slot = shut_down(&health, &time, ready(Err("the address is in use")));
    let ended = take(&slot).unwrap();
    assert!(!ended.is_clean());
    assert_eq!(ended.into_server(), Some(Err("the address is in use")));
}

#[test]
fn without_a_maximum_the_server_has_all_the_time_it_needs() {
    let (health, time) = in_virtual_time(|b| b);
    time.spawn(Box::pin(health.drain_when(pending::<()>(), SECOND)));
    let (ends, end) = oneshot::channel();
    let slot = shut_down(&health, &time, async move { end.await.unwrap() });
    health.drain();
    time.pass(3600 * SECOND);
    assert!(take(&slot).is_none());
    ends.send(Ok(())).unwrap();
    time.settle();
    assert!(take(&slot).unwrap().is_clean());
}

/// What has happened, in order.
#[derive(Clone, Default)]
struct Events(Arc<Mutex<Vec<&'static str>>>);

impl Events {
    fn note(&self, event: &'static str) {
        self.0.lock().unwrap().push(event);
    }

    fn all(&self) -> Vec<&'static str> {
        self.0.lock().unwrap().clone()
    }

    /// A phase that takes a time.
    fn after(
        &self,
        time: &VirtualTime,
        delay: Duration,
        event: &'static str,
    ) -> impl FnOnce() -> Pin<Box<dyn Future<Output = Result<(), String>> + Send>> + Send + 'static
    {
        let (events, time) = (self.clone(), time.clone());
        move || {
            Box::pin(async move {
                let now = time.now();
                time.sleep_until(now + delay).await;
                events.note(event);
                Ok(())
            })
        }
    }
}

#[test]
fn phases_run_in_order_each_after_the_one_before() {
    let events = Events::default();
    let time = VirtualTime::default();
    let health = builder()
        .runtime(time.clone())
        .shutdown_phase("consumers", 3 * SECOND, events.after(&time, 2 * SECOND, "consumers"))
        .shutdown_phase("queue", 3 * SECOND, events.after(&time, SECOND, "queue"))
        .shutdown_phase("pool", 3 * SECOND, events.after(&time, Duration::ZERO, "pool"))
        .build()
        .unwrap();
    let slot = shut_down(&health, &time, ready(Ok(())));
    assert_eq!(events.all(), [""; 0]);
    time.pass(2 * SECOND);
    assert_eq!(events.all(), ["consumers"]);
    time.pass(SECOND);
    assert_eq!(events.all(), ["consumers", "queue", "pool"]);
    assert!(take(&slot).unwrap().is_clean());
}

#[test]
fn a_phase_that_fails_panics_or_hangs_does_not_prevent_the_next() {
    let events = Events::default();
    let time = VirtualTime::default();
    let health = builder()
        .runtime(time.clone())
        .shutdown_phase("fails", SECOND, || ready(Err::<(), _>("the broker is gone")))
        .shutdown_phase("call panics", SECOND, || -> std::future::Ready<CheckResult> {
            panic!("in the call")
        })
        .shutdown_phase("poll panics", SECOND, || async {
            if true {
                panic!("in the poll");
            }
            CheckResult::ok()
        })
        .shutdown_phase("hangs", 2 * SECOND, pending::<CheckResult>)
        .shutdown_phase("degraded", SECOND, || ready(CheckResult::degraded("half")))
        .shutdown_phase("last", SECOND, events.after(&time, Duration::ZERO, "last"))
        .build()
        .unwrap();
    let slot = shut_down(&health, &time, ready(Ok(())));
    time.pass(2 * SECOND - Duration::from_nanos(1));
    assert_eq!(events.all(), [""; 0]);
    time.pass(Duration::from_nanos(1));
    assert_eq!(events.all(), ["last"]);
    let ended = take(&slot).unwrap();
    assert!(!ended.is_clean());
    let failed: Vec<_> = ended.failed_phases().collect();
    assert_eq!(failed, ["fails", "call panics", "poll panics", "hangs"]);
    assert_eq!(ended.into_server(), Some(Ok(())));
}

#[test]
fn phases_run_once() {
    let events = Events::default();
    let time = VirtualTime::default();
    let health = builder()
        .runtime(time.clone())
        .shutdown_phase("pool", SECOND, events.after(&time, Duration::ZERO, "pool"))
        .build()
        .unwrap();
    for _ in 0..2 {
        let slot = shut_down(&health, &time, ready(Ok(())));
        assert!(take(&slot).unwrap().is_clean());
    }
    assert_eq!(events.all(), ["pool"]);
}

/// On the default runtime: this thread must not be blocked either.
#[test]
fn a_phase_that_blocks_its_thread_ends_at_its_limit() {
    let events = Events::default();
    let noted = events.clone();
    let (release, blocked) = std::sync::mpsc::channel::<()>();
    let blocked = Mutex::new(blocked);
    let health = builder()
        .shutdown_phase("blocks", Duration::from_millis(50), move || async move {
            let _ = blocked.lock().unwrap().recv();
            CheckResult::ok()
        })
        .shutdown_phase("last", 10 * SECOND, move || async move {
            noted.note("last");
            CheckResult::ok()
        })
        .build()
        .unwrap();
    let ended = block_on(health.shut_down_after(ready(())));
    assert_eq!(events.all(), ["last"]);
    assert_eq!(ended.failed_phases().collect::<Vec<_>>(), ["blocks"]);
    drop(release);
}

#[test]
fn phases_that_cannot_be_are_errors_at_the_build() {
    let phase = || ready(CheckResult::ok());
    let error = |builder: HealthBuilder| builder.build().unwrap_err().to_string();
    assert_eq!(
        error(builder().shutdown_phase("pool", Duration::ZERO, phase)),
        r#"the limit of the shutdown phase "pool" is zero: it must be longer"#
    );
    let twice = builder().shutdown_phase("pool", SECOND, phase);
    assert_eq!(
        error(twice.shutdown_phase("pool", SECOND, phase)),
        r#"two shutdown phases are named "pool": give each its own name"#
    );
    for name in ["", "a\nb"] {
        let error = error(builder().shutdown_phase(name, SECOND, phase));
        assert!(
            error.starts_with(&format!("a shutdown phase cannot be named {name:?}: ")),
            "{error}"
        );
    }
    let long =
        |limit| builder().shutdown_phase("a", SECOND, phase).shutdown_phase("b", limit, phase);
    assert!(long(29 * SECOND - Duration::from_nanos(1)).build().is_ok());
    assert!(error(long(29 * SECOND)).starts_with(
        "the shutdown phases may take 30s, but the process is killed 30s after the signal: "
    ));
    assert!(long(29 * SECOND).termination_grace_period(31 * SECOND).build().is_ok());
    assert!(long(Duration::MAX).build().is_err());
}

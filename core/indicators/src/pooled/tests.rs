use std::collections::VecDeque;
use std::future::pending;
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use health_conformance::testee::VirtualTime;
use health_core::{CheckResult, Report, Runtime as _};

use super::{PoolCounters, PoolFull, Pooled, ReturnCounter, pooled};
use crate::Indicator as _;

const SECOND: Duration = Duration::from_secs(1);

/// What a connection does when it is pinged.
#[derive(Clone, Copy, PartialEq)]
enum Conn {
    Sound,
    Broken,
    Silent,
    ReadOnly,
}

enum Get {
    Conn(Conn),
    Hangs,
    Fails(io::ErrorKind),
    Full,
}

#[derive(Default)]
struct Fake {
    counters: Option<PoolCounters>,
    gets: VecDeque<Get>,
    /// What the counters become with the next get.
    then: Option<PoolCounters>,
    taken: usize,
    discarded: usize,
}

#[derive(Clone, Default)]
struct FakePool(Arc<Mutex<Fake>>);

impl FakePool {
    fn new(counters: PoolCounters, gets: impl IntoIterator<Item = Get>) -> Self {
        let pool = Self::default();
        pool.set(counters);
        pool.0.lock().unwrap().gets = gets.into_iter().collect();
        pool
    }

    fn set(&self, counters: PoolCounters) {
        self.0.lock().unwrap().counters = Some(counters);
    }

    fn then(self, counters: PoolCounters) -> Self {
        self.0.lock().unwrap().then = Some(counters);
        self
    }

    fn taken(&self) -> usize {
        self.0.lock().unwrap().taken
    }

    fn discarded(&self) -> usize {
        self.0.lock().unwrap().discarded
    }

    async fn get(self) -> Result<Conn, Box<dyn std::error::Error + Send + Sync>> {
        let get = {
            let mut fake = self.0.lock().unwrap();
            fake.taken += 1;
            if let Some(counters) = fake.then.take() {
                fake.counters = Some(counters);
            }
            fake.gets.pop_front()
        };
        match get {
            Some(Get::Conn(connection)) => Ok(connection),
            Some(Get::Fails(kind)) => Err(io::Error::from(kind).into()),
            Some(Get::Full) => Err(PoolFull.into()),
            Some(Get::Hangs) | None => pending().await,
        }
    }

    fn indicator(&self, time: &VirtualTime) -> Pooled<Conn> {
        let (counted, taken, discarded) = (self.clone(), self.clone(), self.clone());
        pooled(
            move || counted.0.lock().unwrap().counters.unwrap(),
            move || taken.clone().get(),
            |connection: &mut Conn| {
                let connection = *connection;
                Box::pin(async move {
                    match connection {
                        Conn::Sound => Ok(CheckResult::ok()),
                        Conn::ReadOnly => Ok(CheckResult::error("no writes").reason("read_only")),
                        Conn::Broken => Err(io::Error::from(io::ErrorKind::ConnectionReset)),
                        Conn::Silent => pending().await,
                    }
                })
            },
        )
        .discard(move |_| discarded.0.lock().unwrap().discarded += 1)
        .runtime(time.clone())
    }
}

/// One test. Time passes while it waits.
fn report(pool: &Arc<Pooled<Conn>>, time: &VirtualTime) -> Report {
    let report = Arc::new(Mutex::new(None));
    let (pool, reported) = (pool.clone(), report.clone());
    time.spawn(Box::pin(async move {
        *reported.lock().unwrap() = Some(Report::of("pool", pool.test().await));
    }));
    time.settle();
    for _ in 0..10_000 {
        if let Some(report) = report.lock().unwrap().take() {
            return report;
        }
        time.pass(Duration::from_millis(1));
    }
    panic!("the test takes longer than 10 s");
}

/// Status and reason of one test.
fn test(pool: &Arc<Pooled<Conn>>, time: &VirtualTime) -> (&'static str, Option<String>) {
    let report = report(pool, time);
    (report.status().as_str(), report.reason().map(str::to_owned))
}

fn ok() -> (&'static str, Option<String>) {
    ("OK", None)
}

fn degraded() -> (&'static str, Option<String>) {
    ("DEGRADED", Some("saturated".to_owned()))
}

fn error(reason: &str) -> (&'static str, Option<String>) {
    ("ERROR", Some(reason.to_owned()))
}

fn full() -> PoolCounters {
    PoolCounters::new(4, 0, 4)
}

fn idle() -> PoolCounters {
    PoolCounters::new(4, 1, 4)
}

#[test]
fn a_pool_with_a_sound_connection_passes_and_tells_its_counters() {
    let time = VirtualTime::default();
    let pool = FakePool::new(idle(), [Get::Conn(Conn::Sound)]);
    let report = report(&Arc::new(pool.indicator(&time)), &time);
    assert_eq!(report.status().as_str(), "OK");
    let values: Vec<_> =
        report.values().iter().map(|value| (value.name(), value.number())).collect();
    assert_eq!(values, [("connections", 4.0), ("idle", 1.0), ("max", 4.0)]);
    assert_eq!((pool.taken(), pool.discarded()), (1, 0));
}

#[test]
fn a_pool_that_may_grow_is_not_full() {
    let time = VirtualTime::default();
    for size in [0, 3] {
        let pool = FakePool::new(PoolCounters::new(size, 0, 4), [Get::Conn(Conn::Sound)]);
        assert_eq!(test(&Arc::new(pool.indicator(&time)), &time), ok(), "{size} connections");
    }
}

#[test]
fn a_full_pool_is_degraded_and_not_asked_for_a_connection() {
    let time = VirtualTime::default();
    let pool = FakePool::new(full(), []);
    assert_eq!(test(&Arc::new(pool.indicator(&time)), &time), degraded());
    assert_eq!(pool.taken(), 0);
}

#[test]
fn a_full_pool_that_moves_never_fails() {
    let time = VirtualTime::default();
    let pool = FakePool::new(full(), []);
    let indicator = Arc::new(pool.indicator(&time));
    for returned in 0..100 {
        pool.set(full().returned(returned));
        assert_eq!(test(&indicator, &time), degraded());
        time.pass(29 * SECOND);
    }
}

#[test]
fn a_full_pool_whose_movement_is_unknown_never_fails() {
    let time = VirtualTime::default();
    let pool = FakePool::new(full(), []);
    let indicator = Arc::new(pool.indicator(&time));
    for _ in 0..100 {
        assert_eq!(test(&indicator, &time), degraded());
        time.pass(3600 * SECOND);
    }
}

#[test]
fn a_full_pool_to_which_nothing_returns_fails_until_something_does() {
    let time = VirtualTime::default();
    let pool = FakePool::new(full().returned(7), []);
    let indicator = Arc::new(pool.indicator(&time));
    for _ in 0..3 {
        assert_eq!(test(&indicator, &time), degraded());
        time.pass(10 * SECOND);
    }
    assert_eq!(test(&indicator, &time), error("stuck"));
    assert_eq!(test(&indicator, &time), error("stuck"));
    pool.set(full().returned(8));
    assert_eq!(test(&indicator, &time), degraded());
    time.pass(30 * SECOND);
    assert_eq!(test(&indicator, &time), error("stuck"));
    assert_eq!(pool.taken(), 0);
}

#[test]
fn one_look_is_no_evidence_of_a_stuck_pool() {
    let time = VirtualTime::default();
    let pool = FakePool::new(full().returned(7), []);
    let indicator = Arc::new(pool.indicator(&time).stuck_after(Duration::ZERO));
    assert_eq!(test(&indicator, &time), degraded());
    assert_eq!(test(&indicator, &time), error("stuck"));
}

#[test]
fn an_idle_connection_in_between_ends_the_suspicion() {
    let time = VirtualTime::default();
    let pool = FakePool::new(full().returned(7), [Get::Conn(Conn::Sound)]);
    let indicator = Arc::new(pool.indicator(&time));
    assert_eq!(test(&indicator, &time), degraded());
    time.pass(20 * SECOND);
    pool.set(idle().returned(7));
    assert_eq!(test(&indicator, &time), ok());
    time.pass(20 * SECOND);
    pool.set(full().returned(7));
    assert_eq!(test(&indicator, &time), degraded());
}

#[test]
fn a_counter_of_the_application_shows_movement() {
    let time = VirtualTime::default();
    let pool = FakePool::new(full(), []);
    let returns = ReturnCounter::default();
    let indicator = Arc::new(pool.indicator(&time).returns(returns.clone()));
    assert_eq!(test(&indicator, &time), degraded());
    time.pass(30 * SECOND);
    returns.count();
    assert_eq!(test(&indicator, &time), degraded());
    time.pass(30 * SECOND);
    assert_eq!(test(&indicator, &time), error("stuck"));
}

#[test]
fn a_closed_pool_fails_and_is_not_asked() {
    let time = VirtualTime::default();
    let pool = FakePool::new(PoolCounters::new(0, 0, 0).closed(true), []);
    assert_eq!(test(&Arc::new(pool.indicator(&time)), &time), error("closed"));
    assert_eq!(pool.taken(), 0);
}

#[test]
fn a_pool_without_room_is_a_mistake() {
    let time = VirtualTime::default();
    let pool = FakePool::new(PoolCounters::new(0, 0, 0), []);
    assert_eq!(test(&Arc::new(pool.indicator(&time)), &time), error("misconfigured"));
}

#[test]
fn a_get_that_hangs_is_timed_out_unless_the_pool_became_full() {
    let time = VirtualTime::default();
    let pool = FakePool::new(idle(), [Get::Hangs]);
    assert_eq!(test(&Arc::new(pool.indicator(&time)), &time), error("timed_out"));
    let pool = FakePool::new(idle(), [Get::Hangs]).then(full());
    assert_eq!(test(&Arc::new(pool.indicator(&time)), &time), degraded());
}

#[test]
fn a_pool_that_became_full_before_the_get_is_degraded() {
    let time = VirtualTime::default();
    let pool = FakePool::new(idle(), [Get::Full]);
    assert_eq!(test(&Arc::new(pool.indicator(&time)), &time), degraded());
}

#[test]
fn a_get_that_fails_tells_why() {
    let time = VirtualTime::default();
    let pool = FakePool::new(idle(), [Get::Fails(io::ErrorKind::ConnectionRefused)]);
    assert_eq!(test(&Arc::new(pool.indicator(&time)), &time), error("refused"));
}

#[test]
fn a_server_without_connections_degrades_a_pool_that_has_some() {
    fn classify(error: &(dyn std::error::Error + 'static)) -> Option<&'static str> {
        error.is::<io::Error>().then_some("saturated")
    }
    let time = VirtualTime::default();
    for (size, expected) in [(1, degraded()), (0, error("saturated"))] {
        let pool = FakePool::new(PoolCounters::new(size, 0, 4), [Get::Fails(io::ErrorKind::Other)]);
        let indicator = Arc::new(pool.indicator(&time).classify(classify));
        assert_eq!(test(&indicator, &time), expected, "{size} connections");
    }
}

#[test]
fn a_broken_idle_connection_is_replaced_by_one_more_and_no_other() {
    let time = VirtualTime::default();
    let broken = || Get::Conn(Conn::Broken);
    let pool = FakePool::new(idle(), [broken(), Get::Conn(Conn::Sound)]);
    assert_eq!(test(&Arc::new(pool.indicator(&time)), &time), ok());
    assert_eq!((pool.taken(), pool.discarded()), (2, 1));

    let pool = FakePool::new(idle(), [broken(), broken(), Get::Conn(Conn::Sound)]);
    assert_eq!(test(&Arc::new(pool.indicator(&time)), &time), error("reset"));
    assert_eq!((pool.taken(), pool.discarded()), (2, 2));
}

#[test]
fn a_silent_connection_is_discarded_and_one_that_only_reads_is_not() {
    let time = VirtualTime::default();
    let pool = FakePool::new(idle(), [Get::Conn(Conn::Silent)]);
    assert_eq!(test(&Arc::new(pool.indicator(&time)), &time), error("timed_out"));
    assert_eq!((pool.taken(), pool.discarded()), (1, 1));

    let pool = FakePool::new(idle(), [Get::Conn(Conn::ReadOnly)]);
    assert_eq!(test(&Arc::new(pool.indicator(&time)), &time), error("read_only"));
    assert_eq!((pool.taken(), pool.discarded()), (1, 0));
}

#[test]
fn counters_that_contradict_each_other_are_no_failure() {
    let time = VirtualTime::default();
    for counters in [
        PoolCounters::new(4, u64::MAX, 4),
        PoolCounters::new(9, 2, 4),
        PoolCounters::new(0, 0, u64::MAX),
    ] {
        let pool = FakePool::new(counters, [Get::Conn(Conn::Sound)]);
        assert_eq!(test(&Arc::new(pool.indicator(&time)), &time), ok(), "{counters:?}");
    }
    let pool = FakePool::new(PoolCounters::new(9, 0, 4), []);
    assert_eq!(test(&Arc::new(pool.indicator(&time)), &time), degraded(), "larger than it may be");
}

#[test]
fn a_pool_that_does_not_tell_why_it_opens_no_connection_is_explained() {
    let time = VirtualTime::default();
    let refused =
        || Box::pin(async { Err(io::Error::from(io::ErrorKind::ConnectionRefused).into()) }) as _;
    let pool = FakePool::new(idle(), [Get::Hangs]);
    let indicator = Arc::new(pool.indicator(&time).explained_by(refused));
    assert_eq!(test(&indicator, &time), error("refused"));

    let pool = FakePool::new(idle(), [Get::Hangs]);
    let indicator = Arc::new(pool.indicator(&time).explained_by(|| Box::pin(async { Ok(()) })));
    assert_eq!(test(&indicator, &time), error("timed_out"));
}

#[test]
fn a_connection_that_is_still_on_its_way_back_is_waited_for_but_not_for_long() {
    let time = VirtualTime::default();
    let pool = FakePool::new(idle(), [Get::Conn(Conn::Sound), Get::Conn(Conn::Sound)]).then(full());
    let start = time.now();
    assert_eq!(test(&Arc::new(pool.indicator(&time)), &time), ok());
    let waited = time.now() - start;
    assert!(Duration::ZERO < waited && waited < SECOND / 10, "{waited:?}");

    pool.set(idle());
    let start = time.now();
    assert_eq!(test(&Arc::new(pool.indicator(&time)), &time), ok());
    assert_eq!(time.now(), start);
}

#[test]
fn a_connection_that_is_not_back_is_waited_for_within_the_timeout() {
    let took = |timeout| {
        let time = VirtualTime::default();
        let counters = PoolCounters::new(1, 0, 10);
        let pool = FakePool::new(counters, [Get::Conn(Conn::Sound)]);
        let pool = Arc::new(pool.indicator(&time).timeout(timeout));
        let started = time.now();
        assert_eq!(test(&pool, &time), ok());
        time.now() - started
    };
    assert!(took(SECOND) >= Duration::from_millis(20));
    assert!(took(Duration::from_millis(5)) <= Duration::from_millis(5));
}

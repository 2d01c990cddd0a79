//! A fleet whose hosts meet in a store, and lose their database together or alone (H24).

use std::collections::BTreeMap;
use std::error::Error;
use std::future::pending;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use health_core::{Check, Endpoint, Health, OwnView, PeerView, Peers, Runtime as _, async_trait};

use crate::builder;
use crate::virtual_time::{Ask as _, VirtualTime};

const HOSTS: usize = 10;

/// What a database does when a host asks it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Database {
    Works,
    Refuses,
    Hangs,
}

/// One entry per host, which expires.
#[derive(Clone)]
struct Store {
    time: VirtualTime,
    entries: Arc<Mutex<BTreeMap<usize, (Instant, bool)>>>,
    is_up: Arc<Mutex<bool>>,
    expiry: Duration,
}

/// The store as one host uses it.
struct Meeting(Store, usize);

#[async_trait]
impl Peers for Meeting {
    async fn exchange(
        &self,
        own: &[OwnView],
    ) -> Result<Vec<PeerView>, Box<dyn Error + Send + Sync>> {
        let Self(store, host) = self;
        if !*store.is_up.lock().unwrap() {
            return Err("no route to the store".into());
        }
        let now = store.time.now();
        let mut entries = store.entries.lock().unwrap();
        entries.remove(host);
        entries.retain(|_, (expires, _)| *expires > now);
        let others = entries.values().filter(|(_, is_reached)| *is_reached).count() as u32;
        let view = PeerView::new("database", others, entries.len() as u32);
        if let [own] = own {
            entries.insert(*host, (now + store.expiry, own.is_reached));
        }
        Ok(vec![view])
    }
}

struct Fleet {
    time: VirtualTime,
    store: Store,
    hosts: Vec<(Health, Arc<Mutex<Database>>)>,
}

impl Fleet {
    /// Hosts that start within a period of each other.
    fn new(period: Duration, exchange: Duration) -> Self {
        let time = VirtualTime::default();
        let store = Store {
            time: time.clone(),
            entries: Arc::default(),
            is_up: Arc::new(Mutex::new(true)),
            expiry: 3 * exchange,
        };
        let hosts = (0..HOSTS).map(|host| {
            let database = Arc::new(Mutex::new(Database::Works));
            let check = Check::with("database", database.clone(), |database| async move {
                let database = *database.lock().unwrap();
                match database {
                    Database::Works => Ok(()),
                    Database::Refuses => Err("connection refused"),
                    Database::Hangs => pending().await,
                }
            });
            let health = builder()
                .runtime(time.clone())
                .register(check.shared().every(period))
                .register(Check::peers("peers", Meeting(store.clone(), host)).every(exchange))
                .endpoint(Endpoint::readiness("/ready"))
                .build()
                .unwrap();
            health.start_on(time.clone());
            time.pass(period / HOSTS as u32);
            (health, database)
        });
        let hosts = hosts.collect();
        let fleet = Self { time, store, hosts };
        fleet.time.pass(2 * (period + exchange));
        fleet
    }

    fn set(&self, hosts: &[usize], state: Database) {
        for host in hosts {
            *self.hosts[*host].1.lock().unwrap() = state;
        }
    }

    /// The hosts that a balancer takes out now.
    fn out(&self) -> Vec<usize> {
        let is_out = |host: &usize| {
            let asker = self.time.ask_at(&self.hosts[*host].0, "/ready");
            asker.response().status() != 200
        };
        (0..HOSTS).filter(is_out).collect()
    }

    /// Lets time pass. Returns all hosts that were out at some moment.
    fn out_within(&self, time: Duration) -> Vec<usize> {
        let steps = 60;
        let mut out: Vec<_> = (0..steps)
            .flat_map(|_| {
                self.time.pass(time / steps);
                self.out()
            })
            .collect();
        out.sort_unstable();
        out.dedup();
        out
    }
}

/// Periods of the check and of the exchange.
const PERIODS: [(Duration, Duration); 3] = [
    (Duration::from_secs(5), Duration::from_secs(5)),
    (Duration::from_secs(1), Duration::from_secs(5)),
    (Duration::from_secs(10), Duration::from_secs(1)),
];

const ALL: [usize; HOSTS] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];

/// Longer than any host takes to notice anything.
fn long(period: Duration, exchange: Duration) -> Duration {
    5 * (period + exchange)
}

#[test]
fn a_database_that_all_hosts_lose_takes_none_out_neither_when_it_goes_nor_when_it_returns() {
    for (period, exchange) in PERIODS {
        for state in [Database::Refuses, Database::Hangs] {
            let fleet = Fleet::new(period, exchange);
            for outage in [period / 2, 2 * period, long(period, exchange)] {
                fleet.set(&ALL, state);
                assert_eq!(fleet.out_within(outage), [0; 0], "{state:?} {period:?} {exchange:?}");
                fleet.set(&ALL, Database::Works);
                let after = long(period, exchange);
                assert_eq!(fleet.out_within(after), [0; 0], "{state:?} {period:?} {exchange:?}");
            }
        }
    }
}

#[test]
fn a_host_that_loses_its_database_alone_leaves_alone_and_returns() {
    for (period, exchange) in PERIODS {
        for state in [Database::Refuses, Database::Hangs] {
            let fleet = Fleet::new(period, exchange);
            fleet.set(&[3], state);
            assert_eq!(fleet.out_within(long(period, exchange)), [3]);
            assert_eq!(fleet.out(), [3], "{state:?} {period:?} {exchange:?}");
            // It stays out for as long as the store works.
            *fleet.store.is_up.lock().unwrap() = false;
            fleet.time.pass(2 * exchange);
            assert_eq!(fleet.out(), [0; 0]);
            *fleet.store.is_up.lock().unwrap() = true;
            fleet.time.pass(long(period, exchange));
            assert_eq!(fleet.out(), [3]);
            fleet.set(&[3], Database::Works);
            fleet.time.pass(2 * period);
            assert_eq!(fleet.out(), [0; 0]);
        }
    }
}

#[test]
fn at_most_half_of_the_hosts_leave() {
    let (period, exchange) = PERIODS[0];
    for sick in 1..=HOSTS {
        let fleet = Fleet::new(period, exchange);
        fleet.set(&ALL[..sick], Database::Refuses);
        fleet.time.pass(long(period, exchange));
        let expected = if sick <= HOSTS / 2 { sick } else { 0 };
        assert_eq!(fleet.out(), ALL[..expected]);
    }
}

#[test]
fn a_host_that_leaves_does_not_draw_others_after_it() {
    // One after the other loses the database for good: the second half stays.
    let (period, exchange) = PERIODS[0];
    let fleet = Fleet::new(period, exchange);
    for host in ALL {
        fleet.set(&[host], Database::Refuses);
        fleet.time.pass(long(period, exchange));
        let out = fleet.out().len();
        assert!(out <= HOSTS / 2, "{out} hosts are out");
    }
    // No host reaches it: all serve again what they can.
    assert_eq!(fleet.out(), [0; 0]);
}

//! A fleet whose hosts meet in a Redis: one of them loses its database alone, and then all lose it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::time::{Duration, Instant};

use futures::executor::block_on;
use health_axum::{Check, Endpoint, Health, HealthConfig, State};
use redis::{Client, Connection, TypedCommands as _};

use super::{Redis, connect, free_port, skip, wait_until};
use crate::peers::Meeting;

/// Of the check of the database, and of the exchange.
const PERIOD: Duration = Duration::from_millis(500);

const FLEET: &str = "fleet-test";

/// A host with its own connection to the database.
struct Host {
    health: Health,
    reaches_database: Arc<AtomicBool>,
}

impl Host {
    fn new(client: &Client, name: &str) -> Self {
        let reaches_database = Arc::new(AtomicBool::new(true));
        let database = Check::with("database", reaches_database.clone(), |reaches| async move {
            if reaches.load(SeqCst) { Ok(()) } else { Err("no route") }
        });
        let meeting = Meeting::new(client.clone(), FLEET, name, 3 * PERIOD);
        let health = Health::builder()
            .config(HealthConfig::default().with_disablefile(""))
            .register(database.shared().every(PERIOD))
            .register(Check::peers("peers", meeting).every(PERIOD))
            .endpoint(Endpoint::readiness("/ready"))
            .build()
            .unwrap();
        Self { health, reaches_database }
    }

    fn state(&self) -> State {
        block_on(self.health.at("/ready").unwrap().answer("")).response().state()
    }

    /// The log record of a response; empty if it is OK.
    fn record(&self) -> String {
        let answer = block_on(self.health.at("/ready").unwrap().answer(""));
        answer.records().map(|record| record.text().to_owned()).collect()
    }
}

fn set(hosts: &[Host], reaches_database: bool) {
    hosts.iter().for_each(|host| host.reaches_database.store(reaches_database, SeqCst));
}

/// The number of calls of each command that Redis has had.
fn calls(connection: &mut Connection, command: &str) -> usize {
    let stats: String = redis::cmd("INFO").arg("commandstats").query(connection).unwrap();
    let line =
        stats.lines().find_map(|line| line.strip_prefix(&format!("cmdstat_{command}:calls=")));
    line.and_then(|line| line.split(',').next()?.parse().ok()).unwrap_or_default()
}

#[test]
fn a_host_that_alone_loses_its_database_leaves_and_if_all_lose_it_none_does() {
    let port = free_port();
    let Some(redis) = Redis::start(port) else {
        return skip();
    };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let _inside = runtime.enter();
    let client = Client::open(format!("redis://127.0.0.1:{port}/")).unwrap();
    let mut connection = connect(&client);
    let mut hosts: Vec<_> =
        ["a", "b", "c", "d"].iter().map(|name| Host::new(&client, name)).collect();
    let all = |hosts: &[Host], state| hosts.iter().all(|host| host.state() == state);
    let no_failure = |hosts: &[Host]| hosts.iter().all(|host| host.state() != State::Failing);
    wait_until("all are in service", || all(&hosts, State::Ok));

    set(&hosts[..1], false);
    wait_until("the sick host leaves", || {
        assert!(no_failure(&hosts[1..]));
        hosts[0].state() == State::Failing
    });
    let record = hosts[0].record();
    assert!(record.contains(", 3 of 3 peers reach it: no route"), "{record}");

    // Polls do not reach Redis.
    let (before, start) = (calls(&mut connection, "psetex"), Instant::now());
    for _ in 0..2_000 {
        hosts.iter().for_each(|host| drop(host.record()));
    }
    let periods = start.elapsed().as_secs_f64() / (0.9 * PERIOD.as_secs_f64());
    let exchanges = calls(&mut connection, "psetex") - before;
    let most = hosts.len() * (2 + periods.ceil() as usize);
    assert!(exchanges <= most, "{exchanges} exchanges, of at most {most}");

    // Without Redis there is no view.
    drop((redis, connection));
    wait_until("the sick host returns", || {
        assert!(no_failure(&hosts[1..]));
        hosts[0].state() == State::Degraded
    });
    let _redis = Redis::start(port).unwrap();
    drop(connect(&client));
    wait_until("the sick host leaves again", || hosts[0].state() == State::Failing);
    wait_until("the others have no failure", || all(&hosts[1..], State::Ok));

    set(&hosts, false);
    let view = ", 0 of 3 peers reach it: no route";
    wait_until("no host reaches it", || {
        assert!(no_failure(&hosts[1..]));
        hosts.iter().all(|host| host.record().contains(view))
    });
    assert!(all(&hosts, State::Degraded), "{}", hosts[0].record());
    set(&hosts, true);
    wait_until("all are in service", || {
        assert!(no_failure(&hosts));
        all(&hosts, State::Ok)
    });

    // A host that has stopped has no opinion, and leaves nothing behind.
    drop(hosts.split_off(1));
    let members = format!("{FLEET}:hosts");
    wait_until("the last host is alone", || {
        let client = client.clone();
        client.get_connection().unwrap().smembers(&members).unwrap().len() == 1
    });
    drop(hosts);
    wait_until("nothing is left", || {
        client.get_connection().unwrap().exists(&members) == Ok(false)
    });
}

//! A fleet that is put into maintenance through Redis: a real server, of Debian's package `redis-server`.

mod peers;

use std::env;
use std::io::{self, Write as _};
use std::net::{Ipv4Addr, TcpListener};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use futures::executor::block_on;
use health_axum::{Health, HealthConfig, StartupLatch, State};
use redis::{Client, Connection, TypedCommands as _};

use super::watcher;

const KEY: &str = "shop:maintenance";

/// How long anything may take that this test waits for.
const LIMIT: Duration = Duration::from_secs(30);

/// A Redis that ends with the test.
struct Redis(Child);

impl Redis {
    /// `None` if this machine has no Redis.
    fn start(port: u16) -> Option<Self> {
        let port = port.to_string();
        let started = Command::new("redis-server")
            .args(["--port", &port, "--bind", "127.0.0.1", "--save", ""])
            .stdout(Stdio::null())
            .spawn();
        match started {
            Ok(child) => Some(Self(child)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => panic!("redis-server: {error}"),
        }
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0));
    listener.unwrap().local_addr().unwrap().port()
}

/// Without a Redis nothing can be shown.
fn skip() {
    let needs_all = env::var_os("HEALTH_NEEDS_ALL_PROGRAMS");
    assert!(needs_all.is_none(), "redis-server is not installed");
    // Not by `println!`, which the test harness keeps to itself.
    let skipped = "skipped: redis-server is not installed, so that nothing more can be shown";
    let _ = writeln!(io::stderr(), "{skipped}");
}

/// A host of the fleet, and its watcher.
fn host(client: &Client) -> (Health, watcher::Watcher) {
    let known = StartupLatch::new("fleet-maintenance");
    let health = Health::builder()
        .config(HealthConfig::default().with_disablefile(""))
        .latch(&known)
        .build()
        .unwrap();
    let switch = health.maintenance_switch();
    let watcher = watcher::watch(client.clone(), KEY, switch, known);
    (health, watcher)
}

fn state(health: &Health) -> State {
    block_on(health.answer("")).response().state()
}

fn wait_until(what: &str, is_so: impl Fn() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < LIMIT, "never: {what}");
        thread::sleep(Duration::from_millis(5));
    }
}

fn connect(client: &Client) -> Connection {
    let connected = Mutex::new(None);
    wait_until("Redis answers", || {
        *connected.lock().unwrap() = client.get_connection().ok();
        connected.lock().unwrap().is_some()
    });
    connected.into_inner().unwrap().unwrap()
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Log {
    fn count(&self, text: &str) -> usize {
        let log = self.0.lock().unwrap();
        String::from_utf8_lossy(&log).matches(text).count()
    }
}

#[test]
fn one_key_flips_the_whole_fleet_and_a_redis_that_is_gone_changes_nothing() {
    let log = Log::default();
    let lines = log.clone();
    let subscriber = tracing_subscriber::fmt().with_writer(move || lines.clone());
    subscriber.init();
    let port = free_port();
    let client = Client::open(format!("redis://127.0.0.1:{port}/")).unwrap();
    let hosts = [(); 3].map(|()| host(&client));
    let all = |expected| hosts.iter().all(|(health, _)| state(health) == expected);
    let (lost, back) = ("the last state stands", "Redis is back");

    // Redis is absent at the start: the state is unknown, so no host gets traffic.
    wait_until("the loss is logged", || log.count(lost) == 3);
    assert!(all(State::Starting));

    let Some(redis) = Redis::start(port) else {
        return skip();
    };
    wait_until("the hosts are known to be in service", || all(State::Ok));
    let mut connection = connect(&client);
    connection.set(KEY, 1).unwrap();
    wait_until("the fleet is in maintenance", || all(State::Maintenance));

    drop((redis, connection));
    wait_until("the loss is logged", || log.count(lost) == 6);
    assert!(all(State::Maintenance));
    // Long enough for more than one further attempt, of which the log must not tell.
    let redis = Redis::start(port).unwrap();
    wait_until("Redis is seen to be back", || log.count(back) == 6);
    // It has forgotten the key.
    wait_until("the fleet is in service", || all(State::Ok));
    assert_eq!(log.count(lost), 6);
    drop(redis);
}

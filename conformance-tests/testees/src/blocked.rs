//! Tests that a liveness endpoint on a separate listener fails while handlers block every worker of the application.

#![expect(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

use std::env;
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use health_core::{Endpoint, Health, HealthBuilder};

use crate::ask;

/// The number of workers that an application should have.
pub const WORKERS: usize = 2;
/// The expiry of its checks.
pub const EXPIRY: Duration = Duration::from_millis(500);
/// The tag of the checks that the liveness endpoint runs.
pub const TAG: &str = "alive";

/// A machine may be busy, but not for longer.
const PATIENCE: Duration = Duration::from_secs(60);

/// Set in the process whose workers are blocked.
const IS_SERVER: &str = "HEALTH_BLOCKED_SERVER";

/// Whether [`block`] returns.
static IS_FREE: AtomicBool = AtomicBool::new(false);

/// Runs the test `test` again in a new process. There, `serve` serves an application whose handler at `/block` calls
/// [`block`] and which has the endpoints of the `Health` that it gets; the checks that `describe` registers must have the
/// [`TAG`]. Then blocks all workers with requests, and frees them.
///
/// `serve` calls [`ready`] when it listens.
pub fn liveness_fails_while_every_worker_is_blocked(
    test: &str,
    describe: impl FnOnce(HealthBuilder) -> HealthBuilder,
    serve: impl FnOnce(Health),
) {
    if env::var_os(IS_SERVER).is_some() {
        return application(describe, serve);
    }
    let mut server = Command::new(env::current_exe().unwrap())
        .args([test, "--exact", "--nocapture"])
        .env(IS_SERVER, "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .map(Server)
        .unwrap();
    let mut lines = BufReader::new(server.0.stdout.take().unwrap()).lines();
    let mut address = |word: &str| {
        let find = |line: io::Result<String>| line.unwrap().split_once(word)?.1.parse().ok();
        lines.find_map(find).unwrap()
    };
    let live: SocketAddr = address("LIVE ");
    let application: SocketAddr = address("READY ");
    let wait_for = |status: u16| {
        let began = Instant::now();
        while ask(live, "GET /live").0 != status {
            assert!(began.elapsed() < PATIENCE, "never {status}");
            thread::sleep(Duration::from_millis(10));
        }
        println!("{status} after {:?}", began.elapsed());
    };

    wait_for(200);
    // More than one for each worker: two may come to the same.
    let blocked: Vec<_> = (0..WORKERS * 4).map(|_| request(application)).collect();
    wait_for(503);
    writeln!(server.0.stdin.as_ref().unwrap(), "free").unwrap();
    wait_for(200);
    drop(blocked);
}

/// Blocks the thread until the test frees it.
pub fn block() {
    while !IS_FREE.load(Ordering::SeqCst) {
        thread::sleep(Duration::from_millis(1));
    }
}

/// Reports the address of the application to the test.
pub fn ready(address: SocketAddr) {
    println!("READY {address}");
}

fn application(describe: impl FnOnce(HealthBuilder) -> HealthBuilder, serve: impl FnOnce(Health)) {
    let endpoint = Endpoint::liveness("/live").tagged(TAG);
    let health = describe(Health::builder().endpoint(endpoint)).build().unwrap();
    let listener = health_hyper::listen("127.0.0.1:0", health.clone()).unwrap();
    println!("LIVE {}", listener.local_addr());
    thread::spawn(|| {
        let _ = io::stdin().read_line(&mut String::new());
        IS_FREE.store(true, Ordering::SeqCst);
    });
    serve(health);
}

fn request(address: SocketAddr) -> TcpStream {
    let mut connection = TcpStream::connect(address).unwrap();
    connection.write_all(b"GET /block HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    connection
}

/// A process that is killed on drop.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

//! HAProxy's agent check with a real HAProxy.

#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

use std::env;
use std::fs;
use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use health_core::{Check, Endpoint, Health, HealthConfig, StartupLatch};
use tempfile::TempDir;

/// The page whose configuration users copy.
const PAGE: &str = include_str!("../../../docs/own-listener.md");

/// How long HAProxy may take to notice a change: it polls ten times a second.
const LIMIT: Duration = Duration::from_secs(30);

struct HaProxy {
    process: Child,
    directory: TempDir,
}

impl HaProxy {
    /// `None` where there is no HAProxy.
    fn start(application: SocketAddr, agent: SocketAddr) -> Option<Self> {
        if let Err(error) = Command::new("haproxy").arg("-v").output() {
            let is_needed = env::var_os("HEALTH_NEEDS_ALL_PROGRAMS").is_some();
            assert!(!is_needed, "haproxy cannot be run: {error}");
            // Not by `println!`, which the test harness keeps to itself.
            let _ = writeln!(io::stderr(), "skipped: haproxy cannot be run: {error}");
            return None;
        }
        let directory = tempfile::tempdir().unwrap();
        let config = directory.path().join("haproxy.cfg");
        fs::write(&config, configuration(directory.path(), application, agent)).unwrap();
        let process = Command::new("haproxy").arg("-db").arg("-f").arg(config).spawn();
        Some(Self { process: process.unwrap(), directory })
    }

    fn socket(&self) -> PathBuf {
        self.directory.path().join("admin.sock")
    }

    /// The column `status` of the server's statistics; `None` while HAProxy starts.
    fn status(&self) -> Option<String> {
        let mut socket = UnixStream::connect(self.socket()).ok()?;
        socket.write_all(b"show stat\n").unwrap();
        let mut table = String::new();
        socket.read_to_string(&mut table).unwrap();
        let rows = table.lines().map(|row| row.split(',').collect::<Vec<_>>());
        let mut rows = rows.filter(|row| row.len() > 1);
        let head = rows.next().unwrap();
        let column = head.iter().position(|name| *name == "status").unwrap();
        let row = rows.find(|row| row[1] == "shop1").unwrap();
        Some(row[column].to_owned())
    }

    fn expect(&mut self, status: &str) {
        let start = Instant::now();
        loop {
            let got = self.status();
            if got.as_deref() == Some(status) {
                return;
            }
            assert!(self.process.try_wait().unwrap().is_none(), "HAProxy has ended");
            assert!(start.elapsed() < LIMIT, "{got:?} and not {status}");
            thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for HaProxy {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The configuration on the page, with the addresses of this test and a shorter interval.
fn configuration(directory: &Path, application: SocketAddr, agent: SocketAddr) -> String {
    let (_, page) = PAGE.split_once("```haproxy\n").unwrap();
    let (backend, _) = page.split_once("```").unwrap();
    let mut backend = backend.to_owned();
    for (written, here) in [
        ("10.0.0.11:8080", application.to_string()),
        ("agent-addr 10.0.0.11", format!("agent-addr {}", agent.ip())),
        ("agent-port 8082", format!("agent-port {}", agent.port())),
        ("agent-inter 2s", "agent-inter 100ms".to_owned()),
    ] {
        assert!(backend.contains(written), "{written}");
        backend = backend.replace(written, &here);
    }
    let directory = directory.display();
    format!(
        "global
    stats socket {directory}/admin.sock level admin
defaults
    mode http
    timeout connect 5s
    timeout client 5s
    timeout server 5s
frontend web
    bind unix@{directory}/web.sock
    default_backend shop
{backend}"
    )
}

#[test]
fn the_state_of_the_application_is_the_state_of_the_server() {
    let fails = Arc::new(AtomicBool::new(false));
    let check = {
        let fails = fails.clone();
        Check::new("database", move || {
            let fails = fails.load(Ordering::SeqCst);
            async move { if fails { Err("refused") } else { Ok(()) } }
        })
    };
    let latch = StartupLatch::new("migrations");
    let health = Health::builder()
        .config(HealthConfig::default().with_disablefile(""))
        .endpoint(Endpoint::readiness("/ready"))
        .register(check)
        .latch(&latch)
        .build()
        .unwrap();
    let switch = health.maintenance_switch();
    // HAProxy's own check only connects.
    let application = TcpListener::bind("127.0.0.1:0").unwrap();
    let agent = health_hyper::agent_check("127.0.0.1:0", health.clone(), "/ready").unwrap();
    let application = application.local_addr().unwrap();
    let Some(mut haproxy) = HaProxy::start(application, agent.local_addr()) else {
        return;
    };

    haproxy.expect("DOWN (agent)");
    latch.release();
    haproxy.expect("UP");
    switch.turn_on();
    haproxy.expect("DRAIN (agent)");
    switch.turn_off();
    haproxy.expect("UP");
    fails.store(true, Ordering::SeqCst);
    haproxy.expect("DOWN (agent)");
    fails.store(false, Ordering::SeqCst);
    haproxy.expect("UP");
    health.drain();
    haproxy.expect("DRAIN (agent)");
}

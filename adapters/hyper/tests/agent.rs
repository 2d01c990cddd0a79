//! The agent check for HAProxy, over plain connections.

#![expect(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

use std::io::{self, Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use health_core::{Check, Endpoint, Health, HealthBuilder, StartupLatch};
use health_hyper::agent_check;

const ANYWHERE: &str = "127.0.0.1:0";

/// An agent of the endpoint at `/ready`.
fn agent(health: &Health) -> SocketAddr {
    let agent = agent_check(ANYWHERE, health.clone(), "/ready").unwrap();
    agent.local_addr()
}

/// With a readiness endpoint at `/ready`. Without a disablefile, which another process could create.
fn builder() -> HealthBuilder {
    let config = health_core::HealthConfig::default().with_disablefile("");
    Health::builder().config(config).endpoint(Endpoint::readiness("/ready"))
}

/// All that a client receives that sends `input`.
fn line(address: SocketAddr, input: &[u8]) -> String {
    let mut connection = TcpStream::connect(address).unwrap();
    connection.write_all(input).unwrap();
    let mut line = String::new();
    connection.read_to_string(&mut line).unwrap();
    line
}

fn failing_if(fails: &Arc<AtomicBool>) -> Check {
    let fails = fails.clone();
    Check::new("database", move || {
        let fails = fails.load(Ordering::SeqCst);
        async move { if fails { Err("a secret") } else { Ok(()) } }
    })
}

#[test]
fn each_state_has_its_line() {
    let fails = Arc::new(AtomicBool::new(false));
    let latch = StartupLatch::new("migrations");
    let health = builder().register(failing_if(&fails)).latch(&latch).build().unwrap();
    let switch = health.maintenance_switch();
    let agent = agent(&health);

    assert_eq!(line(agent, b""), "down #starting\n");
    latch.release();
    assert_eq!(line(agent, b""), "up ready\n");
    fails.store(true, Ordering::SeqCst);
    assert_eq!(line(agent, b""), "down #failing\n");
    switch.turn_on();
    assert_eq!(line(agent, b""), "drain\n");
    fails.store(false, Ordering::SeqCst);
    switch.turn_off();
    assert_eq!(line(agent, b""), "up ready\n");
    health.drain();
    assert_eq!(line(agent, b""), "drain\n");
}

#[test]
fn a_degraded_server_is_up() {
    let fails = Arc::new(AtomicBool::new(true));
    let health = builder().register(failing_if(&fails).optional()).build().unwrap();
    assert_eq!(line(agent(&health), b""), "up ready\n");
}

#[test]
fn its_line_is_the_state_of_its_endpoint() {
    let health = builder().endpoint(Endpoint::liveness("/live")).build().unwrap();
    health.drain();
    let agent = agent_check(ANYWHERE, health, "/live").unwrap();
    assert_eq!(line(agent.local_addr(), b""), "up ready\n");
}

#[test]
fn the_text_of_agent_send_is_read_and_changes_nothing() {
    let health = builder().build().unwrap();
    let agent = agent(&health);
    for input in [&b"shop1\n"[..], b"checks=none", &[b'x'; 4096]] {
        assert_eq!(line(agent, input), "up ready\n");
    }
}

#[test]
fn it_closes_after_the_line_if_the_client_does_not() {
    let health = builder().build().unwrap();
    let connection = TcpStream::connect(agent(&health)).unwrap();
    let mut line = String::new();
    (&connection).read_to_string(&mut line).unwrap();
    assert_eq!(line, "up ready\n");
}

#[test]
fn clients_that_hang_or_leave_keep_no_poller_out() {
    let health = builder().build().unwrap();
    let agent = agent(&health);
    let held: Vec<_> = (0..100).map(|_| TcpStream::connect(agent).unwrap()).collect();
    drop(TcpStream::connect(agent).unwrap());
    let half = TcpStream::connect(agent).unwrap();
    half.shutdown(Shutdown::Write).unwrap();
    assert_eq!(line(agent, b""), "up ready\n");
    drop(held);
}

#[test]
fn a_path_without_an_endpoint_is_an_error_at_once() {
    let health = builder().build().unwrap();
    let error = agent_check(ANYWHERE, health, "/redy").unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
    assert_eq!(error.to_string(), "no health endpoint at /redy");
}

#[test]
fn outside_any_runtime_checks_find_its_own() {
    let check = || async {
        tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        Ok::<(), String>(())
    };
    let health = builder().check("timer", check).build().unwrap();
    assert_eq!(line(agent(&health), b""), "up ready\n");
}

//! A process whose tokio runtime is blocked: a separate listener says so, with the check of the runtime.

#![expect(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

mod client;

use std::env;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use client::ask;
use health_core::{Check, Endpoint, Health};

/// Set in the process whose runtime is blocked: the address of the test.
const TEST: &str = "HEALTH_TEST_ADDRESS";
const WORKERS: usize = 2;
const EXPIRY: Duration = Duration::from_secs(1);

/// The workers that are blocked.
static BLOCKED: AtomicUsize = AtomicUsize::new(0);
/// The workers that are to be.
static WANTED: AtomicUsize = AtomicUsize::new(0);

#[test]
fn liveness_fails_while_every_worker_of_the_application_sleeps() {
    if let Some(test) = env::var_os(TEST) {
        return application(TcpStream::connect(test.to_str().unwrap()).unwrap());
    }
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut process = Command::new(env::current_exe().unwrap())
        .args(["liveness_fails_while_every_worker_of_the_application_sleeps", "--exact"])
        .env(TEST, listener.local_addr().unwrap().to_string())
        .spawn()
        .unwrap();
    let mut commands = listener.accept().unwrap().0;
    let mut lines = BufReader::new(commands.try_clone().unwrap()).lines();
    let address = lines.next().unwrap().unwrap();
    let mut block = |workers: usize| {
        writeln!(commands, "{workers}").unwrap();
        lines.next().unwrap().unwrap();
    };
    let get = |target: &str| ask(TcpStream::connect(&address).unwrap(), target);
    let wait_for = |status: &str| {
        let began = Instant::now();
        while !get("/live").starts_with(&format!("HTTP/1.1 {status} ")) {
            assert!(began.elapsed() < Duration::from_secs(60), "never {status}");
            thread::sleep(Duration::from_millis(10));
        }
        began.elapsed()
    };

    println!("200 after {:?}", wait_for("200"));
    // One free worker runs every task.
    block(WORKERS - 1);
    thread::sleep(2 * EXPIRY);
    // Not at once: a busy machine may keep the free worker waiting, but not permanently.
    wait_for("200");
    block(WORKERS);
    println!("503 after {:?}", wait_for("503"));
    // Nothing but the check fails.
    assert!(get("/health").starts_with("HTTP/1.1 200 "));
    block(0);
    println!("200 again after {:?}", wait_for("200"));
    drop((commands, lines));
    assert!(process.wait().unwrap().success());
}

#[test]
fn the_runtime_of_the_listener_is_not_tested_in_place_of_the_application_s() {
    let health = Health::builder()
        .register(Check::tokio_runtime("runtime", EXPIRY))
        .endpoint(Endpoint::liveness("/live").only_checks(["runtime"]))
        .build()
        .unwrap();
    let listener = health_hyper::listen("127.0.0.1:0", health.clone()).unwrap();
    let get = || ask(TcpStream::connect(listener.local_addr()).unwrap(), "/live");
    let message = || {
        get();
        let last = health.last_results().pop()?;
        Some(last.reports[0].message()?.to_owned())
    };
    let message = std::iter::repeat_with(message).flatten().next().unwrap();
    assert!(message.starts_with("no tokio runtime is known"), "{message}");
    assert!(get().starts_with("HTTP/1.1 503 "));
    let application =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap();
    let inside = application.enter();
    health.start_on_tokio();
    drop(inside);
    while !get().starts_with("HTTP/1.1 200 ") {
        thread::sleep(Duration::from_millis(10));
    }
}

/// Blocks as many workers as the test says.
fn application(test: TcpStream) {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(WORKERS).build().unwrap();
    let inside = runtime.enter();
    let health = Health::builder()
        .register(Check::tokio_runtime("runtime", EXPIRY))
        .endpoint(Endpoint::liveness("/live").only_checks(["runtime"]))
        .build()
        .unwrap();
    let listener = health_hyper::listen("127.0.0.1:0", health).unwrap();
    let mut replies = test.try_clone().unwrap();
    writeln!(replies, "{}", listener.local_addr()).unwrap();
    for workers in BufReader::new(test).lines() {
        let workers: usize = workers.unwrap().parse().unwrap();
        WANTED.store(workers, Ordering::SeqCst);
        for number in BLOCKED.load(Ordering::SeqCst)..workers {
            runtime.spawn(async move {
                BLOCKED.fetch_add(1, Ordering::SeqCst);
                while WANTED.load(Ordering::SeqCst) > number {
                    thread::sleep(Duration::from_millis(1));
                }
                BLOCKED.fetch_sub(1, Ordering::SeqCst);
            });
        }
        while BLOCKED.load(Ordering::SeqCst) != workers {
            thread::sleep(Duration::from_millis(1));
        }
        writeln!(replies, "blocked").unwrap();
    }
    drop(inside);
    runtime.shutdown_background();
}

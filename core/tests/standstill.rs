//! A process that is stopped and continued. The test runs itself again in a separate process, and stops that.

#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

use std::env;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use futures::executor::block_on;
use health_core::{Check, Health, HealthConfig, Heartbeat};
use rustix::process::{Pid, Signal, WaitOptions, getpid, kill_process, waitpid};

/// Set in the process that is stopped.
const STOPS: &str = "HEALTH_STOPS";
const PERIOD: Duration = Duration::from_millis(200);

#[test]
fn a_process_that_was_stopped_reports_no_stale_result_and_no_expired_heartbeat() {
    if env::var_os(STOPS).is_some() {
        return stop_and_ask();
    }
    let name = "a_process_that_was_stopped_reports_no_stale_result_and_no_expired_heartbeat";
    let mut process = Command::new(env::current_exe().unwrap())
        .args([name, "--exact", "--nocapture"])
        .env(STOPS, "1")
        .spawn()
        .unwrap();
    let id = Pid::from_child(&process);
    let (_, status) = waitpid(Some(id), WaitOptions::UNTRACED).unwrap().unwrap();
    assert!(status.stopped());
    // Longer than three periods, which make a result stale.
    thread::sleep(5 * PERIOD);
    kill_process(id, Signal::CONT).unwrap();
    assert!(process.wait().unwrap().success());
}

fn stop_and_ask() {
    let executions = Arc::new(AtomicUsize::new(0));
    let counted = executions.clone();
    let check = Check::blocking("slow", move || {
        thread::sleep(PERIOD / 4);
        counted.fetch_add(1, Ordering::SeqCst);
        Ok::<(), String>(())
    });
    let config = HealthConfig::default().with_disablefile("");
    let builder = || Health::builder().config(config.clone());
    let health = builder().register(check.every(PERIOD)).build().unwrap();
    let heartbeat = Heartbeat::new("worker", 3 * PERIOD);
    let watch = Check::heartbeat(&heartbeat).every(PERIOD / 8);
    let worker = builder().register(watch).build().unwrap();
    thread::spawn(move || {
        loop {
            heartbeat.beat();
            // In short sleeps, so that a worker that was stopped needs a while until its next beat.
            (0..10).for_each(|_| thread::sleep(PERIOD / 10));
        }
    });
    let ask_until = |number| {
        while executions.load(Ordering::SeqCst) < number {
            let answer = block_on(health.answer("checks=all"));
            let records: Vec<_> = answer.records().map(ToString::to_string).collect();
            assert!(!records.concat().contains("stale"), "{records:?}");
            let answer = block_on(worker.answer("checks=all"));
            let records: Vec<_> = answer.records().map(ToString::to_string).collect();
            assert!(!records.concat().contains("expired"), "{records:?}");
        }
    };
    ask_until(2);
    kill_process(getpid(), Signal::STOP).unwrap();
    ask_until(4);
}

//! A stat of the disablefile or of the alive file that does not return, as on a dead network mount (H4).

#![cfg(all(target_os = "linux", target_env = "gnu"))]
#![expect(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

use std::env;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use futures::executor::block_on;
use health_conformance::testee::VirtualTime;
use health_core::{Answer, Health, HealthConfig, LogLevel, Runtime, Task, ThreadRuntime};

/// Runs the test of this name again in a process whose stats can hang.
fn again(test: &str) -> PathBuf {
    let directory = tempfile::tempdir().unwrap().keep();
    let library = directory.join("hanging_stat.so");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/hanging_stat.c");
    // Linking Rust programs requires a C compiler too.
    let built = Command::new("cc")
        .args(["-shared", "-fPIC", "-o"])
        .arg(&library)
        .arg(source)
        .arg("-ldl")
        .status();
    assert!(built.unwrap().success());
    fs::create_dir(directory.join("dead")).unwrap();
    let again = Command::new(env::current_exe().unwrap())
        .args([test, "--exact", "--nocapture"])
        .env("LD_PRELOAD", library)
        .env("HANGS", directory.join("hangs"))
        .output()
        .unwrap();
    let output = String::from_utf8_lossy(&again.stdout);
    let errors = String::from_utf8_lossy(&again.stderr);
    assert!(output.contains("1 passed"), "{output}{errors}");
    directory
}

/// Controls the stats and the clock of the separate process.
struct Mount {
    hangs: PathBuf,
    disablefile: PathBuf,
}

impl Mount {
    /// `None` in the first process.
    fn find() -> Option<Self> {
        let hangs = PathBuf::from(env::var_os("HANGS")?);
        let disablefile = hangs.with_file_name("dead").join("maintenance");
        Some(Self { hangs, disablefile })
    }

    fn die(&self) {
        fs::create_dir(&self.hangs).unwrap();
    }

    fn revive(&self) {
        fs::remove_dir(&self.hangs).unwrap();
    }

    /// Waits until a stat hangs.
    fn is_reached(&self) {
        while !self.hangs.with_extension("reached").exists() {
            thread::yield_now();
        }
    }

    fn health(&self, clock: &Clock) -> Health {
        let config = HealthConfig::default().with_disablefile(&self.disablefile);
        let limit = Duration::from_millis(50);
        let health = Health::builder().config(config).maintenance_timeout(limit);
        health.runtime(clock.clone()).build().unwrap()
    }
}

/// The clock of the machine, which a test can advance.
#[derive(Clone, Default)]
struct Clock(Arc<AtomicU64>);

impl Clock {
    fn put_forward(&self, seconds: u64) {
        self.0.fetch_add(seconds, Ordering::SeqCst);
    }

    fn ahead(&self) -> Duration {
        Duration::from_secs(self.0.load(Ordering::SeqCst))
    }
}

impl Runtime for Clock {
    fn now(&self) -> Instant {
        ThreadRuntime.now() + self.ahead()
    }

    fn sleep_until(&self, deadline: Instant) -> Task {
        ThreadRuntime.sleep_until(deadline - self.ahead())
    }

    fn spawn(&self, task: Task) {
        ThreadRuntime.spawn(task);
    }
}

fn ask(health: &Health) -> Answer {
    block_on(health.answer("checks=all"))
}

fn warnings(answer: &Answer) -> usize {
    let records = answer.records();
    records.filter(|record| record.level() == LogLevel::Warn).count()
}

fn threads() -> usize {
    fs::read_dir("/proc/self/task").unwrap().count()
}

#[test]
fn a_mount_that_is_dead_from_the_start_delays_neither_build_nor_request_and_uses_one_thread() {
    let Some(mount) = Mount::find() else {
        let test = "a_mount_that_is_dead_from_the_start_delays_neither_build_nor_request_and_uses_one_thread";
        return fs::remove_dir_all(again(test)).unwrap();
    };
    fs::write(&mount.disablefile, "").unwrap();
    mount.die();
    let health = mount.health(&Clock::default());
    let first = ask(&health);
    assert_eq!(first.response().body(), "OK");
    assert_eq!(warnings(&first), 1);
    let before = threads();
    for _ in 0..1000 {
        let answer = ask(&health);
        assert_eq!(answer.response().body(), "OK");
        assert_eq!(warnings(&answer), 0);
    }
    assert_eq!(threads(), before);

    // When the disk is back, stats return again.
    mount.revive();
    while ask(&health).response().body() != "MAINTENANCE" {
        thread::yield_now();
    }
    assert_eq!(warnings(&ask(&health)), 0);
}

#[test]
fn a_disk_that_dies_later_delays_one_request_and_the_last_known_state_applies() {
    let Some(mount) = Mount::find() else {
        let test = "a_disk_that_dies_later_delays_one_request_and_the_last_known_state_applies";
        return fs::remove_dir_all(again(test)).unwrap();
    };
    fs::write(&mount.disablefile, "").unwrap();
    let clock = Clock::default();
    let health = mount.health(&clock);
    for _ in 0..10 {
        assert_eq!(ask(&health).response().body(), "MAINTENANCE");
    }
    mount.die();
    let held_up = health.clone();
    let held_up = thread::spawn(move || ask(&held_up).response().word().as_str());
    mount.is_reached();
    clock.put_forward(1);
    let answers: Vec<_> = (0..1000).map(|_| ask(&health)).collect();
    assert!(answers.iter().all(|answer| answer.response().body() == "MAINTENANCE"));
    assert_eq!(answers.iter().map(warnings).sum::<usize>(), 1);
    assert!(!held_up.is_finished());

    // When the disk is back, the change is seen.
    fs::remove_file(&mount.disablefile).unwrap();
    mount.revive();
    while ask(&health).response().body() != "OK" {
        thread::yield_now();
    }
    held_up.join().unwrap();
}

#[test]
fn an_alive_file_on_a_dead_mount_is_one_warning_and_one_thread_until_the_mount_is_back() {
    let Some(mount) = Mount::find() else {
        let test =
            "an_alive_file_on_a_dead_mount_is_one_warning_and_one_thread_until_the_mount_is_back";
        return fs::remove_dir_all(again(test)).unwrap();
    };
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt().with_writer(move || writer.clone()).finish();
    tracing::subscriber::with_default(subscriber, || {
        let time = VirtualTime::default();
        let config = HealthConfig::default().with_disablefile("");
        let health = Health::builder().config(config).runtime(time.clone()).build().unwrap();
        let path = &mount.disablefile;
        mount.die();
        health.at("/health").unwrap().touch_alive_file(path, Duration::from_secs(10));
        time.settle();
        mount.is_reached();
        time.pass(Duration::from_secs(1));
        let before = threads();
        time.pass(Duration::from_secs(60));
        assert_eq!(threads(), before);

        mount.revive();
        while !path.exists() {
            time.pass(Duration::from_secs(2));
            thread::yield_now();
        }
    });
    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert_eq!(log.matches("cannot touch the alive file").count(), 1, "{log}");
    assert!(log.contains("within 1s"), "{log}");
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

//! A drain that a file begins.

#![expect(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

use std::fs::{self, File};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

use futures::executor::block_on;
use health_core::{Health, HealthConfig, Runtime, Task, ThreadRuntime};
use tempfile::TempDir;

/// Real threads, and a time that passes only when the test wants it to: each sleep waits for a step of the test.
#[derive(Clone, Default)]
struct Steps(Arc<Mutex<Waiting>>);

#[derive(Default)]
struct Waiting {
    slept: usize,
    wake: Option<futures::channel::oneshot::Sender<()>>,
}

impl Runtime for Steps {
    fn now(&self) -> Instant {
        Instant::now()
    }

    fn sleep_until(&self, _: Instant) -> Task {
        let (wake, woken) = futures::channel::oneshot::channel();
        let mut waiting = self.0.lock().unwrap();
        waiting.slept += 1;
        waiting.wake = Some(wake);
        Box::pin(async { woken.await.unwrap_or_default() })
    }

    fn spawn(&self, task: Task) {
        ThreadRuntime.spawn(task);
    }
}

impl Steps {
    /// Waits until the task has looked this many times. Each look has two time limits, and a pause follows it.
    fn looked(&self, times: usize) {
        let start = Instant::now();
        while self.0.lock().unwrap().slept < 3 * times {
            assert!(start.elapsed() < Duration::from_secs(60), "it does not look again");
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// Lets the task look again.
    fn look_again(&self) {
        let wake = self.0.lock().unwrap().wake.take();
        wake.unwrap().send(()).unwrap();
    }
}

struct Application {
    health: Health,
    steps: Steps,
    looks: usize,
    path: PathBuf,
    _directory: TempDir,
}

/// An application with a file at the path, if `is_old`.
fn application(is_old: bool) -> Application {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("drain");
    if is_old {
        touch(&path, 1);
    }
    let steps = Steps::default();
    let config = HealthConfig::default().with_disablefile("");
    let health = Health::builder().config(config).runtime(steps.clone()).build().unwrap();
    health.drain_on_file(&path);
    let mut application = Application { health, steps, looks: 0, path, _directory: directory };
    application.wait();
    application
}

/// Creates the file if there is none, and sets its time.
fn touch(path: &PathBuf, seconds: u64) {
    let file = File::create(path).unwrap();
    file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)).unwrap();
}

impl Application {
    fn wait(&mut self) {
        self.looks += 1;
        self.steps.looked(self.looks);
        assert!(!self.health.is_draining());
    }

    /// The next look finds nothing new.
    fn goes_on(&mut self) {
        self.steps.look_again();
        self.wait();
    }

    /// The next look begins the drain. A test that fails here hangs.
    fn drains(&self) {
        self.steps.look_again();
        block_on(self.health.draining());
        assert!(self.health.is_draining());
    }
}

#[test]
fn a_file_that_appears_begins_the_drain() {
    let mut application = application(false);
    application.goes_on();
    touch(&application.path, 1);
    application.drains();
}

#[test]
fn a_file_from_an_earlier_process_counts_when_it_is_touched() {
    let mut application = application(true);
    application.goes_on();
    touch(&application.path, 2);
    application.drains();
}

#[test]
fn a_file_from_an_earlier_process_counts_when_it_is_created_again_with_the_same_time() {
    let mut application = application(true);
    fs::remove_file(&application.path).unwrap();
    application.goes_on();
    touch(&application.path, 1);
    application.drains();
}

#[test]
fn a_directory_that_cannot_be_looked_up_is_tried_again() {
    let mut application = application(false);
    // A path below a file.
    let directory = application.path.parent().unwrap().to_owned();
    fs::remove_dir(&directory).unwrap();
    fs::write(&directory, "").unwrap();
    application.goes_on();
    fs::remove_file(&directory).unwrap();
    fs::create_dir(&directory).unwrap();
    application.goes_on();
    touch(&application.path, 1);
    application.drains();
}

#[test]
fn the_task_ends_with_a_drain_and_with_the_application() {
    let mut application = application(false);
    application.health.drain();
    application.steps.look_again();
    application.looks += 1;
    // It does not sleep again: its clone of the runtime is gone with it.
    let Application { health, steps, .. } = application;
    drop(health);
    let start = Instant::now();
    while Arc::strong_count(&steps.0) > 1 {
        assert!(start.elapsed() < Duration::from_secs(60), "the task goes on");
        std::thread::sleep(Duration::from_millis(1));
    }
}

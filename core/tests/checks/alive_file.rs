//! The alive file shows whether a worker without a server is alive. Files are real, and time is virtual.

use std::fs::{self, File};
use std::future::ready;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

use health_core::{Check, Endpoint, Health, HealthBuilder, Runtime, StartupLatch, Task};
use tempfile::TempDir;

use crate::logged::logged;
use crate::virtual_time::{Ask as _, VirtualTime};
use crate::{builder, passing};

const SECOND: Duration = Duration::from_secs(1);
/// No other timer of these tests takes so long.
const INTERVAL: Duration = Duration::from_millis(10_500);
/// A fifth of it: the wait after a touch that failed.
const RETRY: Duration = Duration::from_millis(2_100);

/// Virtual time that notes the deadlines of timers.
#[derive(Clone, Default)]
struct Noted(VirtualTime, Arc<Mutex<Vec<Instant>>>);

impl Runtime for Noted {
    fn now(&self) -> Instant {
        self.0.now()
    }

    fn sleep_until(&self, deadline: Instant) -> Task {
        self.1.lock().unwrap().push(deadline);
        self.0.sleep_until(deadline)
    }

    fn spawn(&self, task: Task) {
        self.0.spawn(task);
    }
}

/// A process with a liveness endpoint whose check the test controls, and a directory.
struct Worker {
    health: Health,
    time: Noted,
    passes: Arc<AtomicBool>,
    directory: TempDir,
    path: PathBuf,
}

impl Worker {
    fn new() -> Self {
        Self::with(|builder| builder)
    }

    fn with(describe: impl FnOnce(HealthBuilder) -> HealthBuilder) -> Self {
        let time = Noted::default();
        let passes = Arc::new(AtomicBool::new(true));
        let check = Check::with("worker", passes.clone(), |passes| {
            ready(if passes.load(Ordering::SeqCst) { Ok(()) } else { Err("hangs") })
        });
        let check = check.process_only();
        let live = Endpoint::liveness("/live").only_checks(["worker"]);
        let health = describe(builder().register(check).endpoint(live)).runtime(time.clone());
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("alive");
        Self { health: health.build().unwrap(), time, passes, directory, path }
    }

    fn start(&self) {
        self.start_at("/live");
    }

    fn start_at(&self, endpoint: &str) {
        self.health.at(endpoint).unwrap().touch_alive_file(&self.path, INTERVAL);
        self.time.0.settle();
    }

    /// Waits for another thread, but not forever.
    #[track_caller]
    fn wait_until(&self, is_so: impl Fn() -> bool) {
        let start = Instant::now();
        self.time.0.wait_until(|| is_so() || start.elapsed() > 60 * SECOND);
        assert!(is_so());
    }

    /// Waits until the next timer of the task is due after `wait`.
    #[track_caller]
    fn waits(&self, wait: Duration) {
        let due = self.time.now() + wait;
        self.wait_until(|| self.time.1.lock().unwrap().contains(&due));
    }

    /// Waits for the end of the touch that is due now, which succeeds.
    #[track_caller]
    fn is_touched(&self) {
        self.waits(INTERVAL);
        assert!(!is_old(&self.path));
    }

    /// Waits for the end of the touch that is due now, which fails.
    #[track_caller]
    fn fails(&self) {
        self.waits(RETRY);
    }

    /// Runs the check.
    fn passes(&self, passes: bool) {
        self.passes.store(passes, Ordering::SeqCst);
        self.time.0.ask_at(&self.health, "/live");
    }
}

/// As if the last touch were long ago.
fn age(path: &Path) {
    let long_ago = SystemTime::UNIX_EPOCH + 1000 * SECOND;
    File::options().write(true).open(path).unwrap().set_modified(long_ago).unwrap();
}

fn is_old(path: &Path) -> bool {
    let modified = fs::metadata(path).unwrap().modified().unwrap();
    modified < SystemTime::now() - 3600 * SECOND
}

/// The number of warnings that contain `text`, if there are no others.
#[track_caller]
fn warnings(log: &str, text: &str) -> usize {
    let warnings: Vec<_> = log.lines().filter(|line| line.contains("alive file")).collect();
    assert!(warnings.iter().all(|line| line.contains(text)), "{warnings:?}");
    warnings.len()
}

#[test]
fn the_file_is_created_at_once_and_touched_once_per_interval() {
    let log = logged(|| {
        let worker = Worker::new();
        worker.start();
        worker.is_touched();
        assert_eq!(fs::metadata(&worker.path).unwrap().len(), 0);
        for _ in 0..3 {
            age(&worker.path);
            worker.time.0.pass(INTERVAL - SECOND);
            assert!(is_old(&worker.path));
            worker.time.0.pass(SECOND);
            worker.is_touched();
        }
    });
    assert_eq!(warnings(&log, ""), 0);
}

#[test]
fn a_failing_endpoint_stops_the_touches_with_one_warning_and_a_recovery_is_a_touch_at_once() {
    let log = logged(|| {
        let worker = Worker::new();
        worker.start();
        worker.is_touched();
        for _ in 0..2 {
            worker.passes(false);
            age(&worker.path);
            worker.time.0.pass(3 * INTERVAL);
            assert!(is_old(&worker.path));
            worker.passes(true);
            worker.is_touched();
        }
    });
    assert_eq!(warnings(&log, "the liveness endpoint is failing"), 2);
}

#[test]
fn the_file_of_an_earlier_process_stays_old_until_the_endpoint_is_not_failing() {
    let worker = Worker::new();
    worker.passes(false);
    File::create(&worker.path).unwrap();
    age(&worker.path);
    worker.start();
    worker.time.0.pass(INTERVAL);
    assert!(is_old(&worker.path));
    worker.passes(true);
    worker.is_touched();
}

#[test]
fn a_removed_file_is_created_again() {
    let worker = Worker::new();
    worker.start();
    worker.is_touched();
    fs::remove_file(&worker.path).unwrap();
    worker.time.0.pass(INTERVAL);
    worker.is_touched();
}

/// So a touch needs no space on a full disk, and a wrong path costs no data.
#[test]
fn a_touch_keeps_the_content_of_the_file() {
    let worker = Worker::new();
    fs::write(&worker.path, "content").unwrap();
    age(&worker.path);
    worker.start();
    worker.is_touched();
    assert_eq!(fs::read_to_string(&worker.path).unwrap(), "content");
}

#[test]
fn a_directory_that_is_missing_is_one_warning_per_episode() {
    let log = logged(|| {
        let mut worker = Worker::new();
        let directory = worker.directory.path().join("missing");
        worker.path = directory.join("alive");
        worker.start();
        for _ in 0..2 {
            worker.fails();
            worker.time.0.pass(RETRY);
            worker.fails();
            fs::create_dir(&directory).unwrap();
            worker.time.0.pass(RETRY);
            worker.is_touched();
            fs::remove_dir_all(&directory).unwrap();
            worker.time.0.pass(INTERVAL);
        }
        worker.fails();
    });
    assert_eq!(warnings(&log, "cannot touch the alive file"), 3, "{log}");
}

/// Not even root can create a file there.
#[cfg(target_os = "linux")]
#[test]
fn a_directory_that_refuses_files_is_one_warning() {
    let log = logged(|| {
        let mut worker = Worker::new();
        worker.path = "/sys/alive".into();
        worker.start();
        worker.fails();
        worker.time.0.pass(RETRY);
        worker.fails();
    });
    assert_eq!(warnings(&log, r#"cannot touch the alive file "/sys/alive" ("#), 1, "{log}");
}

#[test]
fn a_directory_at_the_path_is_a_warning_until_it_is_gone() {
    let log = logged(|| {
        let worker = Worker::new();
        fs::create_dir(&worker.path).unwrap();
        worker.start();
        worker.fails();
        fs::remove_dir(&worker.path).unwrap();
        worker.time.0.pass(RETRY);
        worker.is_touched();
    });
    assert_eq!(warnings(&log, "it is not a regular file"), 1, "{log}");
}

#[cfg(unix)]
#[test]
fn a_link_is_not_followed() {
    let log = logged(|| {
        let worker = Worker::new();
        let target = worker.directory.path().join("target");
        let dangling = worker.directory.path().join("dangling");
        File::create(&target).unwrap();
        age(&target);
        std::os::unix::fs::symlink(&target, &worker.path).unwrap();
        worker.start();
        worker.fails();
        assert!(is_old(&target));
        fs::remove_file(&worker.path).unwrap();
        std::os::unix::fs::symlink(&dangling, &worker.path).unwrap();
        worker.time.0.pass(RETRY);
        worker.fails();
        assert!(!dangling.exists());
    });
    assert_eq!(warnings(&log, "it is not a regular file"), 1, "{log}");
}

/// Without a reader, opening it would block the thread.
#[cfg(target_os = "linux")]
#[test]
fn a_named_pipe_is_not_opened() {
    let log = logged(|| {
        let worker = Worker::new();
        let made = std::process::Command::new("mkfifo").arg(&worker.path).status().unwrap();
        assert!(made.success());
        worker.start();
        worker.fails();
    });
    assert_eq!(warnings(&log, "it is not a regular file"), 1, "{log}");
}

#[cfg(unix)]
#[test]
fn a_world_writable_directory_is_one_warning() {
    use std::os::unix::fs::PermissionsExt as _;

    let log = logged(|| {
        let worker = Worker::new();
        let everybody = fs::Permissions::from_mode(0o1777);
        fs::set_permissions(worker.directory.path(), everybody).unwrap();
        worker.start();
        worker.is_touched();
        worker.time.0.pass(INTERVAL);
        worker.is_touched();
    });
    assert_eq!(warnings(&log, "is in a world-writable directory"), 1, "{log}");
}

#[test]
fn a_start_a_maintenance_and_a_drain_do_not_stop_the_touches_and_the_last_handle_does() {
    // The first ignores these states, the second shows them.
    for endpoint in ["/live", "/health"] {
        let latch = StartupLatch::new("migrations");
        let worker = Worker::with(|builder| builder.latch(&latch));
        worker.start_at(endpoint);
        worker.is_touched();
        let is_touched = || {
            age(&worker.path);
            worker.time.0.pass(INTERVAL);
            worker.is_touched();
        };
        is_touched();
        worker.health.maintenance_switch().turn_on();
        is_touched();
        worker.health.drain();
        is_touched();
        is_touched();

        let Worker { health, time, path, directory, .. } = worker;
        drop(health);
        age(&path);
        time.0.pass(10 * INTERVAL);
        assert!(is_old(&path));
        drop(directory);
    }
}

#[test]
fn the_file_depends_on_the_first_liveness_endpoint_or_on_a_chosen_one() {
    let worker = Worker::with(|builder| {
        builder.register(passing("other")).endpoint(Endpoint::strict("/up").only_checks(["other"]))
    });
    worker.passes(false);
    let of_liveness = worker.directory.path().join("of liveness");
    worker.health.touch_alive_file(&of_liveness, 2 * INTERVAL);
    worker.start_at("/up");
    worker.is_touched();
    assert!(!of_liveness.exists());
    worker.passes(true);
    worker.wait_until(|| of_liveness.exists());
}

#[test]
fn without_a_check_the_file_is_touched_and_a_warning_says_what_is_missing() {
    let endpoints: [fn(HealthBuilder) -> HealthBuilder; 2] =
        [|builder| builder, |builder| builder.endpoint(Endpoint::liveness("/live").no_checks())];
    for describe in endpoints {
        let log = logged(|| {
            let (health, time) = crate::in_virtual_time(describe);
            let directory = tempfile::tempdir().unwrap();
            let path = directory.path().join("alive");
            health.touch_alive_file(&path, INTERVAL);
            time.wait_until(|| path.exists());
        });
        assert_eq!(warnings(&log, "no liveness endpoint has a check"), 1, "{log}");
    }
}

#[test]
fn no_interval_is_too_short_or_too_long() {
    for (interval, next) in [(Duration::ZERO, Some(SECOND / 1000)), (Duration::MAX, None)] {
        let worker = Worker::new();
        worker.health.touch_alive_file(&worker.path, interval);
        worker.wait_until(|| worker.path.exists());
        if let Some(next) = next {
            worker.waits(next);
        }
    }
}

#[test]
fn it_works_on_threads_of_the_library_alone() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("alive");
    let health = builder().register(passing("worker").process_only());
    let health = health.endpoint(Endpoint::liveness("/live").only_checks(["worker"]));
    let health = health.build().unwrap();
    health.touch_alive_file(&path, Duration::from_millis(1));
    for _ in 0..2 {
        while !path.exists() || is_old(&path) {
            std::thread::yield_now();
        }
        age(&path);
    }
}

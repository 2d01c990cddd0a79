//! What systemd is told, on a socket of the test and mostly in virtual time. Each test runs itself again in a separate
//! process, whose environment is that of a unit.

#![cfg(unix)]
#![expect(clippy::unwrap_used, clippy::panic, reason = "a helper that fails is a test that fails")]

mod callsites;
mod logged;

use std::env;
use std::ffi::OsStr;
use std::future::ready;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use health_conformance::testee::VirtualTime;
use health_core::{
    Check, CheckResult, Endpoint, Health, HealthBuilder, HealthConfig, StartupLatch, Systemd,
    SystemdError,
};

use crate::logged::logged;

/// Set in the process that is the unit.
const IS_UNIT: &str = "HEALTH_SYSTEMD_UNIT";
const SECOND: Duration = Duration::from_secs(1);
/// `WatchdogSec` of the tests with a watchdog. A ping is due after half of it.
const WATCHDOG: (&str, &str) = ("WATCHDOG_USEC", "20000000");
const HALF: Duration = Duration::from_secs(10);
/// The last status of an application.
const ENDED: &str = "STATUS=ended: the program has dropped its health endpoints";

/// Runs the test of this name as `body` in a separate process with these variables and a `NOTIFY_SOCKET`, a path.
fn unit(test: &str, variables: &[(&str, &str)], body: impl FnOnce()) {
    let directory = tempfile::tempdir().unwrap();
    let socket = directory.path().join("notify");
    let variables = [&[("NOTIFY_SOCKET", socket.to_str().unwrap())], variables].concat();
    process(test, &variables, body);
}

/// Runs the test of this name as `body` in a separate process with these variables, and of systemd's no others.
fn process(test: &str, variables: &[(&str, &str)], body: impl FnOnce()) {
    if env::var_os(IS_UNIT).is_some() {
        return body();
    }
    let mut again = Command::new(env::current_exe().unwrap());
    for name in ["NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"] {
        again.env_remove(name);
    }
    let again = again.args([test, "--exact", "--nocapture"]).env(IS_UNIT, "1");
    let again = again.envs(variables.iter().copied()).output().unwrap();
    let output = String::from_utf8_lossy(&again.stdout);
    let errors = String::from_utf8_lossy(&again.stderr);
    assert!(output.contains("1 passed"), "{output}{errors}");
}

/// The side of systemd: the socket of `NOTIFY_SOCKET`.
struct Manager(UnixDatagram);

impl Manager {
    fn bind() -> Self {
        let address = env::var_os("NOTIFY_SOCKET").unwrap();
        let socket = UnixDatagram::bind_addr(&address_of(&address)).unwrap();
        socket.set_nonblocking(true).unwrap();
        Self(socket)
    }

    /// The messages since the last call.
    fn read(&self) -> Vec<String> {
        let mut messages = Vec::new();
        let mut buffer = [0; 4096];
        loop {
            match self.0.recv(&mut buffer) {
                Ok(length) => messages.push(String::from_utf8(buffer[..length].into()).unwrap()),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return messages,
                Err(error) => panic!("{error}"),
            }
        }
    }

    /// Their lines.
    fn lines(&self) -> Vec<String> {
        let messages = self.read();
        assert!(messages.iter().all(|message| message.ends_with('\n')), "{messages:?}");
        messages.iter().flat_map(|message| message.lines()).map(str::to_owned).collect()
    }

    /// The number of pings since the last call, if there was nothing else.
    fn pings(&self) -> usize {
        let lines = self.lines();
        assert!(lines.iter().all(|line| line == "WATCHDOG=1"), "{lines:?}");
        lines.len()
    }
}

fn address_of(address: &OsStr) -> SocketAddr {
    #[cfg(target_os = "linux")]
    if let Some(name) = address.as_bytes().strip_prefix(b"@") {
        use std::os::linux::net::SocketAddrExt as _;
        return SocketAddr::from_abstract_name(name).unwrap();
    }
    SocketAddr::from_pathname(address).unwrap()
}

fn in_virtual_time(describe: impl FnOnce(HealthBuilder) -> HealthBuilder) -> (Health, VirtualTime) {
    let time = VirtualTime::default();
    let builder = Health::builder().config(HealthConfig::default().with_disablefile(""));
    let health = describe(builder.runtime(time.clone())).build().unwrap();
    (health, time)
}

/// Notifies systemd, and lets the first messages be sent.
fn notify(health: &Health, time: &VirtualTime) {
    assert!(matches!(health.notify_systemd().unwrap(), Systemd::Notified { .. }));
    time.settle();
}

/// A switch for a check: whether it passes.
fn switchable(name: &str) -> (Arc<AtomicBool>, Check) {
    let passes = Arc::new(AtomicBool::new(true));
    let check = Check::with(name, passes.clone(), |passes| async move {
        match passes.load(Ordering::SeqCst) {
            true => CheckResult::ok(),
            false => CheckResult::error("password=hunter2\nREADY=1").reason("refused"),
        }
    });
    (passes, check)
}

#[test]
fn a_process_is_ready_when_its_last_latch_is_released() {
    unit("a_process_is_ready_when_its_last_latch_is_released", &[], || {
        let manager = Manager::bind();
        let [cache, migrations] = ["cache", "migrations"].map(StartupLatch::new);
        let (health, time) = in_virtual_time(|b| b.latch(&cache).latch(&migrations));
        notify(&health, &time);
        assert_eq!(manager.read(), ["STATUS=starting: waits for cache, migrations\n"]);
        cache.release();
        time.pass(SECOND);
        assert_eq!(manager.read(), ["STATUS=starting: waits for migrations\n"]);
        time.pass(60 * SECOND);
        assert_eq!(manager.lines(), [""; 0]);
        migrations.release();
        time.settle();
        assert_eq!(manager.read(), ["READY=1\nSTATUS=ok\n"], "at once");
        time.pass(60 * SECOND);
        assert_eq!(manager.lines(), [""; 0], "each message once");
    });
}

#[test]
fn a_process_without_latches_is_ready_at_once() {
    unit("a_process_without_latches_is_ready_at_once", &[], || {
        let manager = Manager::bind();
        let (health, time) = in_virtual_time(|b| b);
        notify(&health, &time);
        assert_eq!(manager.lines(), ["READY=1", "STATUS=ok"]);
    });
}

#[test]
fn a_maintenance_does_not_delay_readiness() {
    unit("a_maintenance_does_not_delay_readiness", &[], || {
        let manager = Manager::bind();
        let latch = StartupLatch::new("cache");
        let (health, time) = in_virtual_time(|b| b.latch(&latch));
        health.maintenance_switch().turn_on();
        notify(&health, &time);
        assert_eq!(manager.read(), ["STATUS=maintenance\n"]);
        latch.release();
        time.pass(SECOND);
        assert_eq!(manager.read(), ["READY=1\n"]);
    });
}

#[test]
fn a_failed_start_is_never_ready_and_names_the_latch() {
    unit("a_failed_start_is_never_ready_and_names_the_latch", &[WATCHDOG], || {
        let manager = Manager::bind();
        for end in [drop, |latch: StartupLatch| latch.fail("password=hunter2\nREADY=1")] {
            let [cache, migrations] = ["cache", "migrations"].map(StartupLatch::new);
            let (health, time) = in_virtual_time(|b| b.latch(&cache).latch(&migrations));
            notify(&health, &time);
            end(migrations);
            cache.release();
            time.pass(60 * SECOND);
            let mut lines = manager.lines();
            lines.retain(|line| line != "WATCHDOG=1");
            let waits = "STATUS=starting: waits for cache, migrations";
            assert_eq!(lines, [waits, "STATUS=failing: the start has failed at migrations"]);
            drop(health);
            time.settle();
            manager.read();
        }
    });
}

#[test]
fn a_drain_says_that_the_process_stops_and_how_long_it_may_take() {
    unit("a_drain_says_that_the_process_stops_and_how_long_it_may_take", &[WATCHDOG], || {
        let manager = Manager::bind();
        let (health, time) = in_virtual_time(|b| b.termination_grace_period(120 * SECOND));
        notify(&health, &time);
        manager.read();
        health.drain();
        time.settle();
        assert_eq!(
            manager.read(),
            ["STOPPING=1\nEXTEND_TIMEOUT_USEC=120000000\nSTATUS=draining\n"],
            "at once"
        );
        health.drain();
        time.pass(3 * HALF);
        assert_eq!(manager.pings(), 3, "the process still lives");
    });
}

#[test]
fn a_process_that_drains_before_it_has_started_does_not_become_ready() {
    unit("a_process_that_drains_before_it_has_started_does_not_become_ready", &[], || {
        let manager = Manager::bind();
        let latch = StartupLatch::new("cache");
        let (health, time) = in_virtual_time(|b| b.latch(&latch));
        notify(&health, &time);
        health.drain();
        time.settle();
        latch.release();
        time.pass(60 * SECOND);
        let lines = manager.lines();
        assert!(lines.contains(&"STOPPING=1".to_owned()), "{lines:?}");
        assert!(!lines.contains(&"READY=1".to_owned()), "{lines:?}");
    });
}

#[test]
fn a_dead_database_changes_the_status_without_its_message_and_no_ping() {
    unit("a_dead_database_changes_the_status_without_its_message_and_no_ping", &[WATCHDOG], || {
        let manager = Manager::bind();
        let (passes, database) = switchable("database");
        let (health, time) = in_virtual_time(|b| {
            b.register(database.every(5 * SECOND)).endpoint(Endpoint::liveness("/live"))
        });
        notify(&health, &time);
        time.pass(SECOND);
        manager.read();
        passes.store(false, Ordering::SeqCst);
        time.pass(6 * SECOND);
        assert_eq!(manager.read(), ["STATUS=failing: refused\n"]);
        time.pass(100 * SECOND);
        assert_eq!(manager.pings(), 10);
        passes.store(true, Ordering::SeqCst);
        time.pass(6 * SECOND);
        let lines = manager.lines();
        assert!(lines.contains(&"STATUS=ok".to_owned()), "{lines:?}");
    });
}

#[test]
fn a_failing_liveness_endpoint_ends_the_pings_until_it_recovers() {
    unit("a_failing_liveness_endpoint_ends_the_pings_until_it_recovers", &[WATCHDOG], || {
        let manager = Manager::bind();
        let (passes, worker) = switchable("worker");
        let log = logged(|| {
            let (health, time) = in_virtual_time(|b| {
                let live = Endpoint::liveness("/live").only_checks(["worker"]);
                b.register(worker.process_only().every(SECOND)).endpoint(live)
            });
            notify(&health, &time);
            time.pass(2 * HALF);
            let lines = manager.lines();
            assert_eq!(lines.iter().filter(|line| *line == "WATCHDOG=1").count(), 3, "{lines:?}");
            passes.store(false, Ordering::SeqCst);
            time.pass(5 * HALF);
            assert_eq!(manager.read(), ["STATUS=failing: refused\n"]);
            passes.store(true, Ordering::SeqCst);
            time.pass(2 * SECOND);
            let mut lines = manager.lines();
            lines.sort();
            assert_eq!(lines, ["STATUS=ok", "WATCHDOG=1"], "at once, and not half a timeout later");
            time.pass(2 * HALF);
            assert_eq!(manager.pings(), 2);
        });
        assert_eq!(log.matches("the watchdog of systemd gets no ping").count(), 1, "{log}");
        assert!(!log.contains("does not notice"), "{log}");
    });
}

#[test]
fn the_watchdog_can_depend_on_any_endpoint() {
    unit("the_watchdog_can_depend_on_any_endpoint", &[WATCHDOG], || {
        let manager = Manager::bind();
        let (passes, worker) = switchable("worker");
        let (health, time) = in_virtual_time(|b| {
            b.register(worker.every(SECOND))
                .endpoint(Endpoint::liveness("/live"))
                .endpoint(Endpoint::strict("/strict"))
        });
        let notified = health.at("/strict").unwrap().notify_systemd().unwrap();
        let Systemd::Notified { ping_period, .. } = notified else { panic!("{notified:?}") };
        assert_eq!(ping_period, Some(HALF));
        time.pass(SECOND);
        manager.read();
        passes.store(false, Ordering::SeqCst);
        time.pass(5 * HALF);
        assert_eq!(manager.read(), ["STATUS=failing: refused\n"]);
    });
}

/// A runtime of one thread that the test does not drive is blocked.
#[cfg(feature = "tokio")]
#[test]
fn a_blocked_tokio_runtime_ends_the_pings_and_the_messages_go_on() {
    unit("a_blocked_tokio_runtime_ends_the_pings_and_the_messages_go_on", &[WATCHDOG], || {
        let manager = Manager::bind();
        let tokio = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let (health, time) = in_virtual_time(|b| {
            b.register(Check::tokio_runtime("runtime", 5 * SECOND))
                .endpoint(Endpoint::liveness("/live").only_checks(["runtime"]))
        });
        tokio.block_on(async { notify(&health, &time) });
        let turn = || {
            tokio.block_on(async {
                for _ in 0..10 {
                    tokio::task::yield_now().await;
                }
            });
        };
        time.pass_with(2 * HALF, turn);
        let lines = manager.lines();
        assert_eq!(lines.iter().filter(|line| *line == "WATCHDOG=1").count(), 3, "{lines:?}");
        // The check runs at a random part of its period.
        time.pass(8 * SECOND);
        assert_eq!(manager.lines().last().unwrap(), "STATUS=failing: blocked");
        time.pass(10 * HALF);
        assert_eq!(manager.lines(), [""; 0]);
        time.pass_with(3 * SECOND, turn);
        let lines = manager.lines();
        assert_eq!(lines.iter().filter(|line| *line == "WATCHDOG=1").count(), 1, "{lines:?}");
        assert!(lines.contains(&"STATUS=ok".to_owned()), "{lines:?}");
    });
}

#[test]
fn a_watchdog_that_depends_on_no_check_is_a_warning() {
    unit("a_watchdog_that_depends_on_no_check_is_a_warning", &[WATCHDOG], || {
        let manager = Manager::bind();
        let endpoints: [fn(HealthBuilder) -> HealthBuilder; 2] =
            [|b| b, |b| b.endpoint(Endpoint::liveness("/live"))];
        for describe in endpoints {
            let log = logged(|| {
                let (health, time) = in_virtual_time(describe);
                notify(&health, &time);
                assert!(manager.lines().contains(&"WATCHDOG=1".to_owned()));
                time.pass(2 * HALF);
                assert_eq!(manager.pings(), 2);
                drop(health);
                time.settle();
            });
            assert_eq!(log.matches("does not notice a blocked process").count(), 1, "{log}");
            assert!(log.contains(r#"event="systemd""#), "{log}");
            manager.read();
        }
    });
}

#[test]
fn a_watchdog_of_another_process_gets_no_ping() {
    let other = ("WATCHDOG_PID", "1");
    unit("a_watchdog_of_another_process_gets_no_ping", &[WATCHDOG, other], || {
        let manager = Manager::bind();
        let (health, time) = in_virtual_time(|b| b);
        notify(&health, &time);
        time.pass(10 * HALF);
        assert_eq!(manager.lines(), ["READY=1", "STATUS=ok"]);
    });
}

#[test]
fn without_a_socket_there_is_no_thread_and_no_error() {
    process("without_a_socket_there_is_no_thread_and_no_error", &[WATCHDOG], || {
        let config = HealthConfig::default().with_disablefile("");
        let latch = StartupLatch::new("cache");
        let health = Health::builder().config(config).latch(&latch).build().unwrap();
        let threads = || match cfg!(target_os = "linux") {
            true => std::fs::read_dir("/proc/self/task").unwrap().count(),
            false => 0,
        };
        let before = threads();
        assert_eq!(health.notify_systemd(), Ok(Systemd::Absent));
        assert_eq!(health.notify_systemd(), Ok(Systemd::Absent), "any number of times");
        assert_eq!(threads(), before);
    });
}

#[cfg(target_os = "linux")]
#[test]
fn a_socket_with_an_abstract_name_is_reached() {
    let name = format!("@health-core-test-{}", std::process::id());
    process("a_socket_with_an_abstract_name_is_reached", &[("NOTIFY_SOCKET", &name)], || {
        let manager = Manager::bind();
        let (health, time) = in_virtual_time(|b| b);
        notify(&health, &time);
        assert_eq!(manager.lines(), ["READY=1", "STATUS=ok"]);
    });
}

#[test]
fn a_socket_that_cannot_exist_is_an_error_with_a_sentence() {
    let wrong = [("NOTIFY_SOCKET", "run/notify")];
    process("a_socket_that_cannot_exist_is_an_error_with_a_sentence", &wrong, || {
        let (health, _) = in_virtual_time(|b| b);
        for _ in 0..2 {
            let error = health.notify_systemd().unwrap_err();
            assert!(matches!(error, SystemdError::Address { .. }));
            let sentence = error.to_string();
            assert!(
                sentence
                    .starts_with(r#"NOTIFY_SOCKET is "run/notify": it must be an absolute path"#),
                "{sentence}"
            );
        }
    });
}

/// Several senders are needed, because each has its limit.
fn fill(manager: &Manager) {
    let address = manager.0.local_addr().unwrap();
    loop {
        let sender = UnixDatagram::unbound().unwrap();
        sender.set_nonblocking(true).unwrap();
        let sends = || sender.send_to_addr(b"X=1\n", &address).is_ok();
        if !sends() {
            return;
        }
        while sends() {}
    }
}

#[test]
fn a_full_socket_is_one_warning_and_everything_is_sent_when_there_is_room() {
    let name = "a_full_socket_is_one_warning_and_everything_is_sent_when_there_is_room";
    unit(name, &[WATCHDOG], || {
        let manager = Manager::bind();
        let log = logged(|| {
            let (health, time) = in_virtual_time(|b| b);
            for expected in
                [&["READY=1", "STATUS=ok", "WATCHDOG=1"][..], &["STATUS=maintenance", "WATCHDOG=1"]]
            {
                fill(&manager);
                if expected[0] == "READY=1" {
                    notify(&health, &time);
                } else {
                    health.maintenance_switch().turn_on();
                }
                time.pass(3 * HALF);
                let lines = manager.lines();
                assert!(lines.iter().all(|line| line == "X=1"), "{lines:?}");
                time.pass(SECOND);
                assert_eq!(manager.lines(), expected);
                time.pass(2 * HALF);
                assert_eq!(manager.pings(), 2);
            }
        });
        assert_eq!(log.matches("cannot notify systemd").count(), 2, "one per episode: {log}");
    });
}

#[test]
fn a_socket_that_vanishes_is_one_warning_until_another_is_in_its_place() {
    let name = "a_socket_that_vanishes_is_one_warning_until_another_is_in_its_place";
    unit(name, &[WATCHDOG], || {
        let log = logged(|| {
            let (health, time) = in_virtual_time(|b| b);
            notify(&health, &time);
            time.pass(3 * HALF);
            let manager = Manager::bind();
            time.pass(SECOND);
            assert_eq!(manager.lines(), ["READY=1", "STATUS=ok", "WATCHDOG=1"]);
            // The file stays, without a listener.
            drop(manager);
            time.pass(3 * HALF);
            std::fs::remove_file(env::var_os("NOTIFY_SOCKET").unwrap()).unwrap();
            let manager = Manager::bind();
            time.pass(SECOND);
            assert_eq!(manager.pings(), 1);
        });
        assert_eq!(log.matches("cannot notify systemd").count(), 2, "one per episode: {log}");
    });
}

#[test]
fn when_the_last_handle_is_dropped_the_pings_end_and_another_may_notify() {
    let name = "when_the_last_handle_is_dropped_the_pings_end_and_another_may_notify";
    unit(name, &[WATCHDOG], || {
        let manager = Manager::bind();
        let (health, time) = in_virtual_time(|b| b);
        notify(&health, &time);
        assert_eq!(health.notify_systemd(), Err(SystemdError::AlreadyNotified));
        let (other, _) = in_virtual_time(|b| b);
        assert_eq!(other.notify_systemd(), Err(SystemdError::AlreadyNotified));
        manager.read();
        drop(health);
        time.settle();
        assert_eq!(manager.lines(), [ENDED], "at once");
        time.pass(10 * HALF);
        assert_eq!(manager.lines(), [""; 0]);

        let (health, time) = in_virtual_time(|b| b);
        notify(&health, &time);
        assert_eq!(manager.lines(), ["READY=1", "WATCHDOG=1", "STATUS=ok"]);
    });
}

/// systemd watches a process that stops until it has ended.
#[test]
fn after_a_drain_the_pings_go_on_until_the_process_ends() {
    unit("after_a_drain_the_pings_go_on_until_the_process_ends", &[WATCHDOG], || {
        let manager = Manager::bind();
        let (passes, worker) = switchable("worker");
        let (health, time) = in_virtual_time(|b| {
            let live = Endpoint::liveness("/live").only_checks(["worker"]);
            b.register(worker.process_only().every(SECOND)).endpoint(live)
        });
        notify(&health, &time);
        health.drain();
        time.pass(SECOND);
        manager.read();
        passes.store(false, Ordering::SeqCst);
        time.pass(3 * HALF);
        assert_eq!(manager.lines(), [""; 0], "a drain can hang");
        drop(health);
        time.pass(SECOND);
        assert_eq!(manager.lines(), [ENDED, "WATCHDOG=1"]);
        time.pass(3 * HALF);
        assert_eq!(manager.pings(), 3);
        fill(&manager);
        time.pass(2 * HALF);
        manager.read();
        time.pass(2 * SECOND);
        assert_eq!(manager.pings(), 1, "soon");
    });
}

#[test]
fn the_child_of_a_fork_sends_nothing_for_its_parent_and_may_notify_itself() {
    let name = "the_child_of_a_fork_sends_nothing_for_its_parent_and_may_notify_itself";
    unit(name, &[("WATCHDOG_USEC", "200000")], || {
        let manager = Manager::bind();
        manager.0.set_nonblocking(false).unwrap();
        manager.0.set_read_timeout(Some(60 * SECOND)).unwrap();
        let received = || {
            let mut buffer = [0; 4096];
            let length = manager.0.recv(&mut buffer).unwrap();
            String::from_utf8(buffer[..length].into()).unwrap()
        };
        // On the threads of the library.
        let config = HealthConfig::default().with_disablefile("");
        let health =
            Health::builder().config(config).check("passes", || ready(Ok::<(), String>(())));
        let health = health.build().unwrap();
        health.notify_systemd().unwrap();
        while !received().contains("WATCHDOG=1") {}
        match fork::fork().unwrap() {
            fork::Fork::Child => {
                let path = env::var_os("NOTIFY_SOCKET").unwrap();
                let notified = health.notify_systemd();
                let is_notified = matches!(notified, Ok(Systemd::Notified { .. }));
                let sender = UnixDatagram::unbound().unwrap();
                sender.send_to(format!("X_CHILD={is_notified}\n").as_bytes(), path).unwrap();
                std::process::exit(0);
            }
            fork::Fork::Parent(child) => {
                while !received().contains("X_CHILD=true") {}
                let child = rustix::process::Pid::from_raw(child).unwrap();
                rustix::process::waitpid(Some(child), rustix::process::WaitOptions::empty())
                    .unwrap();
                while !received().contains("WATCHDOG=1") {}
            }
        }
    });
}

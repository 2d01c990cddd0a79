//! The child of a fork has a copy of its parent's memory, and none of its threads. Each test runs itself again in a separate
//! process, which forks.

#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

use std::env;
use std::error::Error;
use std::future::{pending, ready};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::process::{self, Command, exit};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::thread;
use std::time::Duration;

use fork::{Fork, fork};
use futures::executor::block_on;
use futures::{FutureExt as _, StreamExt as _};
use health_core::{
    Check, Endpoint, Health, HealthBuilder, HealthConfig, HealthObserver, MaintenanceSource,
    Notification, OwnView, PeerView, Peers, Signals, async_trait,
};
use rustix::process::{Pid, Signal, WaitOptions, WaitStatus, getpid, kill_process, waitpid};

/// Set in the process that forks.
const FORKS: &str = "HEALTH_FORKS";
/// Longer than any test.
const FOR_EVER: Duration = Duration::from_secs(3600);
/// How long a child may take. A child that waits for its parent takes longer, because timeouts of checks are an hour.
const PATIENCE: Duration = Duration::from_secs(60);

/// Runs the test of this name as `body` in a separate process, without other tests on other threads.
fn alone(test: &str, body: impl FnOnce()) {
    if env::var_os(FORKS).is_some() {
        return body();
    }
    let again = Command::new(env::current_exe().unwrap())
        .args([test, "--exact", "--nocapture"])
        .env(FORKS, "1")
        .output()
        .unwrap();
    let output = String::from_utf8_lossy(&again.stdout);
    let errors = String::from_utf8_lossy(&again.stderr);
    assert!(output.contains("1 passed"), "{output}{errors}");
}

/// Forks; the child does `body` and ends.
fn child(body: impl FnOnce()) -> Pid {
    // Waits for the threads to sleep: a lock that a thread holds during the fork is never released in the child.
    thread::sleep(Duration::from_millis(100));
    match fork().unwrap() {
        Fork::Parent(child) => Pid::from_raw(child).unwrap(),
        Fork::Child => {
            thread::spawn(|| {
                thread::sleep(PATIENCE);
                eprintln!("the child hangs");
                exit(2);
            });
            let done = catch_unwind(AssertUnwindSafe(body));
            exit(i32::from(done.is_err()));
        }
    }
}

fn end_of(child: Pid) -> WaitStatus {
    let (_, status) = waitpid(Some(child), WaitOptions::empty()).unwrap().unwrap();
    status
}

/// Forks; the child does `body`, and must finish it.
fn in_child(body: impl FnOnce()) {
    assert_eq!(end_of(child(body)).exit_status(), Some(0));
}

fn built(describe: impl FnOnce(HealthBuilder) -> HealthBuilder) -> Health {
    let config = HealthConfig::default().with_disablefile("");
    let builder = Health::builder().config(config).timeout(FOR_EVER);
    describe(builder.run_timeout(FOR_EVER)).build().unwrap()
}

fn ask(health: &Health) -> &'static str {
    block_on(health.respond("checks=all")).word().as_str()
}

/// Passes after a timer of the default runtime, and counts its executions.
fn counted(
    executions: &Arc<AtomicUsize>,
) -> impl Fn() -> Result<(), String> + Send + Sync + 'static {
    let executions = executions.clone();
    move || {
        executions.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }
}

#[test]
fn a_deep_poll_in_a_child_is_answered_by_its_own_execution_of_each_check() {
    alone("a_deep_poll_in_a_child_is_answered_by_its_own_execution_of_each_check", || {
        let executions = Arc::new(AtomicUsize::new(0));
        let check = counted(&executions);
        let blocking = counted(&executions);
        let health = built(|b| {
            b.check("async", move || ready(check())).register(Check::blocking("blocking", blocking))
        });
        let asked = |times: usize| {
            assert_eq!(ask(&health), "OK");
            assert_eq!(executions.load(Ordering::SeqCst), 2 * times);
        };
        asked(1);
        in_child(|| {
            asked(2);
            // The same in the child of the child.
            in_child(|| asked(3));
            asked(3);
        });
        asked(2);
    });
}

#[test]
fn a_timeout_ends_a_check_in_a_child() {
    alone("a_timeout_ends_a_check_in_a_child", || {
        let health = built(|b| {
            let hangs = pending::<Result<(), String>>;
            b.timeout(Duration::from_millis(1)).check("hangs", hangs)
        });
        let asked = || {
            let answer = block_on(health.answer("checks=all"));
            let record = answer.records().next().unwrap().text().to_owned();
            assert!(record.contains("timed out after 1ms"), "{record}");
        };
        asked();
        in_child(asked);
    });
}

#[test]
fn signals_of_the_parent_drain_a_child_that_polls_them_and_end_it_after_that() {
    let name = "signals_of_the_parent_drain_a_child_that_polls_them_and_end_it_after_that";
    alone(name, || {
        let mut parents = Signals::new().unwrap();
        let signals = Signals::new().unwrap();
        let health = built(|b| b.termination_grace_period(2 * FOR_EVER));
        let child = child(|| {
            let mut drain = pin!(health.drain_when(signals, FOR_EVER));
            let terminate = || kill_process(getpid(), Signal::TERM).unwrap();
            assert!(drain.as_mut().now_or_never().is_none());
            terminate();
            while !health.is_draining() {
                assert!(drain.as_mut().now_or_never().is_none());
                thread::yield_now();
            }
            terminate();
            block_on(drain);
            // No `Signals` of the child is left, and those of the parent do not count.
            terminate();
            thread::sleep(FOR_EVER);
        });
        let signal = end_of(child).terminating_signal();
        assert_eq!(signal, Some(Signal::TERM.as_raw()));
        assert!(parents.next().now_or_never().is_none());
    });
}

#[test]
fn a_child_is_told_of_its_own_drain_and_of_one_that_began_before_the_fork() {
    alone("a_child_is_told_of_its_own_drain_and_of_one_that_began_before_the_fork", || {
        let health = built(|b| b);
        let mut draining = health.draining();
        assert!((&mut draining).now_or_never().is_none());
        in_child(|| {
            // One of them waits since before the fork, and another is dropped.
            let mut waits = draining.clone();
            assert!((&mut waits).now_or_never().is_none());
            assert!((&mut draining).now_or_never().is_none());
            drop(waits);
            health.drain();
            block_on(&mut draining);
            block_on(health.draining());
        });
        assert!((&mut draining).now_or_never().is_none());
        health.drain();
        in_child(|| block_on(&mut draining));
    });
}

#[test]
fn a_child_does_not_wait_for_what_its_parent_executes() {
    alone("a_child_does_not_wait_for_what_its_parent_executes", || {
        let parent = process::id();
        let (start, started) = channel();
        // Both hang only in the parent.
        let hangs = move || process::id() == parent;
        let block = start.clone();
        let awaits = start;
        let health = built(|b| {
            b.check("async", move || {
                awaits.send(()).unwrap();
                async move {
                    if hangs() {
                        pending::<()>().await;
                    }
                    Ok::<(), String>(())
                }
            })
            .register(Check::blocking("blocking", move || {
                block.send(()).unwrap();
                while hangs() {
                    thread::sleep(FOR_EVER);
                }
                Ok::<(), String>(())
            }))
        });
        let asker = health.clone();
        thread::spawn(move || ask(&asker));
        started.recv().unwrap();
        started.recv().unwrap();
        in_child(|| assert_eq!(ask(&health), "OK"));
    });
}

#[test]
fn background_checks_and_observers_start_again_with_the_first_deep_poll_of_a_child() {
    let name = "background_checks_and_observers_start_again_with_the_first_deep_poll_of_a_child";
    /// Reports the process in which it is notified.
    struct Tells(Sender<u32>);

    impl HealthObserver for Tells {
        fn notify(&self, _: Notification) {
            let _ = self.0.send(process::id());
        }
    }

    alone(name, || {
        let (tell, told) = channel();
        let (execute, executed) = channel();
        let check = Check::new("background", move || {
            execute.send(process::id()).unwrap();
            ready(Ok::<(), String>(()))
        });
        let health = built(|b| b.observer(Tells(tell)).register(check.every(FOR_EVER)));
        let asked = || {
            ask(&health);
            while executed.recv().unwrap() != process::id() {}
            while told.recv().unwrap() != process::id() {}
            while ask(&health) != "OK" {}
            assert!(executed.try_recv().is_err(), "it runs once a period");
        };
        asked();
        in_child(asked);
    });
}

#[test]
fn a_child_has_no_view_of_the_peers_until_its_own_exchange() {
    /// In the process of this id, all peers reach the database, and half of them in others.
    struct All(u32);

    #[async_trait]
    impl Peers for All {
        async fn exchange(
            &self,
            _: &[OwnView],
        ) -> Result<Vec<PeerView>, Box<dyn Error + Send + Sync>> {
            let reaching = if process::id() == self.0 { 2 } else { 1 };
            Ok(vec![PeerView::new("database", reaching, 2)])
        }
    }

    alone("a_child_has_no_view_of_the_peers_until_its_own_exchange", || {
        let is_up = Arc::new(AtomicBool::new(true));
        let database = Check::with("database", is_up.clone(), |is_up| {
            ready(if is_up.load(Ordering::SeqCst) { Ok(()) } else { Err("no route") })
        });
        let peers = Check::peers("peers", All(process::id())).every(FOR_EVER);
        let health = built(|b| b.register(database.shared()).register(peers));
        while ask(&health) != "OK" {}
        is_up.store(false, Ordering::SeqCst);
        let wait_for = |view: &str, never: &str| loop {
            let answer = block_on(health.answer("checks=all"));
            let record = answer.records().next().unwrap().text().to_owned();
            assert!(!record.contains(never), "{record}");
            if record.contains(view) {
                break;
            }
        };
        wait_for("2 of 2 peers", "1 of 2 peers");
        in_child(|| wait_for("1 of 2 peers", "2 of 2 peers"));
    });
}

#[test]
fn a_maintenance_source_is_asked_in_a_child() {
    struct Of(u32);

    impl MaintenanceSource for Of {
        fn is_active(&self) -> bool {
            process::id() != self.0
        }
    }

    alone("a_maintenance_source_is_asked_in_a_child", || {
        let source = Of(process::id());
        let health = built(|b| b.maintenance_source(source).maintenance_timeout(FOR_EVER));
        assert_eq!(ask(&health), "OK");
        in_child(|| assert_eq!(ask(&health), "MAINTENANCE"));
    });
}

#[test]
fn a_child_begins_anew_and_does_not_wait_for_the_delay_of_its_parent() {
    alone("a_child_begins_anew_and_does_not_wait_for_the_delay_of_its_parent", || {
        let fails = Arc::new(AtomicBool::new(false));
        let failing = fails.clone();
        let health = built(|b| {
            b.check("database", move || {
                ready(if failing.load(Ordering::SeqCst) { Err("no route") } else { Ok(()) })
            })
            .endpoint(Endpoint::readiness("/ready").recovery_delay(1000 * FOR_EVER))
        });
        let ask = || block_on(health.at("/ready").unwrap().respond("")).word().as_str();
        assert_eq!(ask(), "OK");
        fails.store(true, Ordering::SeqCst);
        assert_eq!(ask(), "ERROR");
        fails.store(false, Ordering::SeqCst);
        assert_eq!(ask(), "ERROR");
        in_child(|| assert_eq!(ask(), "OK"));
        assert_eq!(ask(), "ERROR");
    });
}

/// The parent's task, which follows the states, does not exist in the child.
#[cfg(feature = "details")]
#[test]
fn a_child_follows_the_states_of_its_endpoints_and_has_references_of_its_own() {
    use health_core::{DetailLevel, HealthRequest};

    alone("a_child_follows_the_states_of_its_endpoints_and_has_references_of_its_own", || {
        let is_down = Arc::new(AtomicUsize::new(0));
        let down = is_down.clone();
        let health = built(|b| {
            let check = move || match down.load(Ordering::SeqCst) {
                0 => ready(Ok(())),
                _ => ready(Err("down")),
            };
            b.check("database", check).details(DetailLevel::States)
        });
        let json = || {
            let request = HealthRequest::new("checks=all&format=json");
            let response = block_on(health.respond(request));
            serde_json::from_str::<serde_json::Value>(response.body()).unwrap()
        };
        let changes = || json()["changes"].as_array().unwrap().len();
        let file = tempfile::NamedTempFile::new().unwrap();
        json();
        assert_eq!(changes(), 1);
        let fails = || {
            is_down.store(1, Ordering::SeqCst);
            let document = json();
            let reference = &document["checks"]["database"]["results"][0]["reference"];
            let mut references = std::fs::read_to_string(file.path()).unwrap();
            references += reference.as_str().unwrap();
            std::fs::write(file.path(), references).unwrap();
            assert_eq!(changes(), 2);
        };
        in_child(fails);
        in_child(fails);
        let references = std::fs::read_to_string(file.path()).unwrap();
        let (first, second) = references.split_at(7);
        assert_eq!(second.len(), 7);
        assert_ne!(first, second);
    });
}

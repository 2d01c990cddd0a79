//! An application whose tokio runtime may be blocked, with its endpoints on a listener of their own.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::time::Duration;

use health_conformance::testee::VirtualTime;
use health_core::{Check, Endpoint, Health, HealthConfig};
use tokio::runtime::{Builder, Runtime};

use crate::kubelet::{Container, Event, Kubelet};
use crate::presets::{LONG, manifest};
use crate::prober::Outcome;
use crate::worker::Kind;

struct Application {
    database_is_up: Arc<AtomicBool>,
    running: Option<Running>,
}

struct Running {
    time: VirtualTime,
    /// Blocks the only worker of the runtime until it is dropped, before the runtime, which waits for its workers.
    blocks: Option<Sender<()>>,
    runtime: Runtime,
}

impl Application {
    fn block(&mut self) {
        let running = self.running.as_mut().unwrap();
        let (release, released) = channel();
        running.runtime.spawn(async move {
            let _ = released.recv();
        });
        running.blocks = Some(release);
    }
}

impl Container for Application {
    fn start(&mut self) -> SocketAddr {
        let runtime = Builder::new_multi_thread().worker_threads(1).build().unwrap();
        let inside = runtime.enter();
        let time = VirtualTime::default();
        let database_is_up = self.database_is_up.clone();
        let database = Check::new("database", move || {
            let is_up = database_is_up.load(Ordering::SeqCst);
            async move { is_up.then_some(()).ok_or("connection refused") }
        });
        let health = Health::builder()
            .config(HealthConfig::default().with_disablefile(""))
            .runtime(time.clone())
            .register(Check::tokio_runtime("runtime", Duration::from_secs(5)))
            .register(database.every(Duration::from_secs(5)))
            .endpoint(Endpoint::startup("/started").no_checks())
            .endpoint(Endpoint::liveness("/live").only_checks(["runtime"]))
            .endpoint(Endpoint::readiness("/ready"))
            .build()
            .unwrap();
        // Its thread ends with the test.
        let listener = health_hyper::listen("127.0.0.1:0", health).unwrap();
        drop(inside);
        self.running = Some(Running { time, runtime, blocks: None });
        listener.local_addr()
    }

    /// A blocked application does not react.
    fn terminate(&mut self) {
        assert!(self.running.as_ref().unwrap().blocks.is_some());
    }

    fn kill(&mut self) {
        let running = self.running.take().unwrap();
        running.runtime.shutdown_background();
    }

    fn pass_second(&mut self) -> bool {
        let Running { time, runtime, blocks } = self.running.as_ref().unwrap();
        time.pass_with(Duration::from_secs(1), || {
            if blocks.is_none() {
                // The runtime runs its tasks in order.
                let (done, is_done) = channel();
                runtime.spawn(async move { done.send(()) });
                is_done.recv().unwrap();
            }
        });
        true
    }
}

fn in_service() -> Kubelet<Application> {
    let application =
        Application { database_is_up: Arc::new(AtomicBool::new(true)), running: None };
    let mut kubelet = Kubelet::run(manifest(), application);
    kubelet.pass(LONG);
    assert!(kubelet.is_in_endpoints());
    assert_eq!(kubelet.kills(), 0);
    kubelet
}

#[test]
fn a_process_whose_runtime_is_blocked_is_restarted_once() {
    let mut kubelet = in_service();
    let blocked = kubelet.now();
    kubelet.container.block();
    kubelet.pass(LONG);
    let history = kubelet.history();
    let liveness = manifest().liveness.unwrap();
    let kills = history.iter().find(|(_, event)| *event == Event::Killed(Kind::Liveness));
    let (killed, _) = kills.expect("a liveness probe that fails");
    // The expiry of 5 seconds, at most 2.2 seconds more, and at most one period until the first probe that fails.
    let latest = blocked + 8 + liveness.period * liveness.failure_threshold;
    assert!(*killed <= latest, "{history:?}");
    let mut out = history.iter().filter(|(_, event)| *event == Event::OutOfEndpoints);
    assert!(out.any(|(at, _)| (blocked..*killed).contains(at)), "{history:?}");
    kubelet.pass(LONG);
    assert!(kubelet.is_in_endpoints());
    assert_eq!(kubelet.kills(), 1);
}

#[test]
fn a_process_whose_database_is_dead_is_not_restarted() {
    let mut kubelet = in_service();
    kubelet.container.database_is_up.store(false, Ordering::SeqCst);
    kubelet.pass(LONG);
    assert!(!kubelet.is_in_endpoints());
    let last = kubelet.outcomes(Kind::Liveness).pop().cloned();
    assert_eq!(last, Some(Outcome::Success(200)));
    kubelet.container.database_is_up.store(true, Ordering::SeqCst);
    kubelet.pass(LONG);
    assert!(kubelet.is_in_endpoints());
    assert_eq!(kubelet.kills(), 0);
}

//! The presets for Kubernetes, with the manifest of the page.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use health_core::{Check, Endpoint, HealthBuilder};

use crate::application::Application;
use crate::kubelet::{Event, Kubelet, Spec};
use crate::page;
use crate::prober::Outcome;
use crate::worker::{Kind, Probe};

/// How many seconds the application of the page drains.
pub(crate) const DELAY: u32 = 15;

/// Long enough for every probe of the manifest to be asked more often than its threshold.
const LONG: u32 = 120;

/// The manifest of the page, for a machine that may be busy.
fn manifest() -> Spec {
    let Spec {
        startup,
        liveness,
        readiness,
        grace,
    } = page::manifest();
    Spec {
        startup: startup.map(Probe::patient),
        liveness: liveness.map(Probe::patient),
        readiness: readiness.map(Probe::patient),
        grace,
    }
}

/// Whether the database answers, as a test has it.
#[derive(Clone)]
struct Database(Arc<AtomicBool>);

impl Database {
    fn up() -> Self {
        Self(Arc::new(AtomicBool::new(true)))
    }

    fn set(&self, is_up: bool) {
        self.0.store(is_up, Ordering::SeqCst);
    }

    fn check(&self) -> Check {
        let this = self.clone();
        Check::new("database", move || {
            let is_up = this.0.load(Ordering::SeqCst);
            async move { is_up.then_some(()).ok_or("connection refused") }
        })
    }
}

/// The endpoints of the page.
fn endpoints(builder: HealthBuilder) -> HealthBuilder {
    builder
        .endpoint(Endpoint::startup("/started").no_checks())
        .endpoint(Endpoint::liveness("/live"))
        .endpoint(Endpoint::readiness("/ready"))
}

/// A pod that is not yet started.
fn pod(spec: Spec, database: &Database) -> Kubelet<Application> {
    let database = database.clone();
    let describe = move |builder| endpoints(builder).register(database.check());
    Kubelet::run(spec, Application::new(DELAY, describe))
}

/// The same, in service.
fn pod_in_service(database: &Database) -> Kubelet<Application> {
    let mut kubelet = pod(manifest(), database);
    kubelet.container.migrated();
    kubelet.pass(LONG);
    assert!(kubelet.is_in_endpoints());
    kubelet
}

#[test]
fn the_probes_of_the_manifest_ask_the_endpoints_of_the_application() {
    let kubelet = pod_in_service(&Database::up());
    for (kind, path) in [
        (Kind::Startup, "/started"),
        (Kind::Liveness, "/live"),
        (Kind::Readiness, "/ready"),
    ] {
        let outcomes = kubelet.outcomes(kind);
        assert!(!outcomes.is_empty(), "{kind:?}");
        for outcome in outcomes {
            assert_eq!(*outcome, Outcome::Success(200), "{kind:?}");
        }
        assert!(kubelet.container.health().at(path).is_some());
    }
    let Spec {
        startup,
        liveness,
        readiness,
        ..
    } = manifest();
    let paths = [startup, liveness, readiness].map(|probe| probe.unwrap().path);
    assert_eq!(paths, ["/started", "/live", "/ready"]);
}

#[test]
fn a_start_is_waited_for_and_gets_no_traffic() {
    let mut kubelet = pod(manifest(), &Database::up());
    kubelet.pass(60);
    assert!(!kubelet.is_in_endpoints());
    assert_eq!(kubelet.outcomes(Kind::Liveness), Vec::<&Outcome>::new());
    kubelet.container.migrated();
    kubelet.pass(LONG);
    assert!(kubelet.is_in_endpoints());
    assert_eq!(kubelet.kills(), 0);
}

#[test]
fn a_start_is_not_killed_by_its_liveness_even_without_a_startup_probe() {
    let spec = Spec {
        startup: None,
        ..manifest()
    };
    let mut kubelet = pod(spec, &Database::up());
    kubelet.pass(LONG);
    assert!(kubelet.outcomes(Kind::Liveness).len() > 3);
    assert!(!kubelet.is_in_endpoints());
    assert_eq!(kubelet.kills(), 0);
}

#[test]
fn a_start_that_never_ends_is_cut_off() {
    let mut kubelet = pod(manifest(), &Database::up());
    let startup = manifest().startup.unwrap();
    kubelet.pass(startup.period * startup.failures);
    assert_eq!(kubelet.kills(), 1);
}

#[test]
fn maintenance_takes_a_pod_out_and_never_kills_it() {
    let mut kubelet = pod_in_service(&Database::up());
    let switch = kubelet.container.health().maintenance_switch();
    switch.turn_on();
    kubelet.pass(LONG);
    assert!(!kubelet.is_in_endpoints());
    switch.turn_off();
    kubelet.pass(LONG);
    assert!(kubelet.is_in_endpoints());
    assert_eq!(kubelet.kills(), 0);
}

#[test]
fn maintenance_does_not_cut_off_a_start() {
    let mut kubelet = pod(manifest(), &Database::up());
    kubelet.container.health().maintenance_switch().turn_on();
    kubelet.container.migrated();
    kubelet.pass(LONG);
    assert_eq!(kubelet.outcomes(Kind::Startup), [&Outcome::Success(200)]);
    assert!(!kubelet.is_in_endpoints());
    assert_eq!(kubelet.kills(), 0);
}

#[test]
fn a_dependency_that_fails_takes_a_pod_out_and_never_kills_it() {
    let database = Database::up();
    let mut kubelet = pod_in_service(&database);
    database.set(false);
    kubelet.pass(LONG);
    assert!(!kubelet.is_in_endpoints());
    database.set(true);
    kubelet.pass(LONG);
    assert!(kubelet.is_in_endpoints());
    assert_eq!(kubelet.kills(), 0);
}

#[test]
fn a_pod_that_is_deleted_serves_until_its_drain_is_over() {
    let mut kubelet = pod_in_service(&Database::up());
    let deleted = kubelet.now();
    kubelet.delete();
    assert!(!kubelet.is_in_endpoints());
    kubelet.pass(DELAY - 1);
    assert!(kubelet.is_running(), "the drain is not over");
    assert!(kubelet.container.health().is_draining());
    let last = kubelet.outcomes(Kind::Readiness).pop().cloned();
    let unready = Outcome::Failure("HTTP probe failed with statuscode: 503".to_owned());
    assert_eq!(last, Some(unready));
    kubelet.pass(LONG);
    let history = kubelet.history();
    let end = [
        (deleted, Event::Deleted),
        (deleted, Event::OutOfEndpoints),
        (deleted + DELAY, Event::Exited),
    ];
    assert_eq!(
        history[history.len() - 3..],
        end,
        "no SIGKILL, no new container"
    );
}

#[test]
fn a_drain_beyond_the_grace_is_cut_off() {
    let spec = manifest();
    let grace = spec.grace;
    let mut kubelet = Kubelet::run(spec, Application::new(grace + 1, endpoints));
    kubelet.container.migrated();
    kubelet.pass(LONG);
    kubelet.delete();
    kubelet.pass(LONG);
    let history = kubelet.history();
    assert!(
        history.contains(&(LONG + grace, Event::SigKill)),
        "{history:?}"
    );
}

#[test]
fn the_299_of_pyramid_goes_on_getting_traffic() {
    let spec = Spec {
        startup: None,
        liveness: None,
        readiness: Some(Probe::new("/health").patient()),
        grace: 30,
    };
    let mut kubelet = Kubelet::run(spec, Application::new(DELAY, endpoints));
    kubelet.container.migrated();
    kubelet.pass(LONG);
    kubelet.container.health().maintenance_switch().turn_on();
    kubelet.pass(LONG);
    let last = kubelet.outcomes(Kind::Readiness).pop().cloned();
    assert_eq!(last, Some(Outcome::Success(299)));
    assert!(kubelet.is_in_endpoints());
}

#[test]
fn a_liveness_that_asks_a_dependency_restarts_the_pod_with_it() {
    let database = Database::up();
    let of_container = database.clone();
    let describe = move |builder: HealthBuilder| {
        let liveness = Endpoint::liveness("/live").only_checks(["database"]);
        builder
            .register(of_container.check())
            .endpoint(liveness.allow_dependency("database"))
    };
    let spec = Spec {
        startup: None,
        readiness: None,
        ..manifest()
    };
    let mut kubelet = Kubelet::run(spec, Application::new(DELAY, describe));
    kubelet.container.migrated();
    kubelet.pass(LONG);
    assert_eq!(kubelet.kills(), 0);
    database.set(false);
    kubelet.pass(LONG);
    assert!(kubelet.kills() > 1, "over and over");
}

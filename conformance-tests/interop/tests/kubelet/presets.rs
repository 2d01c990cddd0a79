//! The presets for Kubernetes, with the manifest of `docs/kubernetes.md`.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use health_core::{Check, Endpoint, HealthBuilder};

use crate::application::Application;
use crate::kubelet::{Event, Kubelet, Spec};
use crate::page;
use crate::prober::Outcome;
use crate::worker::{Kind, Probe};

/// How many seconds the application drains.
pub(crate) const DRAIN_DELAY: u32 = 15;

/// Long enough for every probe of the manifest to reach its threshold.
pub(crate) const LONG: u32 = 120;

/// The manifest of the page, with timeouts for a busy machine.
pub(crate) fn manifest() -> Spec {
    let Spec { startup, liveness, readiness, termination_grace_period } = page::manifest();
    Spec {
        startup: startup.map(Probe::patient),
        liveness: liveness.map(Probe::patient),
        readiness: readiness.map(Probe::patient),
        termination_grace_period,
    }
}

/// A database that is up or down, as a test says.
#[derive(Clone)]
pub(crate) struct Database(Arc<AtomicBool>);

impl Database {
    pub(crate) fn up() -> Self {
        Self(Arc::new(AtomicBool::new(true)))
    }

    pub(crate) fn set(&self, is_up: bool) {
        self.0.store(is_up, Ordering::SeqCst);
    }

    pub(crate) fn check(&self) -> Check {
        let is_up = self.0.clone();
        Check::new("database", move || {
            let is_up = is_up.load(Ordering::SeqCst);
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

/// A pod that is starting.
fn pod(spec: Spec, database: &Database) -> Kubelet<Application> {
    let database = database.clone();
    let describe = move |builder| endpoints(builder).register(database.check());
    Kubelet::run(spec, Application::new(DRAIN_DELAY, describe))
}

/// A pod in service.
fn pod_in_service(database: &Database) -> Kubelet<Application> {
    let mut kubelet = pod(manifest(), database);
    kubelet.container.finish_migrations();
    kubelet.pass(LONG);
    assert!(kubelet.is_in_endpoints());
    kubelet
}

#[test]
fn the_probes_of_the_manifest_poll_the_endpoints_of_the_application() {
    let kubelet = pod_in_service(&Database::up());
    for (kind, path) in
        [(Kind::Startup, "/started"), (Kind::Liveness, "/live"), (Kind::Readiness, "/ready")]
    {
        let outcomes = kubelet.outcomes(kind);
        assert!(!outcomes.is_empty(), "{kind:?}");
        for outcome in outcomes {
            assert_eq!(*outcome, Outcome::Success(200), "{kind:?}");
        }
        assert!(kubelet.container.health().at(path).is_some());
    }
    let Spec { startup, liveness, readiness, .. } = manifest();
    let paths = [startup, liveness, readiness].map(|probe| probe.unwrap().path);
    assert_eq!(paths, ["/started", "/live", "/ready"]);
}

#[test]
fn a_pod_that_is_starting_gets_no_traffic_and_is_not_killed() {
    let mut kubelet = pod(manifest(), &Database::up());
    kubelet.pass(60);
    assert!(!kubelet.is_in_endpoints());
    assert_eq!(kubelet.outcomes(Kind::Liveness), Vec::<&Outcome>::new());
    kubelet.container.finish_migrations();
    kubelet.pass(LONG);
    assert!(kubelet.is_in_endpoints());
    assert_eq!(kubelet.kills(), 0);
}

#[test]
fn liveness_does_not_kill_a_pod_that_is_starting_without_a_startup_probe() {
    let spec = Spec { startup: None, ..manifest() };
    let mut kubelet = pod(spec, &Database::up());
    kubelet.pass(LONG);
    assert!(kubelet.outcomes(Kind::Liveness).len() > 3);
    assert!(!kubelet.is_in_endpoints());
    assert_eq!(kubelet.kills(), 0);
}

#[test]
fn a_start_that_never_ends_is_killed_at_the_threshold_of_the_startup_probe() {
    let mut kubelet = pod(manifest(), &Database::up());
    let startup = manifest().startup.unwrap();
    kubelet.pass(startup.period * startup.failure_threshold);
    assert_eq!(kubelet.kills(), 1);
}

#[test]
fn maintenance_removes_a_pod_from_the_endpoints_and_does_not_kill_it() {
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
fn maintenance_during_a_start_does_not_fail_it() {
    let mut kubelet = pod(manifest(), &Database::up());
    kubelet.container.health().maintenance_switch().turn_on();
    kubelet.container.finish_migrations();
    kubelet.pass(LONG);
    assert_eq!(kubelet.outcomes(Kind::Startup), [&Outcome::Success(200)]);
    assert!(!kubelet.is_in_endpoints());
    assert_eq!(kubelet.kills(), 0);
}

#[test]
fn a_failing_dependency_removes_a_pod_from_the_endpoints_and_does_not_kill_it() {
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
fn a_deleted_pod_serves_until_its_drain_is_over() {
    let mut kubelet = pod_in_service(&Database::up());
    let deleted = kubelet.now();
    kubelet.delete();
    assert!(!kubelet.is_in_endpoints());
    kubelet.pass(DRAIN_DELAY - 1);
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
        (deleted + DRAIN_DELAY, Event::Exited),
    ];
    assert_eq!(history[history.len() - 3..], end, "no SIGKILL, no new container");
}

#[test]
fn a_drain_longer_than_the_grace_period_is_killed() {
    let spec = manifest();
    let grace = spec.termination_grace_period;
    let mut kubelet = Kubelet::run(spec, Application::new(grace + 1, endpoints));
    kubelet.container.finish_migrations();
    kubelet.pass(LONG);
    kubelet.delete();
    kubelet.pass(LONG);
    let history = kubelet.history();
    assert!(history.contains(&(LONG + grace, Event::SigKill)), "{history:?}");
}

#[test]
fn the_299_of_pyramid_keeps_getting_traffic() {
    let spec = Spec {
        startup: None,
        liveness: None,
        readiness: Some(Probe::new("/health").patient()),
        termination_grace_period: 30,
    };
    let mut kubelet = Kubelet::run(spec, Application::new(DRAIN_DELAY, endpoints));
    kubelet.container.finish_migrations();
    kubelet.pass(LONG);
    kubelet.container.health().maintenance_switch().turn_on();
    kubelet.pass(LONG);
    let last = kubelet.outcomes(Kind::Readiness).pop().cloned();
    assert_eq!(last, Some(Outcome::Success(299)));
    assert!(kubelet.is_in_endpoints());
}

#[test]
fn a_liveness_endpoint_with_a_dependency_restarts_the_pod_when_it_fails() {
    let database = Database::up();
    let of_container = database.clone();
    let describe = move |builder: HealthBuilder| {
        let liveness = Endpoint::liveness("/live").only_checks(["database"]);
        builder.register(of_container.check()).endpoint(liveness.allow_dependency("database"))
    };
    let spec = Spec { startup: None, readiness: None, ..manifest() };
    let mut kubelet = Kubelet::run(spec, Application::new(DRAIN_DELAY, describe));
    kubelet.container.finish_migrations();
    kubelet.pass(LONG);
    assert_eq!(kubelet.kills(), 0);
    database.set(false);
    kubelet.pass(LONG);
    assert!(kubelet.kills() > 1, "again and again");
}

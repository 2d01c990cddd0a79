//! The gRPC probes of `docs/grpc.md`.

use std::time::Duration;

use health_core::{Endpoint, HealthBuilder};

use crate::application::Application;
use crate::fake;
use crate::grpc_prober;
use crate::kubelet::{Event, Kubelet, Spec};
use crate::page;
use crate::presets::{DRAIN_DELAY, Database, LONG};
use crate::prober::Outcome;
use crate::worker::{Kind, Probe};

fn manifest() -> Spec {
    let Spec { startup, liveness, readiness, termination_grace_period } = page::grpc_manifest();
    Spec {
        startup: startup.map(Probe::patient),
        liveness: liveness.map(Probe::patient),
        readiness: readiness.map(Probe::patient),
        termination_grace_period,
    }
}

/// A pod in service, whose application speaks gRPC.
fn pod_in_service(spec: Spec, database: &Database) -> Kubelet<Application> {
    let database = database.clone();
    let describe = move |builder: HealthBuilder| {
        builder
            .register(database.check())
            .endpoint(Endpoint::startup("/started").no_checks())
            .endpoint(Endpoint::liveness("/live"))
            .endpoint(Endpoint::readiness("/ready"))
    };
    let mut kubelet = Kubelet::run(spec, Application::new(DRAIN_DELAY, describe).over_grpc());
    kubelet.pass(LONG / 2);
    assert!(!kubelet.is_in_endpoints(), "it is starting");
    kubelet.container.finish_migrations();
    kubelet.pass(LONG);
    assert!(kubelet.is_in_endpoints());
    kubelet
}

#[test]
fn the_grpc_probes_of_the_manifest_name_the_services_of_the_application() {
    let kubelet = pod_in_service(manifest(), &Database::up());
    for kind in [Kind::Startup, Kind::Liveness, Kind::Readiness] {
        assert_eq!(kubelet.outcomes(kind).last(), Some(&&Outcome::Serving), "{kind:?}");
    }
    assert_eq!(kubelet.kills(), 0);
}

#[test]
fn over_grpc_maintenance_and_a_failing_dependency_stop_the_traffic_and_kill_no_pod() {
    let database = Database::up();
    let mut kubelet = pod_in_service(manifest(), &database);
    let switch = kubelet.container.health().maintenance_switch();
    switch.turn_on();
    kubelet.pass(LONG);
    assert!(!kubelet.is_in_endpoints());
    switch.turn_off();
    database.set(false);
    kubelet.pass(LONG);
    assert!(!kubelet.is_in_endpoints());
    database.set(true);
    kubelet.pass(LONG);
    assert!(kubelet.is_in_endpoints());
    assert_eq!(kubelet.kills(), 0);
}

#[test]
fn over_grpc_a_deleted_pod_serves_until_its_drain_is_over() {
    let mut kubelet = pod_in_service(manifest(), &Database::up());
    let deleted = kubelet.now();
    kubelet.delete();
    kubelet.pass(DRAIN_DELAY - 1);
    assert!(kubelet.is_running(), "the drain is not over");
    let last = kubelet.outcomes(Kind::Readiness).pop().cloned();
    let unready = Outcome::Failure("service unhealthy (responded with \"2\")".to_owned());
    assert_eq!(last, Some(unready));
    kubelet.pass(LONG);
    let history = kubelet.history();
    assert_eq!(history.last(), Some(&(deleted + DRAIN_DELAY, Event::Exited)), "no SIGKILL");
}

#[test]
fn a_liveness_probe_that_names_no_service_restarts_the_pod_in_maintenance() {
    let mut liveness = manifest().liveness.unwrap();
    liveness.path.clear();
    let spec = Spec { liveness: Some(liveness), ..manifest() };
    let mut kubelet = pod_in_service(spec, &Database::up());
    kubelet.container.health().maintenance_switch().turn_on();
    kubelet.pass(LONG);
    assert!(kubelet.kills() > 0);
}

#[test]
fn a_grpc_probe_fails_at_a_server_that_speaks_no_grpc_or_is_silent() {
    let speaks_http_1 = fake::responding("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    let outcome = grpc_prober::probe(speaks_http_1, "", Duration::from_secs(30));
    assert!(matches!(outcome, Outcome::Failure(_)), "{outcome:?}");
    let silent = fake::serve(|stream, _| std::mem::forget(stream));
    let outcome = grpc_prober::probe(silent, "", Duration::from_millis(100));
    assert!(matches!(&outcome, Outcome::Failure(error) if error.starts_with("timeout: ")));
}

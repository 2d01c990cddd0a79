//! Tests of the simulator: how a kubelet reacts to its probes.

use crate::fake::{Fake, PATHS};
use crate::kubelet::{Event, Kubelet, Spec};
use crate::worker::{Kind, Probe};

/// A probe with Kubernetes' defaults, except for a period of one second.
fn probe(path: &str) -> Option<Probe> {
    Some(Probe { period: 1, ..Probe::new(path).patient() })
}

fn all_three() -> Spec {
    let [startup, liveness, readiness] = PATHS.map(probe);
    Spec { startup, liveness, readiness, termination_grace_period: 30 }
}

fn run(spec: Spec) -> Kubelet<Fake> {
    Kubelet::run(spec, Fake::ending_after(Some(1)))
}

#[test]
fn a_pod_is_ready_when_its_probe_succeeds_or_at_once_without_one() {
    let mut kubelet = run(all_three());
    assert!(!kubelet.is_in_endpoints());
    kubelet.pass(2);
    assert!(kubelet.is_in_endpoints());
    let without = Spec { readiness: None, startup: None, ..all_three() };
    assert!(run(without).is_in_endpoints());
}

#[test]
fn a_probe_waits_for_its_delay_and_its_period() {
    let mut kubelet = run(Spec {
        readiness: Some(Probe { initial_delay: 11, period: 5, ..Probe::new("/ready").patient() }),
        ..Spec::default()
    });
    kubelet.pass(14);
    assert_eq!(kubelet.container.take_requests().len(), 0);
    kubelet.pass(6);
    assert_eq!(kubelet.container.take_requests().len(), 2);
}

#[test]
fn only_consecutive_failures_count() {
    let mut kubelet = run(all_three());
    kubelet.pass(2);
    for _ in 0..5 {
        kubelet.container.respond_with("/ready", 503);
        kubelet.container.respond_with("/live", 503);
        kubelet.pass(2);
        kubelet.container.respond_with("/ready", 200);
        kubelet.container.respond_with("/live", 200);
        kubelet.pass(1);
    }
    assert!(kubelet.is_in_endpoints());
    assert_eq!(kubelet.kills(), 0);
    kubelet.container.respond_with("/ready", 503);
    kubelet.pass(3);
    assert!(!kubelet.is_in_endpoints());
    assert_eq!(kubelet.kills(), 0);
}

#[test]
fn a_pod_is_ready_after_the_success_threshold() {
    let mut spec = all_three();
    spec.readiness.as_mut().unwrap().success_threshold = 2;
    let mut kubelet = run(spec);
    kubelet.pass(1);
    assert!(!kubelet.is_in_endpoints());
    kubelet.pass(1);
    assert!(kubelet.is_in_endpoints());
}

#[test]
fn only_the_startup_probe_is_sent_before_the_start_is_over() {
    let mut kubelet = run(all_three());
    kubelet.container.respond_with("/started", 503);
    kubelet.pass(2);
    assert_eq!(kubelet.container.take_requests(), ["/started", "/started"]);
    kubelet.container.respond_with("/started", 200);
    kubelet.pass(2);
    let requests = kubelet.container.take_requests();
    assert_eq!(requests, ["/started", "/live", "/ready", "/live", "/ready"]);
}

#[test]
fn a_start_that_takes_too_long_is_killed() {
    let mut kubelet = run(all_three());
    kubelet.container.respond_with("/started", 503);
    kubelet.pass(4);
    let history = [
        (0, Event::Started),
        (3, Event::Killed(Kind::Startup)),
        (4, Event::Exited),
        (4, Event::Started),
    ];
    assert_eq!(kubelet.history(), history);
}

#[test]
fn a_container_that_fails_its_liveness_probe_is_killed_and_restarted() {
    let mut kubelet = Kubelet::run(all_three(), Fake::ending_after(None));
    kubelet.pass(2);
    kubelet.container.respond_with("/live", 500);
    kubelet.pass(3);
    kubelet.container.take_requests();
    kubelet.container.respond_with("/live", 200);
    kubelet.pass(29);
    let requests = kubelet.container.take_requests();
    assert!(!requests.contains(&"/live".to_owned()), "it is being killed");
    kubelet.pass(4);
    let history = [
        (0, Event::Started),
        (1, Event::InEndpoints),
        (5, Event::Killed(Kind::Liveness)),
        (35, Event::SigKill),
        (35, Event::Exited),
        (35, Event::OutOfEndpoints),
        (35, Event::Started),
        (36, Event::InEndpoints),
    ];
    assert_eq!(kubelet.history(), history);
    assert!(kubelet.container.take_requests().contains(&"/live".to_owned()));
}

#[test]
fn a_deleted_pod_gets_no_traffic_and_only_its_readiness_is_probed() {
    let mut kubelet = Kubelet::run(all_three(), Fake::ending_after(Some(4)));
    kubelet.pass(2);
    kubelet.delete();
    assert!(!kubelet.is_in_endpoints());
    assert!(kubelet.is_running());
    kubelet.container.take_requests();
    kubelet.container.respond_with("/live", 500);
    kubelet.pass(10);
    assert_eq!(kubelet.container.take_requests(), ["/ready"; 3]);
    let history = [
        (0, Event::Started),
        (1, Event::InEndpoints),
        (2, Event::Deleted),
        (2, Event::OutOfEndpoints),
        (6, Event::Exited),
    ];
    assert_eq!(kubelet.history(), history);
}

#[test]
fn a_pod_that_does_not_end_is_killed_after_the_grace_period() {
    let mut kubelet = Kubelet::run(all_three(), Fake::ending_after(None));
    kubelet.pass(2);
    kubelet.delete();
    kubelet.pass(100);
    let history = kubelet.history();
    assert_eq!(history[4..], [(32, Event::SigKill), (32, Event::Exited)]);
}

#[test]
fn a_program_that_ends_by_itself_is_restarted() {
    let mut kubelet = run(all_three());
    kubelet.pass(2);
    kubelet.container.crash();
    kubelet.pass(3);
    let history = [
        (0, Event::Started),
        (1, Event::InEndpoints),
        (3, Event::Exited),
        (3, Event::OutOfEndpoints),
        (3, Event::Started),
        (4, Event::InEndpoints),
    ];
    assert_eq!(kubelet.history(), history);
}

//! The simulator itself: what a kubelet does about what its probes say.

use crate::fake::{Fake, PATHS};
use crate::kubelet::{Event, Kubelet, Spec};
use crate::worker::{Kind, Probe};

/// Kubernetes' defaults, but for a period of a second.
fn probe(path: &str) -> Option<Probe> {
    Some(Probe {
        period: 1,
        ..Probe::new(path).patient()
    })
}

fn all_three() -> Spec {
    let [startup, liveness, readiness] = PATHS.map(probe);
    Spec {
        startup,
        liveness,
        readiness,
        grace: 30,
    }
}

fn run(spec: Spec) -> Kubelet<Fake> {
    Kubelet::run(spec, Fake::ending_after(Some(1)))
}

#[test]
fn a_pod_is_ready_when_its_probe_says_so_and_without_one_at_once() {
    let mut kubelet = run(all_three());
    assert!(!kubelet.is_in_endpoints());
    kubelet.pass(2);
    assert!(kubelet.is_in_endpoints());
    let without = Spec {
        readiness: None,
        startup: None,
        ..all_three()
    };
    assert!(run(without).is_in_endpoints());
}

#[test]
fn a_probe_waits_for_its_delay_and_its_period() {
    let mut kubelet = run(Spec {
        readiness: Some(Probe {
            initial_delay: 11,
            period: 5,
            ..Probe::new("/ready").patient()
        }),
        ..Spec::default()
    });
    kubelet.pass(14);
    assert_eq!(kubelet.container.take_asked().len(), 0);
    kubelet.pass(6);
    assert_eq!(kubelet.container.take_asked().len(), 2);
}

#[test]
fn only_failures_in_a_row_count() {
    let mut kubelet = run(all_three());
    kubelet.pass(2);
    for _ in 0..5 {
        kubelet.container.say("/ready", 503);
        kubelet.container.say("/live", 503);
        kubelet.pass(2);
        kubelet.container.say("/ready", 200);
        kubelet.container.say("/live", 200);
        kubelet.pass(1);
    }
    assert!(kubelet.is_in_endpoints());
    assert_eq!(kubelet.kills(), 0);
    kubelet.container.say("/ready", 503);
    kubelet.pass(3);
    assert!(!kubelet.is_in_endpoints());
    assert_eq!(kubelet.kills(), 0);
}

#[test]
fn a_pod_comes_back_after_enough_successes_in_a_row() {
    let mut spec = all_three();
    spec.readiness.as_mut().unwrap().successes = 2;
    let mut kubelet = run(spec);
    kubelet.pass(1);
    assert!(!kubelet.is_in_endpoints());
    kubelet.pass(1);
    assert!(kubelet.is_in_endpoints());
}

#[test]
fn nothing_else_is_asked_before_the_start_is_over() {
    let mut kubelet = run(all_three());
    kubelet.container.say("/started", 503);
    kubelet.pass(2);
    assert_eq!(kubelet.container.take_asked(), ["/started", "/started"]);
    kubelet.container.say("/started", 200);
    kubelet.pass(2);
    let asked = kubelet.container.take_asked();
    assert_eq!(asked, ["/started", "/live", "/ready", "/live", "/ready"]);
}

#[test]
fn a_start_that_takes_too_long_is_cut_off() {
    let mut kubelet = run(all_three());
    kubelet.container.say("/started", 503);
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
fn a_container_that_fails_its_liveness_is_killed_and_started_anew() {
    let mut kubelet = Kubelet::run(all_three(), Fake::ending_after(None));
    kubelet.pass(2);
    kubelet.container.say("/live", 500);
    kubelet.pass(3);
    kubelet.container.take_asked();
    kubelet.container.say("/live", 200);
    kubelet.pass(29);
    let asked = kubelet.container.take_asked();
    assert!(!asked.contains(&"/live".to_owned()), "it is being killed");
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
    assert!(kubelet.container.take_asked().contains(&"/live".to_owned()));
}

#[test]
fn a_pod_that_is_deleted_is_out_at_once_and_only_its_readiness_is_asked() {
    let mut kubelet = Kubelet::run(all_three(), Fake::ending_after(Some(4)));
    kubelet.pass(2);
    kubelet.delete();
    assert!(!kubelet.is_in_endpoints());
    assert!(kubelet.is_running());
    kubelet.container.take_asked();
    kubelet.container.say("/live", 500);
    kubelet.pass(10);
    assert_eq!(kubelet.container.take_asked(), ["/ready"; 3]);
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
fn a_pod_that_does_not_end_is_killed_when_its_grace_is_over() {
    let mut kubelet = Kubelet::run(all_three(), Fake::ending_after(None));
    kubelet.pass(2);
    kubelet.delete();
    kubelet.pass(100);
    let history = kubelet.history();
    assert_eq!(history[4..], [(32, Event::SigKill), (32, Event::Exited)]);
}

#[test]
fn a_program_that_ends_by_itself_is_started_anew() {
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

//! The manifest of the page, which the presets are tested with.

use std::fs;
use std::time::Duration;

use crate::kubelet::Spec;
use crate::worker::{Probe, Protocol};

/// Returns the page on Kubernetes.
pub(crate) fn page() -> String {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/kubernetes.md");
    fs::read_to_string(page).unwrap()
}

/// Reads the first manifest of the page, whose probes have one key per line.
pub(crate) fn manifest() -> Spec {
    let page = page();
    let manifest = first_manifest(&page);
    Spec {
        termination_grace_period: number(manifest, "terminationGracePeriodSeconds").unwrap(),
        ..probes(manifest)
    }
}

/// The same with the probes of the page on gRPC.
pub(crate) fn grpc_manifest() -> Spec {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/grpc.md");
    let page = fs::read_to_string(page).unwrap();
    let termination_grace_period = manifest().termination_grace_period;
    Spec { termination_grace_period, ..probes(first_manifest(&page)) }
}

fn first_manifest(page: &str) -> &str {
    let (_, manifest) = page.split_once("```yaml\n").unwrap();
    manifest.split_once("```").unwrap().0
}

fn probes(manifest: &str) -> Spec {
    Spec {
        startup: Some(probe(manifest, "startupProbe")),
        liveness: Some(probe(manifest, "livenessProbe")),
        readiness: Some(probe(manifest, "readinessProbe")),
        termination_grace_period: 0,
    }
}

fn probe(manifest: &str, key: &str) -> Probe {
    let heading = format!("{key}:");
    let mut lines = manifest.lines().skip_while(|line| line.trim() != heading);
    let indent = |line: &str| line.len() - line.trim_start().len();
    let outer = indent(lines.next().unwrap());
    let block: Vec<_> = lines.take_while(|line| indent(line) > outer).collect();
    let block = block.join("\n");
    let is_grpc = block.lines().any(|line| line.trim() == "grpc:");
    let defaults = match is_grpc {
        true => Probe {
            protocol: Protocol::Grpc,
            ..Probe::new(value(&block, "service").unwrap_or_default())
        },
        false => Probe::new(value(&block, "path").unwrap()),
    };
    let timeout = number(&block, "timeoutSeconds").map(u64::from);
    Probe {
        initial_delay: number(&block, "initialDelaySeconds").unwrap_or(defaults.initial_delay),
        period: number(&block, "periodSeconds").unwrap_or(defaults.period),
        timeout: timeout.map_or(defaults.timeout, Duration::from_secs),
        failure_threshold: number(&block, "failureThreshold").unwrap_or(defaults.failure_threshold),
        success_threshold: number(&block, "successThreshold").unwrap_or(defaults.success_threshold),
        ..defaults
    }
}

fn value<'a>(yaml: &'a str, key: &str) -> Option<&'a str> {
    let mut lines = yaml.lines().filter_map(|line| line.trim().split_once(": "));
    let (_, value) = lines.find(|(other, _)| *other == key)?;
    Some(value.split(" #").next().unwrap().trim())
}

fn number(yaml: &str, key: &str) -> Option<u32> {
    value(yaml, key).map(|value| value.parse().unwrap())
}

#[test]
fn the_manifest_leaves_time_for_the_drain() {
    let Spec { readiness, termination_grace_period: grace, .. } = manifest();
    let readiness = readiness.unwrap();
    let noticed =
        readiness.period * readiness.failure_threshold + readiness.timeout.as_secs() as u32;
    let page = page();
    let (_, rest) = page.split_once(".at_most(Duration::from_secs(").unwrap();
    let most: u32 = rest.split_once(')').unwrap().0.parse().unwrap();
    assert!(noticed < most, "the readiness probe fails after {noticed} s");
    assert!(most < grace, "a grace period of {grace} s for a drain of {most} s");
    let code = format!("termination_grace_period(Duration::from_secs({grace}))");
    assert!(page.contains(&code), "the page sets a grace period of {grace} s");
}

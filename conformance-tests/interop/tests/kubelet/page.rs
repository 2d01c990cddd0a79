//! The manifest in the page is the one that the presets are tested with.

use std::fs;
use std::time::Duration;

use crate::kubelet::Spec;
use crate::worker::Probe;

/// The page on Kubernetes.
pub(crate) fn page() -> String {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/kubernetes.md");
    fs::read_to_string(page).unwrap()
}

/// The first manifest of the page, as far as it is the kubelet's business. Its probes are written one key a line.
pub(crate) fn manifest() -> Spec {
    let page = page();
    let (_, manifest) = page.split_once("```yaml\n").unwrap();
    let (manifest, _) = manifest.split_once("```").unwrap();
    Spec {
        startup: Some(probe(manifest, "startupProbe")),
        liveness: Some(probe(manifest, "livenessProbe")),
        readiness: Some(probe(manifest, "readinessProbe")),
        grace: number(manifest, "terminationGracePeriodSeconds").unwrap(),
    }
}

fn probe(manifest: &str, key: &str) -> Probe {
    let heading = format!("{key}:");
    let mut lines = manifest.lines().skip_while(|line| line.trim() != heading);
    let indent = |line: &str| line.len() - line.trim_start().len();
    let outer = indent(lines.next().unwrap());
    let block: Vec<_> = lines.take_while(|line| indent(line) > outer).collect();
    let block = block.join("\n");
    let defaults = Probe::new(value(&block, "path").unwrap());
    let timeout = number(&block, "timeoutSeconds").map(u64::from);
    Probe {
        initial_delay: number(&block, "initialDelaySeconds").unwrap_or(defaults.initial_delay),
        period: number(&block, "periodSeconds").unwrap_or(defaults.period),
        timeout: timeout.map_or(defaults.timeout, Duration::from_secs),
        failures: number(&block, "failureThreshold").unwrap_or(defaults.failures),
        successes: number(&block, "successThreshold").unwrap_or(defaults.successes),
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
    let Spec {
        readiness, grace, ..
    } = manifest();
    let readiness = readiness.unwrap();
    let noticed = readiness.period * readiness.failures + readiness.timeout.as_secs() as u32;
    let delay = crate::presets::DELAY;
    assert!(noticed < delay, "{noticed} s until the probe has noticed");
    assert!(delay + 10 <= grace, "{grace} s with {delay} s of drain");
    let code = format!("Duration::from_secs({delay})");
    assert!(page().contains(&code), "the page drains for {delay} s");
    let code = format!("termination_grace_period(Duration::from_secs({grace}))");
    assert!(
        page().contains(&code),
        "the page says {grace} s to the library"
    );
}

//! The state that a kubelet keeps for one probe of a container: when it is due, and its last outcomes.

use std::net::SocketAddr;
use std::time::Duration;

use crate::grpc_prober;
use crate::prober::{self, Outcome};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Startup,
    Liveness,
    Readiness,
}

/// What a probe asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Protocol {
    /// `httpGet`
    Http,
    /// `grpc`
    Grpc,
}

/// A probe of a manifest; times in seconds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Probe {
    pub(crate) protocol: Protocol,
    /// Over gRPC the name of the service.
    pub(crate) path: String,
    pub(crate) initial_delay: u32,
    pub(crate) period: u32,
    pub(crate) timeout: Duration,
    pub(crate) failure_threshold: u32,
    pub(crate) success_threshold: u32,
}

impl Probe {
    /// A probe with Kubernetes' defaults.
    pub(crate) fn new(path: impl Into<String>) -> Self {
        Self {
            protocol: Protocol::Http,
            path: path.into(),
            initial_delay: 0,
            period: 10,
            timeout: Duration::from_secs(1),
            failure_threshold: 3,
            success_threshold: 1,
        }
    }

    /// The same probe for a server that responds, with a timeout for a busy machine.
    pub(crate) fn patient(self) -> Self {
        Self { timeout: Duration::from_secs(30), ..self }
    }

    pub(crate) fn send(&self, address: SocketAddr) -> Outcome {
        match self.protocol {
            Protocol::Http => prober::probe(address, &self.path, self.timeout),
            Protocol::Grpc => grpc_prober::probe(address, &self.path, self.timeout),
        }
    }
}

pub(crate) struct Worker {
    pub(crate) kind: Kind,
    pub(crate) probe: Probe,
    started_at: u32,
    /// Whether the last probes succeeded, and how many in a row.
    streak: Option<(bool, u32)>,
    is_ready: bool,
    is_on_hold: bool,
}

impl Worker {
    pub(crate) fn new(kind: Kind, probe: Probe) -> Self {
        Self { kind, probe, started_at: 0, streak: None, is_ready: false, is_on_hold: false }
    }

    /// Forgets the last outcomes, for a new container: it is not ready until a probe succeeds.
    pub(crate) fn reset(&mut self, now: u32) {
        *self = Self { started_at: now, ..Self::new(self.kind, self.probe.clone()) };
    }

    pub(crate) fn is_due(&self, now: u32) -> bool {
        let age = now - self.started_at;
        let is_due = age > 0 && age.is_multiple_of(self.probe.period);
        is_due && age >= self.probe.initial_delay && !self.is_on_hold
    }

    /// Counts an outcome. Returns whether the probe has succeeded or failed, once its threshold is reached.
    pub(crate) fn count(&mut self, outcome: &Outcome) -> Option<bool> {
        let is_success = match outcome {
            Outcome::Success(_) | Outcome::Serving | Outcome::Warning(_) => true,
            Outcome::Failure(_) => false,
            Outcome::Discarded => return None,
        };
        let count = match self.streak {
            Some((same, before)) if same == is_success => before + 1,
            _ => 1,
        };
        self.streak = Some((is_success, count));
        let threshold =
            if is_success { self.probe.success_threshold } else { self.probe.failure_threshold };
        if count < threshold {
            return None;
        }
        self.is_ready = is_success;
        Some(is_success)
    }

    /// Stops probing until there is a new container, because this one is being killed.
    pub(crate) fn hold(&mut self) {
        self.is_on_hold = true;
    }

    pub(crate) fn is_ready(&self) -> bool {
        self.kind == Kind::Readiness && self.is_ready
    }
}

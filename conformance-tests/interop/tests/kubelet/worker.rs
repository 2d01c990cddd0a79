//! What a kubelet keeps of one probe of a container: when it is due, and how often in a row it said the same.

use std::time::Duration;

use crate::prober::Outcome;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Startup,
    Liveness,
    Readiness,
}

/// A probe as the manifest has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Probe {
    pub(crate) path: String,
    pub(crate) initial_delay: u32,
    pub(crate) period: u32,
    pub(crate) timeout: Duration,
    pub(crate) failures: u32,
    pub(crate) successes: u32,
}

impl Probe {
    /// With Kubernetes' defaults. The time-out is a real one.
    pub(crate) fn new(path: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            initial_delay: 0,
            period: 10,
            timeout: Duration::from_secs(1),
            failures: 3,
            successes: 1,
        }
    }

    /// The same for a server that does answer, however busy the machine is.
    pub(crate) fn patient(self) -> Self {
        Self {
            timeout: Duration::from_secs(30),
            ..self
        }
    }
}

pub(crate) struct Worker {
    pub(crate) kind: Kind,
    pub(crate) probe: Probe,
    started_at: u32,
    /// Whether the last ones succeeded, and how many in a row.
    row: Option<(bool, u32)>,
    is_ready: bool,
    is_on_hold: bool,
}

impl Worker {
    pub(crate) fn new(kind: Kind, probe: Probe) -> Self {
        Self {
            kind,
            probe,
            started_at: 0,
            row: None,
            is_ready: false,
            is_on_hold: false,
        }
    }

    /// There is a new container: it is not ready until a probe says so.
    pub(crate) fn reset(&mut self, now: u32) {
        *self = Self {
            started_at: now,
            ..Self::new(self.kind, self.probe.clone())
        };
    }

    pub(crate) fn is_due(&self, now: u32) -> bool {
        let age = now - self.started_at;
        let is_due = age > 0 && age % self.probe.period == 0;
        is_due && age >= self.probe.initial_delay && !self.is_on_hold
    }

    /// What the probes conclude, if enough of them in a row agree with this one.
    pub(crate) fn count(&mut self, outcome: &Outcome) -> Option<bool> {
        let is_success = match outcome {
            Outcome::Success(_) | Outcome::Warning(_) => true,
            Outcome::Failure(_) => false,
            Outcome::Discarded => return None,
        };
        let in_a_row = match self.row {
            Some((same, before)) if same == is_success => before + 1,
            _ => 1,
        };
        self.row = Some((is_success, in_a_row));
        let threshold = match is_success {
            true => self.probe.successes,
            false => self.probe.failures,
        };
        if in_a_row < threshold {
            return None;
        }
        self.is_ready = is_success;
        Some(is_success)
    }

    /// The container is being killed: it is not asked again before there is a new one.
    pub(crate) fn hold(&mut self) {
        self.is_on_hold = true;
    }

    pub(crate) fn is_ready(&self) -> bool {
        self.kind == Kind::Readiness && self.is_ready
    }
}

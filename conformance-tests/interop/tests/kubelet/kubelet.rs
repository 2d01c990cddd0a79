//! A pod with one container, and the kubelet that probes, kills and restarts it.

use std::net::SocketAddr;

use crate::prober::Outcome;
use crate::worker::{Kind, Probe, Worker};

/// What a container runtime does with the program in a container.
pub(crate) trait Container {
    /// Starts the program, and returns the address that it listens on.
    fn start(&mut self) -> SocketAddr;
    /// SIGTERM.
    fn terminate(&mut self);
    /// SIGKILL.
    fn kill(&mut self);
    /// Lets a second pass. Whether the program still runs.
    fn pass_second(&mut self) -> bool;
}

/// The probes and the grace period of a manifest.
#[derive(Debug, Clone, Default)]
pub(crate) struct Spec {
    pub(crate) liveness: Option<Probe>,
    pub(crate) readiness: Option<Probe>,
    pub(crate) startup: Option<Probe>,
    pub(crate) termination_grace_period: u32,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Event {
    Started,
    Probed(Kind, Outcome),
    /// The pod was added to the endpoints of the service: it gets traffic.
    InEndpoints,
    OutOfEndpoints,
    /// The probe reached its failure threshold: SIGTERM, then a new container.
    Killed(Kind),
    /// The pod was deleted: SIGTERM, without a new container.
    Deleted,
    SigKill,
    Exited,
}

pub(crate) struct Kubelet<C> {
    pub(crate) container: C,
    workers: Vec<Worker>,
    termination_grace_period: u32,
    now: u32,
    address: Option<SocketAddr>,
    is_started: bool,
    is_deleted: bool,
    /// When SIGKILL follows SIGTERM.
    kill_at: Option<u32>,
    is_in_endpoints: bool,
    events: Vec<(u32, Event)>,
}

impl<C: Container> Kubelet<C> {
    pub(crate) fn run(spec: Spec, container: C) -> Self {
        let kinds = [
            (Kind::Startup, spec.startup),
            (Kind::Liveness, spec.liveness),
            (Kind::Readiness, spec.readiness),
        ];
        let workers =
            kinds.into_iter().filter_map(|(kind, probe)| Some(Worker::new(kind, probe?))).collect();
        let mut kubelet = Self {
            container,
            workers,
            termination_grace_period: spec.termination_grace_period,
            now: 0,
            address: None,
            is_started: false,
            is_deleted: false,
            kill_at: None,
            is_in_endpoints: false,
            events: Vec::new(),
        };
        kubelet.start();
        kubelet
    }

    pub(crate) fn pass(&mut self, seconds: u32) {
        for _ in 0..seconds {
            self.tick();
        }
    }

    /// Lets a second pass, and sends each probe that is due.
    fn tick(&mut self) {
        self.now += 1;
        if self.address.is_some() && !self.container.pass_second() {
            self.exited();
        }
        if self.kill_at == Some(self.now) {
            self.event(Event::SigKill);
            self.container.kill();
            self.exited();
        }
        for index in 0..self.workers.len() {
            self.probe(index);
        }
        self.publish();
    }

    /// Deletes the pod, as a rolling update does: it leaves the endpoints and gets SIGTERM at the same time.
    pub(crate) fn delete(&mut self) {
        self.is_deleted = true;
        self.event(Event::Deleted);
        self.publish();
        self.terminate();
    }

    fn start(&mut self) {
        self.address = Some(self.container.start());
        self.is_started = !self.has(Kind::Startup);
        for worker in &mut self.workers {
            worker.reset(self.now);
        }
        self.event(Event::Started);
        self.publish();
    }

    fn terminate(&mut self) {
        if self.kill_at.is_none() && self.is_running() {
            self.kill_at = Some(self.now + self.termination_grace_period);
            self.container.terminate();
        }
    }

    fn exited(&mut self) {
        self.address = None;
        self.kill_at = None;
        self.event(Event::Exited);
        self.publish();
        if !self.is_deleted {
            self.start();
        }
    }

    fn probe(&mut self, index: usize) {
        let worker = &mut self.workers[index];
        let kind = worker.kind;
        let is_active = match kind {
            // A deleted pod is not restarted: only its readiness is still probed.
            Kind::Startup => !self.is_started && !self.is_deleted,
            Kind::Liveness => self.is_started && !self.is_deleted,
            Kind::Readiness => self.is_started,
        };
        let Some(address) = self.address else { return };
        if !is_active || !worker.is_due(self.now) {
            return;
        }
        let outcome = worker.probe.send(address);
        self.events.push((self.now, Event::Probed(kind, outcome.clone())));
        match (kind, worker.count(&outcome)) {
            (Kind::Startup, Some(true)) => self.is_started = true,
            (Kind::Startup | Kind::Liveness, Some(false)) => {
                worker.hold();
                self.event(Event::Killed(kind));
                self.terminate();
            }
            _ => {}
        }
    }

    /// Adds the pod to the endpoints, or removes it.
    fn publish(&mut self) {
        let is_ready = !self.has(Kind::Readiness) || self.workers.iter().any(Worker::is_ready);
        let is_in = is_ready && self.is_started && self.is_running() && !self.is_deleted;
        if is_in != self.is_in_endpoints {
            self.is_in_endpoints = is_in;
            self.event(if is_in { Event::InEndpoints } else { Event::OutOfEndpoints });
        }
    }

    fn has(&self, kind: Kind) -> bool {
        self.workers.iter().any(|worker| worker.kind == kind)
    }

    fn event(&mut self, event: Event) {
        self.events.push((self.now, event));
    }

    /// Whether the program runs.
    pub(crate) fn is_running(&self) -> bool {
        self.address.is_some()
    }

    /// Whether the pod gets traffic.
    pub(crate) fn is_in_endpoints(&self) -> bool {
        self.is_in_endpoints
    }

    /// How often the container was killed because of a probe.
    pub(crate) fn kills(&self) -> usize {
        self.events.iter().filter(|(_, event)| matches!(event, Event::Killed(_))).count()
    }

    pub(crate) fn now(&self) -> u32 {
        self.now
    }

    /// The outcomes of the probes of one kind, the oldest first.
    pub(crate) fn outcomes(&self, kind: Kind) -> Vec<&Outcome> {
        self.events
            .iter()
            .filter_map(|(_, event)| match event {
                Event::Probed(probed, outcome) if *probed == kind => Some(outcome),
                _ => None,
            })
            .collect()
    }

    /// The events other than probes, each with its second.
    pub(crate) fn history(&self) -> Vec<(u32, Event)> {
        self.events
            .iter()
            .filter(|(_, event)| !matches!(event, Event::Probed(..)))
            .cloned()
            .collect()
    }
}

//! Start-up, switch and drain (H17 to H20), with room for one fault.

use std::sync::{Mutex, MutexGuard, PoisonError};

use health_conformance::{Check, Command, Setup};

use crate::fault::Fault;
use crate::view::View;

/// What an endpoint finds the server in; the gravest is the greatest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum State {
    Ok,
    /// OK, but for what is optional.
    Degraded,
    Failing,
    Starting,
    Maintenance,
    Draining,
}

/// What the server was told.
pub(crate) struct Told {
    fault: Option<Fault>,
    has_disablefile: bool,
    now: Mutex<Now>,
}

#[derive(Default)]
struct Now {
    is_asked: bool,
    is_draining: bool,
    /// Only with a fault: what the last request saw, and how often the drain was told.
    was_draining: bool,
    drains_told: usize,
    switch: i32,
    was_on: bool,
    /// Only with a fault: the file does not count.
    overrides_file: bool,
    latches: Vec<(String, Latch)>,
    /// In this order.
    dropped: Vec<String>,
    looks: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Latch {
    Held,
    Released,
    Dropped,
}

/// What holds whatever the checks say.
pub(crate) struct Found {
    pub(crate) state: State,
    /// Those of the latches that were dropped.
    pub(crate) results: Vec<Check>,
}

impl Told {
    pub(crate) fn new(fault: Option<Fault>, setup: &Setup) -> Self {
        let latches = setup.latches.iter();
        let now = Now {
            latches: latches.map(|name| (name.clone(), Latch::Held)).collect(),
            ..Now::default()
        };
        let disablefile = setup.settings.get("healthcheck.disablefile");
        Self {
            fault,
            has_disablefile: disablefile.is_none_or(|path| !path.is_empty()),
            now: Mutex::new(now),
        }
    }

    fn has(&self, fault: Fault) -> bool {
        self.fault == Some(fault)
    }

    fn now(&self) -> MutexGuard<'_, Now> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn apply(&self, command: &Command) {
        let mut now = self.now();
        match command {
            Command::Drain => {
                let is_lost = self.has(Fault::DrainNeedsARequest) && !now.is_asked;
                let ends = self.has(Fault::SecondDrainEndsIt) && now.is_draining;
                now.is_draining = !is_lost && !ends;
            }
            Command::SwitchOn => {
                let is_lost = self.has(Fault::SwitchNeedsARequest) && !now.is_asked;
                let counts = self.has(Fault::SwitchCounts);
                now.switch = if counts { now.switch + 1 } else { 1 };
                now.switch = if is_lost { 0 } else { now.switch };
            }
            Command::SwitchOff => {
                let counts = self.has(Fault::SwitchCounts);
                now.switch = if counts { now.switch - 1 } else { 0 };
                now.is_draining &= !self.has(Fault::SwitchEndsDrain);
                now.overrides_file = self.has(Fault::SwitchOverridesFile);
            }
            Command::Release(name) => {
                now.set(name, Latch::Released);
                now.is_draining &= !self.has(Fault::ReleaseEndsDrain);
            }
            Command::Drop(name) => {
                now.set(name, Latch::Dropped);
                now.dropped.push(name.clone());
            }
        }
    }

    /// What a request to this endpoint finds; `is_marked` tells whether the disablefile is there.
    pub(crate) fn found(&self, view: View<'_>, is_marked: impl Fn() -> bool) -> Option<Found> {
        let draining = self.is_draining_for_request();
        let maintenance = (view.shows(State::Maintenance) || self.has(Fault::IgnoredIsOk))
            .then(|| self.is_in_maintenance(view, is_marked));
        let start = self.start();
        let is_failed = start.as_ref().is_some_and(|it| it.state == State::Failing);
        let mut holding: Vec<State> = Vec::new();
        holding.extend(draining.then_some(State::Draining));
        holding.extend((maintenance == Some(true)).then_some(State::Maintenance));
        holding.extend(start.as_ref().map(|_| State::Starting));
        let gravest = holding.first().copied();
        let is_ignored = gravest.is_some_and(|gravest| !view.shows(gravest));
        if is_ignored && self.has(Fault::IgnoredIsOk) {
            return Some(Found {
                state: State::Ok,
                results: Vec::new(),
            });
        }
        let shows = |state: &State| {
            let kills = is_failed && self.has(Fault::DroppedKillsLiveness);
            view.shows(*state) || (kills && *state == State::Starting)
        };
        holding.retain(shows);
        let first = match self.fault {
            Some(Fault::MaintenanceOverDraining) => Some(State::Maintenance),
            Some(Fault::StartingOverDraining | Fault::StartingOverMaintenance) if !is_failed => {
                Some(State::Starting)
            }
            Some(Fault::DroppedBeatsMaintenance) if is_failed => Some(State::Starting),
            _ => None,
        };
        let is_pair = !self.has(Fault::StartingOverMaintenance) || !draining;
        let first = first.filter(|first| is_pair && holding.contains(first));
        match first.or(holding.first().copied())? {
            State::Starting => start,
            state => Some(Found {
                state,
                results: Vec::new(),
            }),
        }
    }

    fn is_draining_for_request(&self) -> bool {
        let mut now = self.now();
        now.is_asked = true;
        let (before, is_draining) = (now.was_draining, now.is_draining);
        now.was_draining = is_draining;
        now.drains_told += usize::from(is_draining);
        match self.fault {
            Some(Fault::DrainIgnored) => false,
            Some(Fault::DrainSeenLate) => before,
            Some(Fault::DrainToldToSome) => is_draining && now.drains_told <= 20,
            _ => is_draining,
        }
    }

    /// Whether a drain has begun since.
    pub(crate) fn is_draining(&self) -> bool {
        !self.has(Fault::RunOutlivesDrain) && self.now().is_draining
    }

    /// Only with a fault: something has ended the drain.
    pub(crate) fn end_drain(&self) {
        self.now().is_draining = false;
    }

    fn is_in_maintenance(&self, view: View<'_>, is_marked: impl Fn() -> bool) -> bool {
        let is_marked = is_marked();
        let mut now = self.now();
        if is_marked && self.has(Fault::MarkerEndsDrain) {
            now.is_draining = false;
        }
        let is_on = now.switch > 0;
        let was_on = std::mem::replace(&mut now.was_on, is_on);
        let is_on = match self.fault {
            Some(Fault::SwitchIgnored) => false,
            Some(Fault::SwitchNeedsDisablefile) => is_on && self.has_disablefile,
            Some(Fault::SwitchSeenLate) => was_on,
            Some(Fault::SwitchIsOfTheFirst) => is_on && !view.is_further(),
            _ => is_on,
        };
        match self.fault {
            Some(Fault::SwitchOverridesFile) if now.overrides_file => is_on,
            Some(Fault::EverySourceNeeded) if now.switch > 0 => is_marked,
            _ => is_marked || is_on,
        }
    }

    /// Whether the switch alone makes the maintenance.
    pub(crate) fn is_switched(&self) -> bool {
        self.now().switch > 0
    }

    /// The start, if it is not over.
    fn start(&self) -> Option<Found> {
        let mut now = self.now();
        now.looks += 1;
        let held = now.names(Latch::Held);
        let are_released = now.latches.iter().any(|(_, it)| *it == Latch::Released);
        let is_waived = match self.fault {
            Some(Fault::LatchesIgnored) => true,
            Some(Fault::ForgottenIsReady) => now.looks > 10,
            Some(Fault::OneLatchIsEnough) => are_released,
            Some(Fault::LastLatchCounts) => {
                now.latches.last().map(|(_, it)| *it) == Some(Latch::Released)
            }
            _ => false,
        };
        let dropped = match self.fault {
            Some(Fault::DroppedIsReady) => Vec::new(),
            Some(Fault::HeldHidesDropped) if !held.is_empty() => Vec::new(),
            Some(Fault::DroppedAsTheyCame) => now.dropped.clone(),
            _ => now.names(Latch::Dropped),
        };
        if !dropped.is_empty() && self.has(Fault::DroppedIsStarting) {
            return Some(Found {
                state: State::Starting,
                results: Vec::new(),
            });
        }
        if !dropped.is_empty() {
            let results = dropped.iter().map(|name| result(name)).collect();
            return Some(Found {
                state: State::Failing,
                results,
            });
        }
        (!held.is_empty() && !is_waived).then_some(Found {
            state: State::Starting,
            results: Vec::new(),
        })
    }

    /// The names in the record of a start that is not over.
    pub(crate) fn awaited(&self) -> Vec<String> {
        let now = self.now();
        match self.fault {
            Some(Fault::ReleasedLatchesNamed) => {
                now.latches.iter().map(|(name, _)| name.clone()).collect()
            }
            _ => now.names(Latch::Held),
        }
    }
}

impl Now {
    fn set(&mut self, name: &str, state: Latch) {
        for (latch, current) in &mut self.latches {
            if latch == name {
                *current = state;
            }
        }
    }

    fn names(&self, state: Latch) -> Vec<String> {
        let latches = self.latches.iter().filter(|(_, it)| *it == state);
        latches.map(|(name, _)| name.clone()).collect()
    }
}

fn result(latch: &str) -> Check {
    serde_json::from_value(serde_json::json!({
        "name": latch,
        "status": "ERROR",
        "message": "start-up latch dropped before its release",
    }))
    .unwrap()
}

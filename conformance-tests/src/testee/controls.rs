//! What a testee can be told while it runs.

use std::collections::BTreeMap;
use std::sync::Mutex;

use health_core::{Health, StartupLatch};

use super::lock;
use crate::scenario::command::Command;

/// The endpoints of a testee, and the latches that it holds.
pub(super) struct Controls {
    health: Health,
    latches: Mutex<BTreeMap<String, StartupLatch>>,
}

impl Controls {
    pub(super) fn new(health: Health, latches: BTreeMap<String, StartupLatch>) -> Self {
        let latches = Mutex::new(latches);
        Self { health, latches }
    }

    pub(super) fn health(&self) -> Health {
        self.health.clone()
    }

    /// Does what a command says; the next request sees it.
    ///
    /// # Errors
    ///
    /// There is no such latch, or it was released or dropped before.
    pub(super) fn apply(&self, command: &Command) -> Result<(), String> {
        let take = |name: &str| {
            let latch = lock(&self.latches).remove(name);
            latch.ok_or_else(|| format!("{command}: no latch {name:?} is held"))
        };
        match command {
            Command::Drain => self.health.drain(),
            Command::SwitchOn => self.health.maintenance_switch().turn_on(),
            Command::SwitchOff => self.health.maintenance_switch().turn_off(),
            Command::Release(name) => take(name)?.release(),
            Command::Drop(name) => drop(take(name)?),
        }
        Ok(())
    }
}

//! The endpoints that a setup describes, on the core.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::future::pending;
use std::sync::Mutex;
use std::time::Duration;

use futures::FutureExt as _;
use health_core::{
    BearerTokens, Drain, Health, HealthConfig, LogPolicy, Runtime as _, StartupLatch, ThreadRuntime,
};

use super::application::Application;
use super::endpoints::endpoint;
use super::peers::ScriptedPeers;
use super::{lock, scripted};
use crate::scenario::command::Command;
use crate::setup::{self, Setup};
use crate::target::journal::{Journal, Line};

/// The endpoints that a [`Setup`] describes, the latches that a testee holds, and its application.
pub struct Assembled {
    health: Health,
    latches: Mutex<BTreeMap<String, StartupLatch>>,
    peers: ScriptedPeers,
    /// Those of each endpoint that has some, by its path.
    tokens: BTreeMap<String, BearerTokens>,
    application: Application,
}

impl Assembled {
    /// Builds the endpoints of `setup`, with checks that write their starts to `journal`.
    ///
    /// # Errors
    ///
    /// The core refuses the setup.
    pub fn new(setup: &Setup, journal: &Journal) -> Result<Self, Box<dyn Error>> {
        let config = HealthConfig::from_pairs(&setup.settings)?;
        let mut builder = Health::builder().config(config);
        let peers = ScriptedPeers::default();
        let mut names = BTreeSet::new();
        for (index, check) in setup.checks.iter().enumerate() {
            let is_namesake = !names.insert(&check.name);
            builder = builder.register(scripted::check(check, index, is_namesake, journal, &peers));
        }
        let mut tokens = BTreeMap::new();
        for described in &setup.endpoints {
            if !described.tokens.is_empty() {
                tokens.insert(described.path.clone(), BearerTokens::new(&described.tokens)?);
            }
            builder = builder.endpoint(endpoint(described, setup, tokens.get(&described.path)));
        }
        let mut latches = BTreeMap::new();
        for name in &setup.latches {
            let latch = StartupLatch::new(name);
            builder = builder.latch(&latch);
            latches.insert(name.clone(), latch);
        }
        if setup.log == setup::LogPolicy::Change {
            builder = builder.log_policy(LogPolicy::on_change());
        }
        builder = builder
            .slow_share(setup.slow_percent.map_or(1.0, |percent| f64::from(percent) / 100.0));
        if let Some(drain) = setup.drain {
            // It outlasts any drain, so that none is said to be cut short.
            builder = builder.termination_grace_period(drain.longest() + Duration::from_secs(60));
        }
        let health = builder.build()?;
        if let Some(drain) = setup.drain {
            report_end(&health, drain, journal)?;
        }
        let application = Application::new(journal);
        Ok(Self { health, latches: Mutex::new(latches), peers, tokens, application })
    }

    /// What a testee serves beside the endpoints.
    pub fn application(&self) -> &Application {
        &self.application
    }

    /// The handle of the endpoints.
    pub fn health(&self) -> &Health {
        &self.health
    }

    /// Applies a command; the next request sees it.
    ///
    /// # Errors
    ///
    /// There is no such latch, or it was released, dropped or failed before; or there is no endpoint with tokens at the path.
    pub fn apply(&self, command: &Command) -> Result<(), String> {
        let take = |name: &str| {
            let latch = lock(&self.latches).remove(name);
            latch.ok_or_else(|| format!("{command}: no latch {name:?} is held"))
        };
        match command {
            Command::Drain => self.health.drain(),
            Command::Finish => self.application.finish_waiting(),
            Command::SwitchOn => self.health.maintenance_switch().turn_on(),
            Command::SwitchOff => self.health.maintenance_switch().turn_off(),
            Command::Release(name) => take(name)?.release(),
            Command::Drop(name) => drop(take(name)?),
            Command::Fail(name, message) => take(name)?.fail(message.as_str()),
            Command::Tokens(path, tokens) => {
                let known = self.tokens.get(path);
                let known = known.ok_or_else(|| format!("{command}: {path} has no tokens"))?;
                known.replace(tokens).map_err(|error| format!("{command}: {error}"))?;
            }
            Command::Peers(..) | Command::PeersNone(_) | Command::PeersFail(_) => {
                self.peers.apply(command);
            }
        }
        Ok(())
    }
}

/// Writes to `journal` when a drain has ended, and when its time is over. Meanwhile, and afterwards, the testee serves.
fn report_end(
    health: &Health,
    drain: setup::Drain,
    journal: &Journal,
) -> Result<(), Box<dyn Error>> {
    let report = |line: Line| {
        let journal = journal.clone();
        move |()| journal.record(line)
    };
    let mut lasts = Drain::at_least(drain.at_least);
    if let Some(threshold) = drain.failure_threshold {
        lasts = lasts.failure_threshold(threshold);
    }
    if let Some(at_most) = drain.at_most {
        lasts = lasts.at_most(at_most)?;
        ThreadRuntime.spawn(Box::pin(health.drain_deadline().map(report(Line::Deadline))));
    }
    let drained = health.drain_when(pending::<()>(), lasts);
    ThreadRuntime.spawn(Box::pin(drained.map(report(Line::Drained))));
    Ok(())
}

//! Peers that commands make up.

use std::collections::BTreeMap;
use std::error::Error;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use health_core::{OwnView, PeerView, Peers};

use super::lock;
use crate::scenario::command::Command;
use crate::target::journal::{Journal, Line};

/// What the peers say. Clones share it.
#[derive(Clone, Default)]
pub(super) struct ScriptedPeers(Arc<Mutex<Script>>);

#[derive(Default)]
struct Script {
    /// How many peers reach the dependency of each check, and how many have an opinion.
    views: BTreeMap<String, (u32, u32)>,
    error: Option<String>,
}

impl ScriptedPeers {
    /// From the next exchange on, the peers say what `command` says. It is a command for them.
    pub(super) fn apply(&self, command: &Command) {
        let mut script = lock(&self.0);
        script.error = None;
        match command {
            Command::Peers(name, reaching, of) => {
                script.views.insert(name.clone(), (*reaching, *of));
            }
            Command::PeersNone(name) => {
                script.views.remove(name);
            }
            Command::PeersFail(message) => script.error = Some(message.clone()),
            _ => {}
        }
    }

    /// Peers of a check that writes its starts to `journal`.
    pub(super) fn meeting(&self, name: &str, journal: &Journal) -> impl Peers + use<> {
        Meeting { peers: self.clone(), name: name.to_owned(), journal: journal.clone() }
    }
}

struct Meeting {
    peers: ScriptedPeers,
    name: String,
    journal: Journal,
}

#[async_trait]
impl Peers for Meeting {
    async fn exchange(&self, _: &[OwnView]) -> Result<Vec<PeerView>, Box<dyn Error + Send + Sync>> {
        self.journal.record(Line::Check(self.name.clone()));
        let script = lock(&self.peers.0);
        if let Some(error) = &script.error {
            return Err(error.clone().into());
        }
        let view =
            |(name, (reaching, of)): (&String, &(u32, u32))| PeerView::new(name, *reaching, *of);
        Ok(script.views.iter().map(view).collect())
    }
}

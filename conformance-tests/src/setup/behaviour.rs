//! The behavior of a check before it reports.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// The behavior of a check before it reports.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Behaviour {
    /// `report`: nothing.
    #[default]
    Report,
    /// `slow:MS`: sleeps without blocking its thread.
    Slow(Duration),
    /// `panic`, `panic:call`, `panic:drop`, `panic:payload`: panics, and never reports.
    Panic(Place),
    /// `hang`: never ends, without blocking its thread.
    Hang,
    /// `block:MS`: blocks its thread.
    Block(Duration),
    /// `peers`: exchanges views with peers, which commands make up (H24). It reports nothing itself.
    Peers,
}

/// Where a check panics, if the language has several places for it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// `panic`: while it runs.
    #[default]
    Run,
    /// `panic:call`: in the call that creates its future.
    Call,
    /// `panic:drop`: when its future is dropped.
    Drop,
    /// `panic:payload`: while it runs, and again when the payload of the panic is dropped.
    Payload,
}

impl Behaviour {
    /// Whether it is one of the panics.
    pub(crate) fn is_panic(self) -> bool {
        matches!(self, Self::Panic(_))
    }

    /// Whether it takes longer than `timeout`.
    pub(crate) fn outlives(self, timeout: Duration) -> bool {
        match self {
            Self::Hang => true,
            Self::Slow(time) | Self::Block(time) => time >= timeout,
            Self::Report | Self::Panic(_) | Self::Peers => false,
        }
    }
}

impl From<Behaviour> for String {
    fn from(behaviour: Behaviour) -> Self {
        match behaviour {
            Behaviour::Report => "report".to_owned(),
            Behaviour::Slow(time) => format!("slow:{}", time.as_millis()),
            Behaviour::Panic(Place::Run) => "panic".to_owned(),
            Behaviour::Panic(Place::Call) => "panic:call".to_owned(),
            Behaviour::Panic(Place::Drop) => "panic:drop".to_owned(),
            Behaviour::Panic(Place::Payload) => "panic:payload".to_owned(),
            Behaviour::Hang => "hang".to_owned(),
            Behaviour::Block(time) => format!("block:{}", time.as_millis()),
            Behaviour::Peers => "peers".to_owned(),
        }
    }
}

impl TryFrom<String> for Behaviour {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let (word, argument) = match text.split_once(':') {
            Some((word, argument)) => (word, Some(argument)),
            None => (text.as_str(), None),
        };
        let time = argument.and_then(|time| time.parse().ok().map(Duration::from_millis));
        match (word, argument, time) {
            ("report", None, _) => Ok(Self::Report),
            ("slow", _, Some(time)) => Ok(Self::Slow(time)),
            ("panic", None, _) => Ok(Self::Panic(Place::Run)),
            ("panic", Some("call"), _) => Ok(Self::Panic(Place::Call)),
            ("panic", Some("drop"), _) => Ok(Self::Panic(Place::Drop)),
            ("panic", Some("payload"), _) => Ok(Self::Panic(Place::Payload)),
            ("hang", None, _) => Ok(Self::Hang),
            ("block", _, Some(time)) => Ok(Self::Block(time)),
            ("peers", None, _) => Ok(Self::Peers),
            _ => Err(format!(
                "behaviour {text:?} is not one of report, slow:MS, panic, panic:call, panic:drop, \
                 panic:payload, hang, block:MS, peers"
            )),
        }
    }
}

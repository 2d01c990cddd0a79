//! How the suite starts a server.

pub(crate) mod journal;
pub(crate) mod program;
pub(crate) mod running;

use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

use self::journal::Journal;
use crate::client::{ExchangeError, Request, exchange};
use crate::scenario::Scenario;
use crate::scenario::capability::Lacks;
use crate::scenario::command::Command;
use crate::setup::Setup;

/// Something that can start the server under test.
///
/// For a program in any language there is [`Program`](crate::Program), for one that runs already
/// [`RunningServer`](crate::RunningServer), for a Rust server built on `health-core` the module
/// `testee`. Implement it for any other server that can be started from Rust.
pub trait Harness: Sync {
    /// Starts a server for `setup` on a free port of 127.0.0.1, which writes its log records and
    /// starts of checks to `journal`.
    ///
    /// # Errors
    ///
    /// [`StartError::Refused`] when the server rejects its settings, as H11 wants for bad ones;
    /// [`StartError::Failed`] for everything else.
    fn start(&self, setup: &Setup, journal: &Journal) -> Result<Server, StartError>;

    /// How long after an answer its lines may still come. Default: no time, for a server that writes
    /// them before it answers.
    fn patience(&self) -> Duration {
        Duration::ZERO
    }

    /// What none of its servers can show, each with the reason. Default: nothing.
    fn lacks(&self) -> Lacks {
        Lacks::new()
    }

    /// The scenario as it can be played on a server of this harness. Default: as it is.
    ///
    /// # Errors
    ///
    /// Why it cannot: it is skipped for this reason.
    fn fit(&self, scenario: &Scenario) -> Result<Scenario, String> {
        Ok(scenario.clone())
    }
}

/// Tells how a server has ended, if it has.
type Ending = Box<dyn Fn() -> Option<String> + Send>;

/// Has a server do as it is told.
type Apply = Box<dyn Fn(&Command) -> Result<(), String> + Send>;

/// A server that runs until it is dropped.
pub struct Server {
    address: SocketAddr,
    ending: Option<Ending>,
    apply: Option<Apply>,
    stop: Option<Box<dyn FnOnce() + Send>>,
}

impl Server {
    /// A server that listens at `address` and ends when `stop` is called.
    pub fn new(address: SocketAddr, stop: impl FnOnce() + Send + 'static) -> Self {
        Self { address, ending: None, apply: None, stop: Some(Box::new(stop)) }
    }

    /// The same, of which `ending` tells how it has ended, if it has: a report says so where an answer
    /// does not come.
    #[must_use]
    pub fn with_ending(mut self, ending: impl Fn() -> Option<String> + Send + 'static) -> Self {
        self.ending = Some(Box::new(ending));
        self
    }

    /// The same, which takes commands. `apply` returns once a command took effect: the next request has to see it.
    /// Without it, scenarios with commands are skipped.
    #[must_use]
    pub fn with_commands(
        mut self,
        apply: impl Fn(&Command) -> Result<(), String> + Send + 'static,
    ) -> Self {
        self.apply = Some(Box::new(apply));
        self
    }

    /// Whether it takes commands.
    pub(crate) fn takes_commands(&self) -> bool {
        self.apply.is_some()
    }

    /// Has it do as it is told, or says why it does not.
    pub(crate) fn command(&self, command: &Command) -> Result<(), String> {
        match &self.apply {
            Some(apply) => apply(command),
            None => Err("it takes no commands".to_owned()),
        }
    }

    /// How it has ended, if it has.
    pub(crate) fn ending(&self) -> Option<String> {
        self.ending.as_ref().and_then(|ending| ending())
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            stop();
        }
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("address", &self.address).finish_non_exhaustive()
    }
}

/// Why a server did not start.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StartError {
    /// It rejected its settings, with this message.
    #[error("refused its settings: {0}")]
    Refused(String),
    /// It could not be run.
    #[error("{0}")]
    Failed(String),
}

/// Starts a server with the default settings, and asks it for `/health` once: whether the suite can be run at
/// all. The answer may be any; `limit` is how long it may take.
///
/// # Errors
///
/// The server does not start, or does not answer in HTTP.
pub fn try_out(harness: &dyn Harness, limit: Duration) -> Result<(), TryOutError> {
    let server = harness.start(&Setup::default(), &Journal::in_memory())?;
    let request = Request {
        is_head: false,
        asks_to_close: true,
        bytes: b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".to_vec(),
    };
    exchange(server.address(), &request, limit)?;
    Ok(())
}

/// Why the suite cannot be run.
#[derive(Debug, thiserror::Error)]
pub enum TryOutError {
    /// There is no server.
    #[error("the server does not start with the default settings: {0}")]
    Start(#[from] StartError),
    /// There is no answer.
    #[error("the server does not answer GET /health: {0}")]
    Answer(#[from] ExchangeError),
}

//! Starts servers.

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

/// Starts the server under test.
///
/// [`Program`](crate::Program) starts a program in any language, [`RunningServer`](crate::RunningServer) uses a running
/// server, and the module `testee` starts Rust servers that use `health-core`. Implement the trait for any other server
/// that can be started from Rust.
pub trait Harness: Sync {
    /// Starts a server for `setup` on a free port of 127.0.0.1. The server writes its log records and the starts of its
    /// checks to `journal`.
    ///
    /// # Errors
    ///
    /// [`StartError::Refused`] if the server rejects its settings (H11), otherwise [`StartError::Failed`].
    fn start(&self, setup: &Setup, journal: &Journal) -> Result<Server, StartError>;

    /// How long after a response its lines may still arrive. Default: zero, for a server that writes them before it
    /// responds.
    fn patience(&self) -> Duration {
        Duration::ZERO
    }

    /// Capabilities that its servers lack, each with the reason. Default: none.
    fn lacks(&self) -> Lacks {
        Lacks::new()
    }

    /// Adapts a scenario to the servers of this harness. Default: unchanged.
    ///
    /// # Errors
    ///
    /// The reason why the scenario is skipped.
    fn fit(&self, scenario: &Scenario) -> Result<Scenario, String> {
        Ok(scenario.clone())
    }
}

/// Returns how a server has ended, if it has.
type Ending = Box<dyn Fn() -> Option<String> + Send>;

/// Applies a command to a server.
type Apply = Box<dyn Fn(&Command) -> Result<(), String> + Send>;

/// A server that runs until it is dropped.
pub struct Server {
    address: SocketAddr,
    ending: Option<Ending>,
    apply: Option<Apply>,
    stop: Option<Box<dyn FnOnce() + Send>>,
}

impl Server {
    /// A server that listens on `address` and ends when `stop` is called.
    pub fn new(address: SocketAddr, stop: impl FnOnce() + Send + 'static) -> Self {
        Self { address, ending: None, apply: None, stop: Some(Box::new(stop)) }
    }

    /// Sets a function that returns how the server has ended, if it has. A report shows it if a response is missing.
    #[must_use]
    pub fn with_ending(mut self, ending: impl Fn() -> Option<String> + Send + 'static) -> Self {
        self.ending = Some(Box::new(ending));
        self
    }

    /// Sets a function that applies commands. It must return after the command took effect, so that the next request sees it.
    /// Without it, scenarios with commands are skipped.
    #[must_use]
    pub fn with_commands(
        mut self,
        apply: impl Fn(&Command) -> Result<(), String> + Send + 'static,
    ) -> Self {
        self.apply = Some(Box::new(apply));
        self
    }

    /// Whether it accepts commands.
    pub(crate) fn takes_commands(&self) -> bool {
        self.apply.is_some()
    }

    /// Applies a command.
    ///
    /// # Errors
    ///
    /// The reason why the server did not apply it.
    pub(crate) fn command(&self, command: &Command) -> Result<(), String> {
        match &self.apply {
            Some(apply) => apply(command),
            None => Err("it accepts no commands".to_owned()),
        }
    }

    /// How the server has ended, if it has.
    pub(crate) fn ending(&self) -> Option<String> {
        self.ending.as_ref().and_then(|ending| ending())
    }

    /// The address on which it listens.
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
    /// The server rejected its settings with this message.
    #[error("rejected its settings: {0}")]
    Refused(String),
    /// The server could not be started.
    #[error("{0}")]
    Failed(String),
}

/// Starts a server with the default settings and sends one request to `/health`, to find out whether the suite can run.
/// Any response within `limit` is accepted.
///
/// # Errors
///
/// The server does not start, or does not respond in HTTP.
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

/// Why the suite cannot run.
#[derive(Debug, thiserror::Error)]
pub enum TryOutError {
    /// The server did not start.
    #[error("the server does not start with the default settings: {0}")]
    Start(#[from] StartError),
    /// There is no response.
    #[error("the server does not respond to GET /health: {0}")]
    Answer(#[from] ExchangeError),
}

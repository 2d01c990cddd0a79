//! How the suite starts a server.

use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

use crate::given::Given;
use crate::journal::Journal;

/// Something that can start the server under test.
///
/// For a program in any language there is [`Program`](crate::Program); for a Rust server built on
/// `health-core`, `testee::InProcess`. Implement it for any other server that can be started from Rust.
pub trait Harness: Sync {
    /// Starts a server for `given` on a free port of 127.0.0.1, which writes its log records and
    /// starts of checks to `journal`.
    ///
    /// # Errors
    ///
    /// [`StartError::Refused`] when the server rejects its settings, as H11 wants for bad ones;
    /// [`StartError::Failed`] for everything else.
    fn start(&self, given: &Given, journal: &Journal) -> Result<Server, StartError>;

    /// How long after an answer its lines may still come. Default: no time, for a server that writes
    /// them before it answers.
    fn patience(&self) -> Duration {
        Duration::ZERO
    }
}

/// A server that runs until it is dropped.
pub struct Server {
    address: SocketAddr,
    stop: Option<Box<dyn FnOnce() + Send>>,
}

impl Server {
    /// A server that listens at `address` and ends when `stop` is called.
    pub fn new(address: SocketAddr, stop: impl FnOnce() + Send + 'static) -> Self {
        Self {
            address,
            stop: Some(Box::new(stop)),
        }
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
        f.debug_struct("Server")
            .field("address", &self.address)
            .finish_non_exhaustive()
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

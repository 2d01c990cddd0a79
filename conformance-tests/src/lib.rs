//! Proves that a health endpoint answers, to the byte, as the contract of this project says.
//!
//! This crate tests from outside: it sends requests over real sockets and compares what comes back. It
//! looks into no server, and knows none; without its feature `testee` it does not even depend on
//! `health-core`. It is three things:
//!
//! - scenarios, as data: [`Suite::builtin`], with the format in [`mod@scenario`];
//! - a command line, `health-conformance run --cmd 'PROGRAM ARGS'`, for a server in any language that
//!   speaks the testee protocol of `docs/contract.md`;
//! - a library: [`Suite::run`] over a [`Harness`], or, for servers built on `health-core`, the module
//!   `testee` behind the feature of that name.

mod capability;
mod client;
mod client_behaviour;
mod command;
mod explain;
mod finding;
mod harness;
mod history;
mod journal;
mod judge;
mod known;
mod marker;
mod matrix;
mod mounted;
pub mod neighbours;
mod options;
mod program;
mod report;
mod rule;
mod runner;
mod running;
pub mod scenario;
mod session;
mod setup;
mod template;
#[cfg(feature = "testee")]
pub mod testee;

pub use crate::capability::{Capability, Lacks};
pub use crate::client::ExchangeError;
pub use crate::command::Command;
pub use crate::harness::{Harness, Server, StartError, TryOutError, try_out};
pub use crate::journal::{Journal, Line};
pub use crate::known::{KnownError, KnownFailures};
pub use crate::matrix::{Matrix, MatrixError};
pub use crate::options::{Interrupt, Options};
pub use crate::program::Program;
pub use crate::report::{Report, ReportError};
pub use crate::rule::Rule;
pub use crate::running::{RunningError, RunningServer};
pub use crate::scenario::{Level, LoadError, Scenario, Suite};
pub use crate::setup::{
    Behaviour, Check, Endpoint, Execution, LogPolicy, Place, Preset, RunChecks, Setup,
};

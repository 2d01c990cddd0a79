#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod client;
mod judge;
mod options;
mod report;
mod runner;
pub mod scenario;
mod setup;
mod target;
#[cfg(feature = "testee")]
pub mod testee;

pub use crate::client::{ExchangeError, neighbours};
pub use crate::judge::known::{KnownError, KnownFailures};
pub use crate::options::{Interrupt, Options};
pub use crate::report::matrix::{Matrix, MatrixError};
pub use crate::report::{Report, ReportError};
pub use crate::scenario::capability::{Capability, Lacks};
pub use crate::scenario::command::Command;
pub use crate::scenario::rule::Rule;
pub use crate::scenario::{Level, LoadError, Scenario, Suite};
pub use crate::setup::{
    Behaviour, Check, DetailLevel, Drain, Endpoint, Execution, LogPolicy, Number, Place, Preset,
    RunChecks, Setup, Unit, Value,
};
pub use crate::target::journal::{Journal, Line};
pub use crate::target::program::Program;
pub use crate::target::running::{RunningError, RunningServer};
pub use crate::target::{Harness, Server, StartError, TryOutError, try_out};

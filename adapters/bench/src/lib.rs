//! What the benchmark programs share. Each serves `/health` on one framework, either by this project's adapter or by a
//! handler written by hand for that framework. Both do the same work: one stat of the disablefile, the same headers.
//!
//! `adapters/bench/run` starts the programs and measures them.

use std::fs;
use std::net::SocketAddr;

use health_core::{BuildError, Health, HealthConfig};

const DISABLEFILE: &str = "/run/health-bench-maintenance";

/// Which of the two handlers a program serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Handler {
    /// The adapter's.
    Adapter,
    /// The one written by hand.
    Handwritten,
}

impl Handler {
    /// The handler that the program's only argument names: `adapter` or `handwritten`.
    ///
    /// # Errors
    ///
    /// Any other argument, or none.
    pub fn from_arguments() -> Result<Self, &'static str> {
        let mut arguments = std::env::args().skip(1);
        match (arguments.next().as_deref(), arguments.next()) {
            (Some("adapter"), None) => Ok(Self::Adapter),
            (Some("handwritten"), None) => Ok(Self::Handwritten),
            _ => Err("the only argument is `adapter` or `handwritten`"),
        }
    }
}

/// The endpoint that every adapter serves: `/health`, without checks.
///
/// # Errors
///
/// None: the configuration is valid.
pub fn health() -> Result<Health, BuildError> {
    let config = HealthConfig::default().with_disablefile(DISABLEFILE);
    Health::builder().config(config).build()
}

/// Whether the disablefile exists, as a handler written by hand asks.
pub fn is_in_maintenance() -> bool {
    fs::metadata(DISABLEFILE).is_ok()
}

/// Prints the URL that the program serves.
pub fn announce(address: SocketAddr) {
    println!("READY http://{address}/health");
}

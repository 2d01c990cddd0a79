//! What the benchmark programs share. Each serves `/health` on one framework, either by this project's adapter or by a
//! handler written by hand for that framework. Both do the same work: one stat of the disablefile, the same headers. A
//! program can also serve a page of an application, at `/`, which responds `OK`: as it is, covered by the adapter, or
//! on the adapter's own server.
//!
//! `adapters/bench/run` starts the programs and measures them.

use std::fs;
use std::net::SocketAddr;

use health_core::{BuildError, Health, HealthConfig};

const DISABLEFILE: &str = "/run/health-bench-maintenance";

/// What a program serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Handler {
    /// The adapter's endpoint.
    Adapter,
    /// The one written by hand.
    Handwritten,
    /// A page of an application.
    App,
    /// The same page, on a server written by hand that does what a server in production has to.
    AppHandwritten,
    /// The same page, covered by the adapter.
    AppCovered,
    /// The same page, on the server of the adapter.
    AppServed,
}

impl Handler {
    const NAMES: [(&'static str, Self); 6] = [
        ("adapter", Self::Adapter),
        ("handwritten", Self::Handwritten),
        ("app", Self::App),
        ("app-handwritten", Self::AppHandwritten),
        ("app-covered", Self::AppCovered),
        ("app-served", Self::AppServed),
    ];

    /// The handler that the program's only argument names.
    ///
    /// # Errors
    ///
    /// Any other argument, or none.
    pub fn from_arguments() -> Result<Self, String> {
        let arguments: Vec<_> = std::env::args().skip(1).collect();
        let named = |name: &str| arguments.len() == 1 && arguments[0] == name;
        let handler = Self::NAMES.into_iter().find(|(name, _)| named(name));
        let names = Self::NAMES.map(|(name, _)| name).join(", ");
        handler.map(|(_, handler)| handler).ok_or(format!("the only argument is one of {names}"))
    }

    /// The error of a program that does not serve this.
    pub fn unsupported(self) -> String {
        format!("{self:?} is not measured on this framework")
    }

    /// Prints the URL that the program serves.
    pub fn announce(self, address: SocketAddr) {
        let path = match self {
            Self::Adapter | Self::Handwritten => "/health",
            Self::App | Self::AppHandwritten | Self::AppCovered | Self::AppServed => "/",
        };
        println!("READY http://{address}{path}");
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

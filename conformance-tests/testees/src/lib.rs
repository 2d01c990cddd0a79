//! Servers with each adapter of this project: the conformance suite tests them, as programs
//! (`examples/`) and in the tests of the adapters, which share them.

#[cfg(feature = "actix-web")]
pub mod actix_web;
#[cfg(feature = "axum")]
pub mod axum;
#[cfg(feature = "blocked")]
pub mod blocked;
mod client;
#[cfg(feature = "covered")]
pub mod covered;
#[cfg(feature = "hyper")]
pub mod hyper;
#[cfg(feature = "poem")]
pub mod poem;
#[cfg(feature = "rocket")]
pub mod rocket;
#[cfg(unix)]
pub mod shutdown;
#[cfg(feature = "covered")]
pub mod stop;
#[cfg(feature = "warp")]
pub mod warp;

pub use self::client::ask;

/// What a server without an application lacks, as known failures.
pub const NO_APPLICATION: &str = r#"
[[lacks]]
capability = "application"
reason = "it only serves the endpoints"
"#;

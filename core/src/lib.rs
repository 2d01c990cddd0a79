//! Decides what `GET /health` answers.
//!
//! This crate opens no socket, spawns no task, starts no thread and knows no web framework. It is
//! handed a query string and hands back a status, headers, a body and a log record; the adapters
//! `health-axum`, `health-actix-web`, `health-warp` and `health-rocket` carry them to the wire, and so
//! can you. Its only I/O is one stat of the maintenance marker for each request.
//!
//! | the application | status | body |
//! |---|---|---|
//! | is healthy | `200 OK` | `OK` |
//! | is in maintenance: the marker file exists | `299 MAINTENANCE` | `MAINTENANCE` |
//! | was asked for its checks (`?checks=all`), and one failed | `503 Service Unavailable` | `ERROR` |
//!
//! ```
//! use health_core::Health;
//!
//! let health = Health::builder()
//!     .check("queue", || async { Err("87 jobs behind") })
//!     .build()?;
//!
//! # futures::executor::block_on(async {
//! assert_eq!(health.respond("").await.status(), 200);
//! assert_eq!(health.respond("checks=all").await.status(), 503);
//! # });
//! # Ok::<(), health_core::BuildError>(())
//! ```
//!
//! The rules `H1` to `H12` that the documentation cites are those of the project's contract,
//! `docs/contract.md`.
//!
//! # Features
//!
//! - `serde` (off by default): [`HealthConfig`] can be read from a self-describing serde format, such as
//!   TOML, JSON or YAML.

mod check;
mod config;
mod decision;
mod dispatch;
mod event;
mod guard;
mod health;
mod log;
mod maintenance;
mod request;
mod response;
mod text;

/// The attribute for implementations of [`HealthSubscriber`].
pub use async_trait::async_trait;

pub use crate::check::HealthSubscriber;
pub use crate::config::{ConfigError, ConfigRule, HealthConfig};
pub use crate::event::{HealthCheckEvent, Report, Status};
pub use crate::health::{Answer, BuildError, Health, HealthBuilder};
pub use crate::log::{LOG_TARGET, LogLevel, LogRecord};
pub use crate::request::path_and_query;
pub use crate::response::HealthResponse;
pub use crate::text::TEXT_LIMIT;

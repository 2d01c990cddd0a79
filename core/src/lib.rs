//! Decides how `GET /health` responds.
//!
//! This crate opens no socket, requires no runtime and knows no web framework. It takes the query string of a request,
//! and returns a status, headers, a body and log records. The adapters `health-axum`, `health-actix-web`,
//! `health-warp`, `health-rocket`, `health-poem` and `health-hyper` connect it to a framework; each of them re-exports
//! this crate. Its only I/O is one `stat` of the disablefile per request.
//!
//! | the application | status | body |
//! |---|---|---|
//! | is healthy | `200 OK` | `OK` |
//! | is in maintenance: the disablefile exists | `299 MAINTENANCE` | `MAINTENANCE` |
//! | fails a check, and the request asks for checks (`?checks=all`) | `503 Service Unavailable` | `ERROR` |
//!
//! `/health?checks=all` always responds in time. A check that exceeds its timeout or panics is reported as an error and
//! does not affect the others; a check that blocks its thread never blocks a server thread. Concurrent requests share
//! one run. A request without checks does not wait for any.
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
//! `H1` to `H21` are the rules of the project's contract, `docs/contract.md`.
//!
//! # Features
//!
//! - `serde` (off by default): [`HealthConfig`] can be read from a self-describing serde format, such as
//!   TOML, JSON or YAML.
//! - `tokio` (off by default; the adapters switch it on): checks find the application's tokio runtime, for what talks through
//!   tokio.
//! - `signal` (off by default, Unix): `Signals`, SIGTERM and SIGINT for [`Health::drain_when`].

mod application;
mod check;
mod config;
mod decision;
mod endpoint;
mod error;
mod health;
mod lifecycle;
mod log;
mod maintenance;
mod run;
mod runtime;
mod state;
mod text;

/// The attribute for implementations of [`HealthSubscriber`].
pub use async_trait::async_trait;
/// The status code of an [`Endpoint`]'s response.
pub use http::StatusCode;

pub use crate::application::Answer;
pub use crate::check::{Check, HealthCheckEvent, HealthSubscriber, Report, Status};
pub use crate::config::{ConfigError, ConfigRule, HealthConfig};
pub use crate::decision::Verdict;
pub use crate::endpoint::{Endpoint, HealthResponse, RunChecks, path_and_query};
pub use crate::error::BuildError;
pub use crate::health::{EndpointHandle, Endpoints, Health, HealthBuilder};
#[cfg(all(feature = "signal", unix))]
pub use crate::lifecycle::Signals;
pub use crate::lifecycle::{DrainSignal, FutureSignal, StartupLatch, StreamSignal};
pub use crate::log::{LOG_TARGET, LogLevel, LogPolicy, LogRecord};
pub use crate::maintenance::{MaintenanceSource, MaintenanceSwitch};

pub use crate::run::{CheckFinished, HealthObserver, Notification, VerdictChanged};
pub use crate::runtime::{Runtime, Task, ThreadRuntime};
pub use crate::state::{Body, State};
pub use crate::text::{MAX_MESSAGE_LEN, UnknownName};

#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod alive;
mod check;
mod config;
mod decision;
#[cfg(feature = "details")]
mod details;
mod endpoint;
mod error;
mod flow;
mod health;
mod lifecycle;
mod log;
mod maintenance;
mod run;
mod runtime;
mod state;
#[cfg(all(feature = "systemd", unix))]
mod systemd;
mod text;

#[cfg(doc)]
#[doc = include_str!("../contract.md")]
pub mod contract {}

/// The attribute for implementations of [`HealthSubscriber`] and [`Peers`].
pub use async_trait::async_trait;
/// The status code of an [`Endpoint`]'s response.
pub use http::StatusCode;

pub use crate::check::{
    BusyGuard, Check, CheckInfo, CheckResult, Criticality, HealthCheckEvent, HealthSubscriber,
    Heartbeat, IntoCheckResult, OwnView, PeerView, Peers, Report, Status, Unit, Value,
};
pub use crate::config::{ConfigError, ConfigRule, HealthConfig};
pub use crate::decision::Verdict;
#[cfg(feature = "details")]
pub use crate::details::{BearerTokens, DetailLevel, TokenError};
pub use crate::endpoint::{
    Endpoint, HealthRequest, HealthResponse, Purpose, RunChecks, path_and_query,
};
pub use crate::error::BuildError;
pub use crate::flow::{Answer, Watch};
pub use crate::health::{
    ActiveRequest, Ended, EndpointHandle, Endpoints, Health, HealthBuilder, ServerOutput,
};
#[cfg(all(feature = "signal", feature = "tokio", windows))]
pub use crate::lifecycle::Signals;
#[cfg(all(feature = "socket", unix))]
pub use crate::lifecycle::refuse_connections;
pub use crate::lifecycle::{
    Drain, DrainError, DrainMoment, DrainSignal, FutureSignal, StartupLatch, StreamSignal,
};
pub use crate::lifecycle::{FIRST_REQUEST, with_stop};
#[cfg(all(feature = "signal", unix))]
pub use crate::lifecycle::{Signal, Signals};
pub use crate::log::{LOG_TARGET, LogEvent, LogLevel, LogPolicy, LogRecord};
pub use crate::maintenance::{MaintenanceSource, MaintenanceSwitch};

pub use crate::run::{CheckFinished, HealthObserver, Notification, StateChanged, VerdictChanged};
#[cfg(feature = "tokio")]
pub use crate::runtime::tokio::this_thread_serves_only_health;
pub use crate::runtime::{Runtime, Task, ThreadRuntime};
pub use crate::state::{Body, State};
#[cfg(all(feature = "systemd", unix))]
pub use crate::systemd::{Systemd, SystemdError};
pub use crate::text::{MAX_MESSAGE_LEN, UnknownName};

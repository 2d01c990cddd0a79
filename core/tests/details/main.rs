//! What an endpoint shows of its checks, in virtual time.

#![expect(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

#[cfg(feature = "metrics-facade")]
mod facade;
mod golden;
mod hostile;
mod json;
mod leaks;
mod levels;
#[cfg(feature = "metrics")]
mod metrics;
#[cfg(feature = "page")]
mod page;
mod scenes;
mod schemas;
mod service;

//! What is known about a pool without asking it for a connection.

use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use health_core::{CheckResult, Unit};

/// The counters of a pool at one moment. Those that contradict each other are no error: a pool changes while it is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PoolCounters {
    size: u64,
    idle: u64,
    max: u64,
    returned: Option<u64>,
    is_closed: bool,
}

impl PoolCounters {
    /// `size` is the number of connections that are open or being opened, `idle` how many of them wait for a user, and
    /// `max` the largest `size` that the pool allows. An `idle` above `size` counts as `size`.
    pub fn new(size: u64, idle: u64, max: u64) -> Self {
        Self { size, idle: idle.min(size), max, returned: None, is_closed: false }
    }

    /// How many connections were returned so far, or handed out: a number that grows as long as the pool works. Without it,
    /// a pool is never reported as stuck.
    pub fn returned(mut self, total: u64) -> Self {
        self.returned = Some(total);
        self
    }

    /// Whether the pool was closed. Default: it was not.
    pub fn closed(mut self, is_closed: bool) -> Self {
        self.is_closed = is_closed;
        self
    }

    pub(super) fn or_returned(mut self, total: impl FnOnce() -> Option<u64>) -> Self {
        self.returned = self.returned.or_else(total);
        self
    }

    pub(super) fn is_closed(&self) -> bool {
        self.is_closed
    }

    pub(super) fn is_empty(&self) -> bool {
        self.size == 0
    }

    pub(super) fn is_full(&self) -> bool {
        !self.has_idle() && self.size >= self.max
    }

    pub(super) fn has_idle(&self) -> bool {
        self.idle > 0
    }

    pub(super) fn max(&self) -> u64 {
        self.max
    }

    pub(super) fn total_returned(&self) -> Option<u64> {
        self.returned
    }

    pub(super) fn add_to(&self, result: CheckResult) -> CheckResult {
        result
            .value("connections", self.size as f64, Unit::Count)
            .value("idle", self.idle as f64, Unit::Count)
            .value("max", self.max as f64, Unit::Count)
    }
}

/// Counts the connections that are returned to a pool, or handed out, for a pool that does not count them itself. Clones
/// share the count.
#[derive(Debug, Clone, Default)]
pub struct ReturnCounter(Arc<AtomicU64>);

impl ReturnCounter {
    /// Counts one connection.
    pub fn count(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    /// How many were counted so far.
    pub fn total(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// The error of a pool that has no connection to give and would have to wait for one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PoolFull;

impl fmt::Display for PoolFull {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("all connections of the pool are in use")
    }
}

impl Error for PoolFull {}

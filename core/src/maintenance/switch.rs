//! Maintenance by a call: from an admin page, a signal, a watcher of something remote.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Puts the whole process into maintenance and back, for all clones of the endpoints.
/// [`Health::maintenance_switch`](crate::Health::maintenance_switch) hands it out; clones are one switch.
///
/// It is off at first, and only one of what can bring a maintenance: to turn it off ends none that the disablefile or a
/// [source](crate::MaintenanceSource) wants.
#[derive(Debug, Clone)]
pub struct MaintenanceSwitch(Arc<AtomicBool>);

impl MaintenanceSwitch {
    pub(crate) fn new() -> Self {
        Self(Arc::new(AtomicBool::new(false)))
    }

    /// Begins a maintenance; the next request sees it.
    pub fn turn_on(&self) {
        self.0.store(true, Ordering::Release);
    }

    /// Ends it.
    pub fn turn_off(&self) {
        self.0.store(false, Ordering::Release);
    }

    /// Whether it is on.
    pub fn is_on(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

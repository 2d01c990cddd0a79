//! Maintenance by a call, for example from an admin page.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Puts the whole process into maintenance and back, for all clones of the endpoints.
/// [`Health::maintenance_switch`](crate::Health::maintenance_switch) returns it; clones share their state.
///
/// It is off at first. Turning it off does not end a maintenance of the disablefile or a
/// [source](crate::MaintenanceSource).
#[derive(Debug, Clone)]
pub struct MaintenanceSwitch(Arc<AtomicBool>);

impl MaintenanceSwitch {
    pub(crate) fn new() -> Self {
        Self(Arc::new(AtomicBool::new(false)))
    }

    /// Turns it on; every request that comes later sees it.
    pub fn turn_on(&self) {
        self.0.store(true, Ordering::Release);
    }

    /// Turns it off.
    pub fn turn_off(&self) {
        self.0.store(false, Ordering::Release);
    }

    /// Whether it is on.
    pub fn is_on(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

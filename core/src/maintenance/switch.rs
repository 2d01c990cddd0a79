//! Maintenance that the program switches, for example from an admin page.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Begins and ends maintenance for all endpoints of a [`Health`](crate::Health).
/// [`Health::maintenance_switch`](crate::Health::maintenance_switch) returns it; clones share their state.
///
/// Turning it off does not end maintenance by the disablefile or by a [source](crate::MaintenanceSource)
/// ([H19](crate::contract#h19)). Default: off.
#[derive(Debug, Clone)]
pub struct MaintenanceSwitch(Arc<AtomicBool>);

impl MaintenanceSwitch {
    pub(crate) fn new() -> Self {
        Self(Arc::new(AtomicBool::new(false)))
    }

    /// Turns the switch on. Every later request sees it. If it is on, this has no effect.
    pub fn turn_on(&self) {
        self.0.store(true, Ordering::Release);
    }

    /// Turns the switch off. If it is off, this has no effect.
    pub fn turn_off(&self) {
        self.0.store(false, Ordering::Release);
    }

    /// Whether the switch is on.
    pub fn is_on(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

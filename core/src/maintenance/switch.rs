//! Maintenance that the program switches, for example from an admin page.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::state::StateChanges;

/// Begins and ends maintenance for all endpoints of a [`Health`](crate::Health).
/// [`Health::maintenance_switch`](crate::Health::maintenance_switch) returns it; clones share their state.
///
/// Turning it off does not end maintenance by the disablefile or by a [source](crate::MaintenanceSource)
/// ([H19](crate::contract#h19)). Default: off.
#[derive(Debug, Clone)]
pub struct MaintenanceSwitch(Arc<Position>);

#[derive(Debug)]
struct Position {
    is_on: AtomicBool,
    changes: StateChanges,
}

impl MaintenanceSwitch {
    pub(crate) fn new(changes: StateChanges) -> Self {
        Self(Arc::new(Position { is_on: AtomicBool::new(false), changes }))
    }

    /// Turns the switch on. Every later request sees it. If it is on, this has no effect.
    pub fn turn_on(&self) {
        self.turn(true);
    }

    /// Turns the switch off. If it is off, this has no effect.
    pub fn turn_off(&self) {
        self.turn(false);
    }

    fn turn(&self, is_on: bool) {
        if self.0.is_on.swap(is_on, Ordering::AcqRel) != is_on {
            self.0.changes.announce();
        }
    }

    /// Whether the switch is on.
    pub fn is_on(&self) -> bool {
        self.0.is_on.load(Ordering::Acquire)
    }
}

//! At most one execution of a check at a time, whoever asks and whatever becomes of it.

use std::sync::Arc;
use std::time::Instant;

use crate::runtime::sync::{Mutex, lock};

/// Whether a check is being executed, and since when.
#[derive(Debug)]
pub(crate) struct Flight(Mutex<Option<Instant>>);

impl Default for Flight {
    fn default() -> Self {
        Self(Mutex::new(None))
    }
}

impl Flight {
    /// Leave to execute the check, for as long as it is held.
    ///
    /// # Errors
    ///
    /// Since when another execution is under way.
    pub(crate) fn begin(self: &Arc<Self>, now: Instant) -> Result<InFlight, Instant> {
        let mut since = lock(&self.0);
        match *since {
            Some(since) => Err(since),
            None => {
                *since = Some(now);
                Ok(InFlight(self.clone()))
            }
        }
    }
}

/// An execution of a check. It belongs to the code that runs, and ends with it.
#[derive(Debug)]
pub(crate) struct InFlight(Arc<Flight>);

impl Drop for InFlight {
    fn drop(&mut self) {
        *lock(&self.0.0) = None;
    }
}

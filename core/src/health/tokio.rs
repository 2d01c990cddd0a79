//! The start of the background checks inside tokio.

use std::sync::atomic::Ordering;

use tokio::runtime::Handle;

use super::Health;

impl Health {
    /// Starts the background checks ([H14](crate::contract#h14)) inside the tokio runtime of the caller, for adapters
    /// that mount the endpoints. Outside a tokio runtime the first request starts them.
    ///
    /// The runtime also serves checks on request that are started outside any runtime. The first runtime that is known,
    /// from the build, this call or a request that runs checks, is used until it has shut down, and then the next. The runtime of a listener that serves only health endpoints is used
    /// only as long as no other is known.
    pub fn start_on_tokio(&self) {
        let application = self.application();
        application.is_mounted.store(true, Ordering::Relaxed);
        application.engine.offer_tokio();
        if Handle::try_current().is_ok() {
            application.start();
        }
    }
}

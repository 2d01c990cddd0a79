//! The start of the background checks inside tokio.

use tokio::runtime::Handle;

use super::Health;
use crate::runtime::TokioRuntime;

impl Health {
    /// For adapters of frameworks on tokio, when they mount the endpoint: [`Health::start_on`]
    /// [`TokioRuntime`]. Outside a tokio runtime, which background checks would miss, the first request
    /// starts them.
    pub fn start_on_tokio(&self) {
        self.offer_runtime(TokioRuntime);
        if Handle::try_current().is_ok() {
            self.application().start();
        }
    }
}

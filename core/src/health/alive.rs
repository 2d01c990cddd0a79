//! How an application shows that it is alive without a server.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::{EndpointHandle, Health};
use crate::alive::AliveFile;
use crate::endpoint::RunChecks;
use crate::flow::Watch;
use crate::log::LogRecord;
use crate::runtime::context::Context;

impl Health {
    /// Touches a file at an interval while the first liveness endpoint is not failing, from now on until the last clone
    /// is dropped. A probe compares the age of the file with a limit, so a worker needs no server: `health-probe --file
    /// PATH --max-age SECONDS`. The limit must be longer than the interval: three intervals or more.
    ///
    /// The liveness endpoint is the first that ignores starting, maintenance and draining. Only failing stops the
    /// touches, and one WARN is logged then. To depend on another endpoint, call [`EndpointHandle::touch_alive_file`].
    ///
    /// A touch sets the modification time to the time of the system clock. It creates an empty file if there is none,
    /// and never changes the content of a file. It follows no link, and touches nothing but a regular file. Its
    /// directory must exist and belong to the service. If a touch fails or takes longer than a second, one WARN is
    /// logged, and another touch follows after a fifth of the interval. An interval below one millisecond counts as one
    /// millisecond.
    ///
    /// A task on the [runtime](crate::Runtime) decides when to touch the file, and a thread of this library touches it.
    /// The task [watches](Self::watch) the endpoint, which starts the background checks, and runs no check itself. On
    /// the default runtime it runs on a thread of this library, also while the application's tokio runtime is blocked.
    /// So the file says no more than the checks of the endpoint: register [`Check::heartbeat`](crate::Check::heartbeat)
    /// for each loop. Without such an endpoint or a check on it, the file says only that a thread of this library runs;
    /// that is logged at WARN.
    ///
    /// The file stays when the process ends. In a process that forks, call it in the child: a child touches nothing for
    /// its parent.
    ///
    /// ```no_run
    /// use std::time::Duration;
    ///
    /// use health_core::{Check, Endpoint, Health, Heartbeat};
    ///
    /// let consumer = Heartbeat::new("consumer", Duration::from_secs(30));
    /// let health = Health::builder()
    ///     .register(Check::heartbeat(&consumer))
    ///     .endpoint(Endpoint::liveness("/live").only_checks(["consumer"]))
    ///     .build()?;
    /// health.touch_alive_file("/run/shop/alive", Duration::from_secs(10));
    /// # Ok::<(), health_core::BuildError>(())
    /// ```
    pub fn touch_alive_file(&self, path: impl Into<PathBuf>, interval: Duration) {
        self.touch_alive_file_of(self.liveness(), path.into(), interval);
    }

    fn touch_alive_file_of(&self, liveness: Option<usize>, path: PathBuf, interval: Duration) {
        if !self.has_checks(liveness) {
            LogRecord::alive_file_proves_little(&path).emit();
        }
        let application = self.application();
        let runtime = application.engine.runtime();
        let watch = liveness.map(|index| Watch::new(application.watches.clone(), index));
        let file = AliveFile::new(Arc::downgrade(&self.0), path, interval, runtime.now(), watch);
        let context = Context::current().outside_tokio();
        application.engine.spawn(context.wrap(Box::pin(file.run(runtime.clone()))));
    }

    /// The first endpoint that ignores starting, maintenance and draining.
    pub(super) fn liveness(&self) -> Option<usize> {
        let mut endpoints = self.application().endpoints.iter();
        endpoints.position(|served| {
            let replies = &served.endpoint.replies;
            [replies.starting, replies.maintenance, replies.draining].iter().all(Option::is_none)
        })
    }

    /// Whether there is an endpoint, and its state depends on a check.
    pub(super) fn has_checks(&self, endpoint: Option<usize>) -> bool {
        endpoint.is_some_and(|index| {
            let endpoint = &self.application().endpoints[index].endpoint;
            endpoint.run_checks != RunChecks::Never && !endpoint.checks.is_empty()
        })
    }
}

impl EndpointHandle {
    /// [`Health::touch_alive_file`], with a file that depends on this endpoint: it is not touched while the endpoint is
    /// [failing](crate::State::Failing).
    pub fn touch_alive_file(&self, path: impl Into<PathBuf>, interval: Duration) {
        self.health().touch_alive_file_of(Some(self.index), path.into(), interval);
    }
}

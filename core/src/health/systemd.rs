//! How an application notifies systemd.

use std::sync::Arc;

use super::{EndpointHandle, Health};
use crate::flow::Watch;
use crate::log::LogRecord;
use crate::runtime::context::Context;
use crate::runtime::process;
use crate::systemd::{Environment, Notifier, Systemd, SystemdError, Turn};

impl Health {
    /// Tells systemd how the application fares, from now on until the last clone is dropped; after a drain, the
    /// watchdog gets its pings until the process ends. Without the variable `NOTIFY_SOCKET`, which systemd sets for a
    /// unit of `Type=notify`, it has no effect and starts no thread.
    ///
    /// | message | sent |
    /// |---|---|
    /// | `READY=1` | when every [start-up latch](crate::StartupLatch) is released; never after a failed start |
    /// | `STATUS=` | when the state of the first endpoint changes: the state, with the held or failed latches, or with the [reasons](crate::CheckResult::reason) of the checks. Never a message of a check |
    /// | `STOPPING=1` | when a drain begins |
    /// | `EXTEND_TIMEOUT_USEC=` | with it: the [`termination_grace_period`](crate::HealthBuilder::termination_grace_period). If it is longer than the unit's `TimeoutStopSec`, it applies instead |
    /// | `WATCHDOG=1` | after half of the unit's `WatchdogSec`, unless the first liveness endpoint is failing: the first that ignores starting, maintenance and draining |
    ///
    /// A task on the [runtime](crate::Runtime) sends them, without blocking and without running a check: it
    /// [watches](Self::watch) both endpoints, which starts the background checks. On the default runtime it runs on a
    /// thread of this library, also while the application's tokio runtime is blocked. So a ping says no more than the
    /// checks of the liveness endpoint: register [`Check::tokio_runtime`](crate::Check) there. Without such an endpoint
    /// or a check on it, a ping says only that a thread of this library runs; that is logged at WARN. To let the
    /// watchdog depend on another endpoint, call [`EndpointHandle::notify_systemd`].
    ///
    /// If systemd cannot be reached, for example because its socket is full, one WARN is logged until it can, and what
    /// it has missed is sent then.
    ///
    /// Call it once, after the endpoints are mounted, and in a process that forks, in the child: a child sends nothing
    /// for its parent. The variables stay in the environment, so the processes that this one starts have them too.
    ///
    /// ```
    /// use health_core::{Endpoint, Health, Systemd};
    ///
    /// let health = Health::builder().endpoint(Endpoint::liveness("/live")).build()?;
    /// assert_eq!(health.notify_systemd()?, Systemd::Absent); // systemd has not started this example
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// `NOTIFY_SOCKET` is set, but is neither an absolute path nor an abstract name; `WATCHDOG_USEC` or `WATCHDOG_PID`
    /// is no number; the system cannot create a socket; or this process already notifies systemd.
    pub fn notify_systemd(&self) -> Result<Systemd, SystemdError> {
        self.notify_systemd_of(self.liveness())
    }

    fn notify_systemd_of(&self, liveness: Option<usize>) -> Result<Systemd, SystemdError> {
        let Some(environment) = Environment::read(process::id())? else {
            return Ok(Systemd::Absent);
        };
        let application = self.application();
        let runtime = application.engine.runtime();
        let watch = |index| Watch::new(application.watches.clone(), index);
        let notifier = Notifier::new(
            &environment,
            Arc::downgrade(&self.0),
            runtime.now(),
            watch(0),
            liveness.map(watch),
            Turn::take()?,
        )?;
        if environment.ping_period.is_some() && !self.has_checks(liveness) {
            LogRecord::watchdog_proves_little().emit();
        }
        let context = Context::current().outside_tokio();
        let task = notifier.run(runtime.clone());
        application.engine.spawn(context.wrap(Box::pin(task)));
        Ok(environment.notified())
    }
}

impl EndpointHandle {
    /// [`Health::notify_systemd`], with a watchdog that depends on this endpoint: it gets no ping while the endpoint is
    /// [failing](crate::State::Failing).
    ///
    /// # Errors
    ///
    /// Those of [`Health::notify_systemd`].
    pub fn notify_systemd(&self) -> Result<Systemd, SystemdError> {
        self.health().notify_systemd_of(Some(self.index))
    }
}

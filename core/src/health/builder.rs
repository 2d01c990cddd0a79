//! The description of an endpoint.

mod assemble;

use std::error::Error;
use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use crate::check::Check;
use crate::config::HealthConfig;
use crate::endpoint::Endpoint;
use crate::lifecycle::{Latched, StartupLatch};
use crate::log::LogPolicy;
use crate::maintenance::MaintenanceSource;
use crate::run::{HealthObserver, Observers};
use crate::runtime::Runtime;

/// Describes a [`Health`](crate::Health): the endpoints of an application, and its checks.
///
/// ```
/// use health_core::{Check, Health, HealthConfig};
/// # struct Pool;
/// # impl Pool { async fn ping(&self) -> Result<(), std::io::Error> { Ok(()) } }
/// # let pool = std::sync::Arc::new(Pool);
///
/// let health = Health::builder()
///     .config(HealthConfig::default().with_disablefile("/run/shop/maintenance"))
///     .check("database", move || {
///         let pool = pool.clone();
///         async move { pool.ping().await }
///     })
///     .register(Check::event("disks", |event| event.report("disk", "OK", Some("61 % used"))))
///     .build()?;
/// # Ok::<(), health_core::BuildError>(())
/// ```
#[derive(Debug)]
#[must_use = "a description does nothing until it is built"]
pub struct HealthBuilder {
    config: HealthConfig,
    checks: Vec<Check>,
    timeout: Duration,
    run_timeout: Option<Duration>,
    min_interval: Duration,
    maintenance_timeout: Duration,
    concurrent_checks: usize,
    blocking_threads: usize,
    observers: Observers,
    runtime: Option<Undebuggable<dyn Runtime>>,
    endpoints: Vec<Endpoint>,
    latches: Vec<Undebuggable<Latched>>,
    sources: Vec<Undebuggable<dyn MaintenanceSource>>,
    log_policy: LogPolicy,
    termination_grace_period: Duration,
}

impl Default for HealthBuilder {
    fn default() -> Self {
        Self {
            config: HealthConfig::default(),
            checks: Vec::new(),
            timeout: Duration::from_secs(5),
            run_timeout: None,
            min_interval: Duration::ZERO,
            maintenance_timeout: Duration::from_millis(250),
            concurrent_checks: 1024,
            blocking_threads: 16,
            observers: Observers::default(),
            runtime: None,
            endpoints: Vec::new(),
            latches: Vec::new(),
            sources: Vec::new(),
            log_policy: LogPolicy::default(),
            termination_grace_period: Duration::from_secs(30),
        }
    }
}

impl HealthBuilder {
    /// Takes `config` for settings. Default: [`HealthConfig::default`], which reads no environment.
    pub fn config(mut self, config: HealthConfig) -> Self {
        self.config = config;
        self
    }

    /// Registers the check [`Check::new(name, check)`](Check::new): an asynchronous closure that returns `Ok(())`, or an
    /// error for the log.
    pub fn check<F, Fut, E>(self, name: impl Into<String>, check: F) -> Self
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<Box<dyn Error + Send + Sync>> + 'static,
    {
        self.register(Check::new(name, check))
    }

    /// Registers a check. Results appear in the order of registration.
    pub fn register(mut self, check: Check) -> Self {
        self.checks.push(check);
        self
    }

    /// The timeout of checks that set none (H12). Default: 5 seconds.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// How long a run of all checks may take; then what has no result is an ERROR, and the answer is
    /// given. Background checks have no such bound.
    ///
    /// Default: 10 seconds, or the longest timeout of a check if that is longer.
    pub fn run_timeout(mut self, timeout: Duration) -> Self {
        self.run_timeout = Some(timeout);
        self
    }

    /// The least time from the start of one run to that of the next, for each choice of checks that
    /// [endpoints](Endpoint) make: who asks sooner is given the last result, good or bad, which is thus never older;
    /// what it took from background checks is as they said it then.
    ///
    /// Default: zero, and a run for everybody who asks when none is under way.
    pub fn min_interval(mut self, interval: Duration) -> Self {
        self.min_interval = interval;
        self
    }

    /// How long a look for the disablefile may take, and an answer of a
    /// [maintenance source](Self::maintenance_source); then the last known state stands (H4, H19).
    /// Default: 250 milliseconds.
    pub fn maintenance_timeout(mut self, timeout: Duration) -> Self {
        self.maintenance_timeout = timeout;
        self
    }

    /// How many checks of a run are executed side by side. Default: 1,024.
    pub fn concurrent_checks(mut self, limit: usize) -> Self {
        self.concurrent_checks = limit;
        self
    }

    /// How many threads blocking checks have. They are made when they are needed. One whose check is beyond its
    /// deadline no longer counts, so that there may be one more for each check that hangs. Default: 16.
    pub fn blocking_threads(mut self, limit: usize) -> Self {
        self.blocking_threads = limit;
        self
    }

    /// Adds somebody who is told each check's result, and each change of the verdict. Default: nobody.
    pub fn observer(mut self, observer: impl HealthObserver) -> Self {
        self.observers.add(observer);
        self
    }

    /// Where checks run and what the time is. Default: [`ThreadRuntime`](crate::ThreadRuntime), or what
    /// the adapter brings.
    pub fn runtime(mut self, runtime: impl Runtime) -> Self {
        self.runtime = Some(Undebuggable(Arc::new(runtime)));
        self
    }

    /// Adds an endpoint beside the one of [`healthcheck.url`](HealthConfig::url) (H16). Adapters mount all in one
    /// call. Default: there is no other.
    pub fn endpoint(mut self, endpoint: Endpoint) -> Self {
        self.endpoints.push(endpoint);
        self
    }

    /// Adds something to be done before the start is over (H18). Default: the start is over at once.
    pub fn latch(mut self, latch: &StartupLatch) -> Self {
        self.latches.push(Undebuggable(latch.shared()));
        self
    }

    /// Adds something that can put the host into maintenance, beside the disablefile and
    /// [`Health::maintenance_switch`](crate::Health::maintenance_switch) (H19). Default: nothing.
    pub fn maintenance_source(mut self, source: impl MaintenanceSource) -> Self {
        self.sources.push(Undebuggable(Arc::new(source)));
        self
    }

    /// Which answers are logged, and how loudly (H21). Default: [`LogPolicy::every_answer`].
    pub fn log_policy(mut self, policy: LogPolicy) -> Self {
        self.log_policy = policy;
        self
    }

    /// How long whoever stops the process waits between the signal and the kill: `terminationGracePeriodSeconds`
    /// of Kubernetes, `TimeoutStopSec` of systemd (90 s by default), `stop_grace_period` of Docker Compose (10 s).
    /// [`Health::drain_when`](crate::Health::drain_when) warns of a delay that is not shorter (H20). Default: 30 seconds, as in Kubernetes.
    pub fn termination_grace_period(mut self, grace: Duration) -> Self {
        self.termination_grace_period = grace;
        self
    }
}

/// What the application hands in need not know how to show itself.
struct Undebuggable<T: ?Sized>(Arc<T>);

impl<T: ?Sized> fmt::Debug for Undebuggable<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(std::any::type_name::<T>())
    }
}

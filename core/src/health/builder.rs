//! The description of the endpoints.

mod assemble;
mod peers;
mod settings;

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use super::shutdown::Phase;
use crate::check::{Check, IntoCheckResult};
use crate::config::HealthConfig;
#[cfg(feature = "details")]
use crate::details::{BearerTokens, DetailLevel, EndpointDetails};
use crate::endpoint::Endpoint;
use crate::lifecycle::{Latched, StartupLatch};
use crate::log::LogPolicy;
use crate::maintenance::MaintenanceSource;
use crate::run::{HealthObserver, Observers};
use crate::runtime::Runtime;

/// Describes the endpoints and checks of a [`Health`](crate::Health).
///
/// ```
/// use health_core::{Check, Health, HealthConfig};
/// # #[derive(Clone)]
/// # struct Pool;
/// # impl Pool { async fn ping(&self) -> Result<(), std::io::Error> { Ok(()) } }
/// # let pool = Pool;
///
/// let health = Health::builder()
///     .config(HealthConfig::default().with_disablefile("/run/shop/maintenance"))
///     .register(Check::with("database", pool, |pool| async move { pool.ping().await }))
///     .check("queue", || async { Ok::<(), std::io::Error>(()) })
///     .build()?;
/// # Ok::<(), health_core::BuildError>(())
/// ```
#[derive(Debug)]
#[must_use = "a description does nothing until it is built"]
pub struct HealthBuilder {
    config: HealthConfig,
    checks: Vec<Check>,
    timeout: Option<Duration>,
    run_timeout: Option<Duration>,
    min_interval: Duration,
    maintenance_timeout: Duration,
    concurrent_checks: usize,
    slow_share: f64,
    blocking_threads: usize,
    observers: Observers,
    state_observers: Observers,
    runtime: Option<Undebuggable<dyn Runtime>>,
    endpoints: Vec<Endpoint>,
    latches: Vec<Undebuggable<Latched>>,
    sources: Vec<Undebuggable<dyn MaintenanceSource>>,
    log_policy: LogPolicy,
    termination_grace_period: Duration,
    phases: Vec<Phase>,
    watch_interval: Duration,
    #[cfg(feature = "details")]
    details: EndpointDetails,
    #[cfg(feature = "details")]
    service: Option<(String, String)>,
    #[cfg(feature = "metrics-facade")]
    uses_facade: bool,
}

impl Default for HealthBuilder {
    fn default() -> Self {
        Self {
            config: HealthConfig::default(),
            checks: Vec::new(),
            timeout: None,
            run_timeout: None,
            min_interval: Duration::ZERO,
            maintenance_timeout: Duration::from_millis(250),
            concurrent_checks: 1024,
            slow_share: 0.8,
            blocking_threads: 16,
            observers: Observers::default(),
            state_observers: Observers::default(),
            runtime: None,
            endpoints: Vec::new(),
            latches: Vec::new(),
            sources: Vec::new(),
            log_policy: LogPolicy::default(),
            termination_grace_period: Duration::from_secs(30),
            phases: Vec::new(),
            watch_interval: Duration::from_secs(1),
            #[cfg(feature = "details")]
            details: EndpointDetails::default(),
            #[cfg(feature = "details")]
            service: None,
            #[cfg(feature = "metrics-facade")]
            uses_facade: false,
        }
    }
}

impl HealthBuilder {
    /// Sets the settings. Default: [`HealthConfig::default`], which does not read the environment.
    pub fn config(mut self, config: HealthConfig) -> Self {
        self.config = config;
        self
    }

    /// Registers the check [`Check::new(name, check)`](Check::new): an asynchronous closure that returns `Ok(())`, an
    /// error for the log, or a [`CheckResult`](crate::CheckResult).
    pub fn check<F, Fut>(self, name: impl Into<String>, check: F) -> Self
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output: IntoCheckResult> + Send + 'static,
    {
        self.register(Check::new(name, check))
    }

    /// Registers a check. Results appear in the order of registration.
    pub fn register(mut self, check: Check) -> Self {
        self.checks.push(check);
        self
    }

    /// Sets the timeout of checks that do not set their own ([H12](crate::contract#h12)). Default: 5 seconds.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Maximum duration of a run of checks that requests wait for, or 20 milliseconds more if a check blocks its
    /// thread. A check without a result is then reported as an error. Background checks are not affected. It must not
    /// be shorter than the timeout that is set for a check on request, by [`Check::timeout`],
    /// [`timeout`](Self::timeout) or a setting. If none is set, a check times out after 5 seconds or this, whichever is
    /// shorter. Default: 10 seconds, or more if a check on request has a longer timeout.
    pub fn run_timeout(mut self, timeout: Duration) -> Self {
        self.run_timeout = Some(timeout);
        self
    }

    /// Minimum time between the starts of two runs of the same set of checks. Requests in between get the previous
    /// result, including its background checks. Default: zero.
    pub fn min_interval(mut self, interval: Duration) -> Self {
        self.min_interval = interval;
        self
    }

    /// Maximum duration of a stat of the disablefile, and of a call of a [maintenance
    /// source](Self::maintenance_source); after it the last known state is used ([H4](crate::contract#h4),
    /// [H19](crate::contract#h19)). Default: 250 milliseconds.
    pub fn maintenance_timeout(mut self, timeout: Duration) -> Self {
        self.maintenance_timeout = timeout;
        self
    }

    /// Maximum number of checks of a run that are executed at the same time. Default: 1,024.
    pub fn concurrent_checks(mut self, limit: usize) -> Self {
        self.concurrent_checks = limit;
        self
    }

    /// The part of its timeout after which a check counts as slow: the first such execution of an episode is logged as
    /// a warning, and an execution that takes less ends the episode ([H12](crate::contract#h12)). It must be above 0
    /// and at most 1, which turns the warning off. Default: 0.8.
    pub fn slow_share(mut self, share: f64) -> Self {
        self.slow_share = share;
        self
    }

    /// Maximum number of threads for blocking checks. Threads start when they are needed. The thread of a check that
    /// has exceeded its timeout does not count. Default: 16.
    pub fn blocking_threads(mut self, limit: usize) -> Self {
        self.blocking_threads = limit;
        self
    }

    /// Adds an observer of check results and verdicts, for example for metrics. Default: none.
    pub fn observer(mut self, observer: impl HealthObserver) -> Self {
        self.observers.add(observer);
        self
    }

    /// Adds an observer of the states of all endpoints, for example for a chat message or an audit log. It gets a
    /// [`Notification::StateChanged`](crate::Notification::StateChanged) for the first state of each endpoint and for
    /// each change, from the start of the background checks on, and no other notification. It costs what one
    /// [`Watch`](crate::Watch) of each endpoint costs. Default: none.
    ///
    /// ```
    /// use health_core::{Health, Notification};
    ///
    /// let health = Health::builder()
    ///     .state_observer(|notification| {
    ///         if let Notification::StateChanged(changed) = notification {
    ///             println!("{} is now {}: {}", changed.path, changed.now, changed.record);
    ///         }
    ///     })
    ///     .build()?;
    /// # Ok::<(), health_core::BuildError>(())
    /// ```
    pub fn state_observer(mut self, observer: impl HealthObserver) -> Self {
        self.state_observers.add(observer);
        self
    }

    /// Sets the runtime, which provides time, timers and tasks. Default: that of the adapter, or
    /// [`ThreadRuntime`](crate::ThreadRuntime).
    pub fn runtime(mut self, runtime: impl Runtime) -> Self {
        self.runtime = Some(Undebuggable(Arc::new(runtime)));
        self
    }

    /// Adds an endpoint besides the one of [`healthcheck.url`](HealthConfig::url) ([H16](crate::contract#h16)).
    /// Default: none.
    pub fn endpoint(mut self, endpoint: Endpoint) -> Self {
        self.endpoints.push(endpoint);
        self
    }

    /// Shows details at the endpoint of [`healthcheck.url`](HealthConfig::url), as
    /// [`Endpoint::details`](Endpoint::details) does at others. Default: [`DetailLevel::None`].
    #[cfg(feature = "details")]
    pub fn details(mut self, level: DetailLevel) -> Self {
        self.details.level = level;
        self
    }

    /// Shows everything at the endpoint of [`healthcheck.url`](HealthConfig::url) to readers with a token, as
    /// [`Endpoint::full_details_for`](Endpoint::full_details_for) does at others. Default: no token.
    #[cfg(feature = "details")]
    pub fn full_details_for(mut self, tokens: &BearerTokens) -> Self {
        self.details.tokens = Some(tokens.clone());
        self
    }

    /// The name and the version of the program, which the [full](DetailLevel::Full) level shows, such as
    /// `service("shop", env!("CARGO_PKG_VERSION"))`. Default: none.
    #[cfg(feature = "details")]
    pub fn service(mut self, name: impl Into<String>, version: impl Into<String>) -> Self {
        self.service = Some((name.into(), version.into()));
        self
    }

    /// Publishes the series of [`Endpoint::metrics`](Endpoint::metrics) through the crate [`metrics`], version 0.24, to the recorder
    /// that is installed when the endpoints are [built](Self::build): those of [`DetailLevel::States`], with the same names and
    /// labels. Durations are recorded at the end of each execution. The other series are published at the end of each run, when a state
    /// changes, and once per [interval](Self::watch_interval). A recorder that blocks delays the runs of checks. Default: off.
    #[cfg(feature = "metrics-facade")]
    pub fn metrics_facade(mut self) -> Self {
        self.uses_facade = true;
        self
    }

    /// Adds a start-up latch: the endpoints show [`State::Starting`](crate::State::Starting) until it is released
    /// ([H18](crate::contract#h18)). Default: none.
    pub fn latch(mut self, latch: &StartupLatch) -> Self {
        self.latches.push(Undebuggable(latch.shared()));
        self
    }

    /// Adds a maintenance source besides the disablefile and
    /// [`Health::maintenance_switch`](crate::Health::maintenance_switch) ([H19](crate::contract#h19)). Default: none.
    pub fn maintenance_source(mut self, source: impl MaintenanceSource) -> Self {
        self.sources.push(Undebuggable(Arc::new(source)));
        self
    }

    /// Sets which responses are logged, and at which level ([H21](crate::contract#h21)). Default:
    /// [`LogPolicy::every_response`].
    pub fn log_policy(mut self, policy: LogPolicy) -> Self {
        self.log_policy = policy;
        self
    }

    /// The interval at which a [`Watch`](crate::Watch) looks for the disablefile and calls the maintenance sources:
    /// once for all watches of the application, and only while there are any. Default: 1 second.
    pub fn watch_interval(mut self, interval: Duration) -> Self {
        self.watch_interval = interval;
        self
    }

    /// Adds a phase of the shutdown, which [`Health::shut_down_after`](crate::Health::shut_down_after) runs when the
    /// server has ended: stop a consumer, flush a queue, close a pool. Phases run one after the other, in the order in
    /// which they were added. One that fails, panics or exceeds its limit does not prevent the next. Each leaves a
    /// record in the log. Default: none.
    ///
    /// `phase` is called at most once, and returns what a check returns; a degraded result counts as a success. It runs
    /// as a task on the [runtime](Self::runtime), in the context of the caller of `shut_down_after`. A phase that
    /// blocks its thread is left behind at its limit.
    pub fn shutdown_phase<F, Fut>(
        mut self,
        name: impl Into<String>,
        limit: Duration,
        phase: F,
    ) -> Self
    where
        F: FnOnce() -> Fut + Send + 'static,
        Fut: Future<Output: IntoCheckResult> + Send + 'static,
    {
        self.phases.push(Phase::new(name.into(), limit, phase));
        self
    }

    /// The time between the signal and the kill: `terminationGracePeriodSeconds` of Kubernetes, `TimeoutStopSec` of
    /// systemd (90 s by default), `stop_grace_period` of Docker Compose (10 s).
    /// [`Health::drain_when`](crate::Health::drain_when) logs a warning if its delay is not shorter
    /// ([H20](crate::contract#h20)). Default: 30 seconds, as in Kubernetes.
    pub fn termination_grace_period(mut self, period: Duration) -> Self {
        self.termination_grace_period = period;
        self
    }
}

/// A value of the application, which may not implement `Debug`.
struct Undebuggable<T: ?Sized>(Arc<T>);

impl<T: ?Sized> fmt::Debug for Undebuggable<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(std::any::type_name::<T>())
    }
}

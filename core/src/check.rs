//! The description of a check: its code, and how to run it.

mod event;
mod heartbeat;
mod info;
mod peers;
#[cfg(feature = "details")]
mod reference;
mod result;
mod subscriber;
mod threshold;
#[cfg(feature = "tokio")]
mod tokio_runtime;
mod value;

use std::collections::BTreeSet;
use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

pub use self::event::{HealthCheckEvent, Report};
pub(crate) use self::heartbeat::BeatReader;
pub use self::heartbeat::{BusyGuard, Heartbeat};
pub use self::info::CheckInfo;
pub(crate) use self::info::Facts;
pub(crate) use self::peers::{Found, PeerExchange, PeerViews};
pub use self::peers::{OwnView, PeerView, Peers};
#[cfg(feature = "details")]
pub(crate) use self::reference::{Reference, References};
pub use self::result::{CheckResult, IntoCheckResult, Status};
pub use self::subscriber::HealthSubscriber;
use self::subscriber::{Closure, Named};
pub(crate) use self::threshold::{CheckStatus, Thresholds, gravest, has_failed};
#[cfg(feature = "tokio")]
pub(crate) use self::tokio_runtime::{Reading, TokioProbe};
pub use self::value::{Unit, Value};
use crate::text::names;

/// The maximum length of a name in characters.
const MAX_NAME_LEN: usize = 128;

/// Whether the log can show `text` as a name: 1 to 128 characters, none of them a control character.
pub(crate) fn is_name(text: &str) -> bool {
    let length = text.chars().count();
    (1..=MAX_NAME_LEN).contains(&length) && !text.contains(char::is_control)
}

/// A check, and how it is run. [`HealthBuilder::register`](crate::HealthBuilder::register) takes it.
///
/// ```
/// use std::time::Duration;
/// use health_core::{Check, Health};
/// # #[derive(Clone)]
/// # struct Pool;
/// # impl Pool { async fn ping(&self) -> Result<(), std::io::Error> { Ok(()) } }
/// # fn connect() -> Pool { Pool }
/// # fn bind() -> Result<(), std::io::Error> { Ok(()) }
///
/// let pool = connect();
/// let health = Health::builder()
///     .register(
///         Check::with("database", pool.clone(), |pool| async move { pool.ping().await })
///             .timeout(Duration::from_secs(2)),
///     )
///     .register(Check::blocking("directory", || bind()).every(Duration::from_secs(30)))
///     .register(
///         Check::with("recommendations", pool, |pool| async move { pool.ping().await })
///             .optional()
///             .failure_threshold(3),
///     )
///     .build()?;
/// # Ok::<(), health_core::BuildError>(())
/// ```
///
/// # Context
///
/// A check runs in the `tracing` span, with the subscriber and, with the feature `tokio`, inside the tokio runtime of
/// the request that started its run; a [background check](Self::every) has the span and subscriber of the build, and
/// the runtime of the build, or else of the mount, the first request, or the first request that starts a run. If that
/// runtime shuts down, it is replaced by the next in which a request starts a run or
/// `Health::start_on_tokio` is called. Task locals are not kept.
///
/// # Results
///
/// A check returns `Ok(())` or an error, or a [`CheckResult`], which can also be degraded, and have a reason and values;
/// see [`IntoCheckResult`]. An error is anything that converts into a boxed [`Error`](std::error::Error): errors of the
/// standard library and of crates, `anyhow::Error`, `String` and `&str`. The log shows the error and its
/// [causes](std::error::Error::source) on one line.
#[must_use = "a check does nothing until it is registered"]
pub struct Check {
    pub(crate) name: String,
    pub(crate) facts: Facts,
    pub(crate) work: Work,
    pub(crate) timeout: Option<Duration>,
    pub(crate) criticality: Criticality,
    pub(crate) period: Option<Duration>,
    pub(crate) failing_period: Option<Duration>,
    pub(crate) thresholds: Thresholds,
    pub(crate) tags: BTreeSet<String>,
    pub(crate) is_process_only: bool,
    pub(crate) is_shared: bool,
    pub(crate) fail_after: Option<Duration>,
}

/// The code of a check, and where it runs.
pub(crate) enum Work {
    Async(Box<dyn HealthSubscriber>),
    Blocking(Arc<dyn Fn(&mut HealthCheckEvent) + Send + Sync>),
    Heartbeat(BeatReader),
    Peers(PeerExchange),
    #[cfg(feature = "tokio")]
    TokioRuntime(TokioProbe),
}

impl Work {
    /// How long what it looks at may be silent.
    pub(crate) fn expiry(&self) -> Option<Duration> {
        match self {
            Self::Async(_) | Self::Blocking(_) | Self::Peers(_) => None,
            Self::Heartbeat(reader) => Some(reader.expiry),
            #[cfg(feature = "tokio")]
            Self::TokioRuntime(probe) => Some(probe.expiry),
        }
    }
}

/// Whether a failure makes the application fail ([H13](crate::contract#h13)).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Criticality {
    /// It does.
    Required,
    /// It makes the state degraded.
    Optional,
}

names!(Criticality, "criticality", {
    Required => "required",
    Optional => "optional",
});

/// How an endpoint counts the failures of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Counting {
    As(Criticality),
    /// As required until the first OK, and again once the check has failed for `fail_after` (H22), or while most peers
    /// reach the dependency (H24); otherwise as optional.
    Shared {
        fail_after: Option<Duration>,
    },
}

impl Check {
    /// An asynchronous check: a closure that returns `Ok(())`, an error for the log, or a [`CheckResult`].
    ///
    /// The closure is called each time the checks run. A panic, also in the error's `Display`, is reported as an error
    /// of this check alone ([H12](crate::contract#h12)). The future is polled on a thread of this library; use
    /// [`Check::blocking`] for code that blocks, and [`Check::with`] for a closure that needs a pool or client.
    pub fn new<F, Fut>(name: impl Into<String>, check: F) -> Self
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output: IntoCheckResult> + Send + 'static,
    {
        let name = name.into();
        let named = Named { name: name.clone(), check };
        Self::described(name, Work::Async(Box::new(named)))
    }

    /// An asynchronous check that needs `state`, such as a connection pool or a client: the closure gets a clone each
    /// time the checks run.
    ///
    /// ```
    /// use health_core::Check;
    /// # #[derive(Clone)]
    /// # struct Pool;
    /// # impl Pool { async fn ping(&self) -> Result<(), std::io::Error> { Ok(()) } }
    /// # let pool = Pool;
    ///
    /// let check = Check::with("database", pool, |pool| async move { pool.ping().await });
    /// ```
    pub fn with<S, F, Fut>(name: impl Into<String>, state: S, check: F) -> Self
    where
        S: Clone + Send + Sync + 'static,
        F: Fn(S) -> Fut + Send + Sync + 'static,
        Fut: Future<Output: IntoCheckResult> + Send + 'static,
    {
        Self::new(name, move || check(state.clone()))
    }

    /// A check that blocks its thread: a synchronous driver, a file, a name to resolve.
    ///
    /// It runs on one of a few threads of this library and delays neither the runtime nor the end of the process. A
    /// check that still runs after its timeout is not started again: until it returns, its result is an error that
    /// starts with `still running since`.
    pub fn blocking<F, R>(name: impl Into<String>, check: F) -> Self
    where
        F: Fn() -> R + Send + Sync + 'static,
        R: IntoCheckResult,
    {
        let name = name.into();
        let reported = name.clone();
        let work = move |event: &mut HealthCheckEvent| event.result(&reported, check());
        Self::described(name, Work::Blocking(Arc::new(work)))
    }

    /// A closure that reports any number of results to the event. It must not block.
    ///
    /// A panic and a timeout are reported under `name`.
    pub fn event<F>(name: impl Into<String>, check: F) -> Self
    where
        F: Fn(&mut HealthCheckEvent) + Send + Sync + 'static,
    {
        Self::described(name.into(), Work::Async(Box::new(Closure(check))))
    }

    /// A [subscriber](HealthSubscriber), which is asynchronous and reports any number of results.
    ///
    /// A panic and a timeout are reported under `name`.
    pub fn subscriber(name: impl Into<String>, subscriber: impl HealthSubscriber) -> Self {
        Self::described(name.into(), Work::Async(Box::new(subscriber)))
    }

    fn described(name: String, work: Work) -> Self {
        Self {
            name,
            facts: Facts::default(),
            work,
            timeout: None,
            criticality: Criticality::Required,
            period: None,
            failing_period: None,
            thresholds: Thresholds::default(),
            tags: BTreeSet::new(),
            is_process_only: false,
            is_shared: false,
            fail_after: None,
        }
    }

    /// Describes in words what the check tests, for people. Default: none.
    ///
    /// A text that is empty, longer than 1,024 bytes or contains a control character is an error when the endpoints are
    /// built. No response contains it.
    pub fn description(mut self, description: impl Into<String>) -> Self {
        self.facts.description = Some(description.into());
        self
    }

    /// Names who is responsible, such as a team or a channel. It follows the rules of
    /// [`description`](Self::description). Default: none.
    pub fn owner(mut self, owner: impl Into<String>) -> Self {
        self.facts.owner = Some(owner.into());
        self
    }

    /// Sets the URL of the instructions for a failure. A URL that does not start with `https://` or `http://`, is longer
    /// than 1,024 bytes, or contains anything but printable ASCII, or a space, quote, `<`, `>` or `\`, is an error when the
    /// endpoints are built. Default: none.
    pub fn runbook(mut self, url: impl Into<String>) -> Self {
        self.facts.runbook = Some(url.into());
        self
    }

    /// Maximum duration of one execution. A check that exceeds it is reported as an error that starts with
    /// `timed out after`, whatever it returns later ([H12](crate::contract#h12)). `Duration::MAX` disables the timeout.
    ///
    /// Keep it below the timeout of the pollers: a kubelet waits 1 second, Route 53 waits 2, an AWS load balancer 5.
    /// Default: [`HealthBuilder::timeout`](crate::HealthBuilder::timeout), or the check's period if that is shorter.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Marks the check as optional: a failure is logged as a warning, and the state is
    /// [`Degraded`](crate::State::Degraded), for which most [endpoints](crate::Endpoint) respond `200 OK`
    /// ([H13](crate::contract#h13)). Default: required.
    pub fn optional(mut self) -> Self {
        self.criticality = Criticality::Optional;
        self
    }

    /// Declares that the check looks at a dependency that many hosts have in common, such as their database: if it fails,
    /// it fails for all of them, and taking this host out of service would not help ([H22](crate::contract#h22)).
    ///
    /// Until its first OK the check counts as it is: a host that has never reached its database is not ready. Later, a
    /// failure makes an endpoint that [steers traffic](crate::Purpose::SteersTraffic) degraded, and one that
    /// [alerts people](crate::Purpose::AlertsPeople) failing. Default: not shared.
    pub fn shared(mut self) -> Self {
        self.is_shared = true;
        self
    }

    /// A failure of a [shared](Self::shared) check that has lasted for `limit` makes every endpoint failing. It must be
    /// longer than zero and, for a background check, not shorter than its period. Default: no limit.
    pub fn fail_after(mut self, limit: Duration) -> Self {
        self.fail_after = Some(limit);
        self
    }

    /// Runs the check in the background: at once when background checks start, then after a random part of the rest of
    /// `period` (or of half of it, if less is left), and from then on once per period, give or take a tenth. So hosts that
    /// started together do not run it together ([H14](crate::contract#h14)). A request reads the last result and never
    /// waits; a result older than three periods is an error. Default: the check runs when a request asks for it.
    ///
    /// Background checks start when an adapter mounts the endpoints inside a tokio runtime, with
    /// [`Health::start_on`](crate::Health::start_on), or with the first request. They stop when the last clone of the
    /// [`Health`](crate::Health) is dropped, and they continue during maintenance. The release of the last
    /// [`StartupLatch`](crate::StartupLatch) makes each run again at once, and again after a random part of the period.
    pub fn every(mut self, period: Duration) -> Self {
        self.period = Some(period);
        self
    }

    /// Sets another period for a [background](Self::every) check as long as it counts as failing: a shorter one notices
    /// the recovery sooner, a longer one spares a dependency that is overloaded ([H14](crate::contract#h14)). It must not
    /// be shorter than the check's timeout. Default: the period of [`every`](Self::every).
    pub fn every_while_failing(mut self, period: Duration) -> Self {
        self.failing_period = Some(period);
        self
    }

    /// Number of consecutive failures after which a check that was OK counts as failing ([H15](crate::contract#h15)).
    /// Default: 1.
    pub fn failure_threshold(mut self, failures: u32) -> Self {
        self.thresholds.failures = failures;
        self
    }

    /// Number of consecutive successes after which a failing check that was OK before counts as OK again
    /// ([H15](crate::contract#h15)). Default: 1.
    pub fn success_threshold(mut self, successes: u32) -> Self {
        self.thresholds.successes = successes;
        self
    }

    /// Adds a tag by which an endpoint can [choose checks](crate::Endpoint::tagged) ([H16](crate::contract#h16)). A
    /// check can have several. Default: none.
    pub fn tag(mut self, tag: impl Into<String>) -> Self {
        self.tags.insert(tag.into());
        self
    }

    /// Declares that the check looks at this process only, for example at a thread that must make progress. A restart
    /// can fix its failure, so a [liveness](crate::Endpoint::liveness) endpoint may run it. Default: the check looks
    /// at a dependency, whose failure a restart cannot fix.
    pub fn process_only(mut self) -> Self {
        self.is_process_only = true;
        self
    }
}

impl Check {
    /// The timeout: its own, or `default`, or its shortest period if that is shorter.
    pub(crate) fn timeout_or(&self, default: Duration) -> Duration {
        self.timeout.unwrap_or(default.min(self.shortest_period()))
    }

    /// `Duration::MAX` if it does not run in the background.
    pub(crate) fn shortest_period(&self) -> Duration {
        let periods = [self.period, self.failing_period].into_iter().flatten();
        periods.min().unwrap_or(Duration::MAX)
    }
}

impl fmt::Debug for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Check").field("name", &self.name).finish_non_exhaustive()
    }
}

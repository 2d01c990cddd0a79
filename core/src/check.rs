//! A check as an application describes it: what it does, and how it is run.

mod event;
mod subscriber;
mod threshold;

use std::collections::BTreeSet;
use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

pub use self::event::{HealthCheckEvent, Report, Status};
pub use self::subscriber::HealthSubscriber;
use self::subscriber::{Closure, Named};
pub(crate) use self::threshold::{CheckStatus, Thresholds};
use crate::decision::Criticality;

/// The most characters of a name: 128.
const NAME_LIMIT: usize = 128;

/// Whether the log can show `text` for a name.
pub(crate) fn is_name(text: &str) -> bool {
    let length = text.chars().count();
    (1..=NAME_LIMIT).contains(&length) && !text.contains(char::is_control)
}

/// A check, and how it is run. [`HealthBuilder::register`](crate::HealthBuilder::register) registers it.
///
/// ```
/// use std::time::Duration;
/// use health_core::{Check, Health};
/// # async fn ping() -> Result<(), std::io::Error> { Ok(()) }
/// # fn bind() -> Result<(), std::io::Error> { Ok(()) }
///
/// let health = Health::builder()
///     .register(Check::new("database", || ping()).timeout(Duration::from_secs(2)))
///     .register(Check::new("recommendations", || ping()).optional().failure_threshold(3))
///     .register(Check::blocking("directory", || bind()).every(Duration::from_secs(30)))
///     .build()?;
/// # Ok::<(), health_core::BuildError>(())
/// ```
#[must_use = "a check does nothing until it is added to an endpoint"]
pub struct Check {
    pub(crate) name: String,
    pub(crate) work: Work,
    pub(crate) timeout: Option<Duration>,
    pub(crate) need: Criticality,
    pub(crate) period: Option<Duration>,
    pub(crate) thresholds: Thresholds,
    pub(crate) tags: BTreeSet<String>,
    pub(crate) is_process_only: bool,
}

/// What a check does, and where.
pub(crate) enum Work {
    Async(Box<dyn HealthSubscriber>),
    Blocking(Arc<dyn Fn(&mut HealthCheckEvent) + Send + Sync>),
}

impl Check {
    /// A check that is asynchronous: a closure that says `Ok(())`, or an error to show in the log.
    ///
    /// It is called each time that the checks run. A panic, also in the error's `Display`, is an ERROR of
    /// this check alone (H12). It is polled on a thread of the library's own; code that blocks is
    /// better off as [`Check::blocking`].
    pub fn new<F, Fut, E>(name: impl Into<String>, check: F) -> Self
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), E>> + Send + 'static,
        E: fmt::Display + 'static,
    {
        let name = name.into();
        let named = Named {
            name: name.clone(),
            check,
        };
        Self::described(name, Work::Async(Box::new(named)))
    }

    /// A check that blocks its thread: a synchronous driver, a file, a name to be resolved.
    ///
    /// It runs on one of a few threads of the endpoint's own, which hold up neither the runtime nor
    /// the end of the process. While it hangs beyond its deadline it is not called again: its result
    /// is an ERROR `still running since …` at once, and no second thread is spent on it.
    pub fn blocking<F, E>(name: impl Into<String>, check: F) -> Self
    where
        F: Fn() -> Result<(), E> + Send + Sync + 'static,
        E: fmt::Display,
    {
        let name = name.into();
        let reported = name.clone();
        let work = move |event: &mut HealthCheckEvent| event.conclude(&reported, check());
        Self::described(name, Work::Blocking(Arc::new(work)))
    }

    /// A subscriber, which reports any number of results; its panic, and a deadline that is over, are
    /// reported under `name`.
    pub fn subscriber(name: impl Into<String>, subscriber: impl HealthSubscriber) -> Self {
        Self::described(name.into(), Work::Async(Box::new(subscriber)))
    }

    /// A check that reports any number of results to the event it is given.
    ///
    /// It must not block: see [`Check::blocking`].
    pub fn event<F>(name: impl Into<String>, check: F) -> Self
    where
        F: Fn(&mut HealthCheckEvent) + Send + Sync + 'static,
    {
        Self::described(name.into(), Work::Async(Box::new(Closure(check))))
    }

    fn described(name: String, work: Work) -> Self {
        Self {
            name,
            work,
            timeout: None,
            need: Criticality::Required,
            period: None,
            thresholds: Thresholds::default(),
            tags: BTreeSet::new(),
            is_process_only: false,
        }
    }

    /// How long it may take; then its result is an ERROR `timed out after …`, whatever comes later
    /// (H12). `Duration::MAX` is no deadline.
    ///
    /// Default: that of the [endpoint](crate::HealthBuilder::timeout), or the check's period, if that is
    /// shorter. Pollers wait less than they seem to: a kubelet a second, Route 53 two, an AWS
    /// load balancer five.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// The application can do without: a failure is logged as a warning, and the answer is that of
    /// [`State::Degraded`](crate::State::Degraded), which is `200 OK` but for some [endpoints](crate::Endpoint) (H13).
    /// Default: it cannot.
    pub fn optional(mut self) -> Self {
        self.need = Criticality::Optional;
        self
    }

    /// Runs it in the background, once each `period`, a tenth more or less, so that not all hosts ask at
    /// once (H14). A request reads the last result and never waits; a result older than three periods is an
    /// ERROR. Default: it runs when a request asks.
    ///
    /// It starts when an adapter mounts the endpoint, or with [`Health::start_on`](crate::Health::start_on), or
    /// else with the first request, and stops when the last clone of the endpoint is dropped. It goes on during
    /// maintenance.
    pub fn every(mut self, period: Duration) -> Self {
        self.period = Some(period);
        self
    }

    /// How many failures in a row it takes for a check that was OK to count as failing (H15).
    /// Default: 1.
    pub fn failure_threshold(mut self, failures: u32) -> Self {
        self.thresholds.failures = failures;
        self
    }

    /// How many successes in a row it takes for a check that counts as failing, and was OK before, to
    /// count as OK (H15). Default: 1.
    pub fn success_threshold(mut self, successes: u32) -> Self {
        self.thresholds.successes = successes;
        self
    }

    /// Puts it among those that an endpoint can [choose by this tag](crate::Endpoint::tagged) (H16). A check may have
    /// any number. Default: none.
    pub fn tag(mut self, tag: impl Into<String>) -> Self {
        self.tags.insert(tag.into());
        self
    }

    /// It looks at this process alone, such as at a thread that has to make progress: its failure is a reason
    /// to restart, and so it may be in a [liveness](crate::Endpoint::liveness) endpoint. Default: it looks at a
    /// dependency, whose failure no restart mends.
    pub fn process_only(mut self) -> Self {
        self.is_process_only = true;
        self
    }
}

impl fmt::Debug for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Check")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

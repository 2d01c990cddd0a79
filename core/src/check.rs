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
pub(crate) use self::threshold::{Standing, Thresholds};
use crate::decision::Need;

/// The most characters of a name: 128.
const NAME_LIMIT: usize = 128;

/// Whether the log can show `text` for a name.
pub(crate) fn is_name(text: &str) -> bool {
    let length = text.chars().count();
    (1..=NAME_LIMIT).contains(&length) && !text.contains(char::is_control)
}

/// A check, and how it is run. [`HealthBuilder::add`](crate::HealthBuilder::add) registers it.
///
/// ```
/// use std::time::Duration;
/// use health_core::{Check, Health};
/// # async fn ping() -> Result<(), std::io::Error> { Ok(()) }
/// # fn bind() -> Result<(), std::io::Error> { Ok(()) }
///
/// let health = Health::builder()
///     .add(Check::new("database", || ping()).deadline(Duration::from_secs(2)))
///     .add(Check::new("recommendations", || ping()).optional().failures(3))
///     .add(Check::blocking("directory", || bind()).every(Duration::from_secs(30)))
///     .build()?;
/// # Ok::<(), health_core::BuildError>(())
/// ```
#[must_use = "a check does nothing until it is added to an endpoint"]
pub struct Check {
    pub(crate) name: Name,
    pub(crate) work: Work,
    pub(crate) deadline: Option<Duration>,
    pub(crate) need: Need,
    pub(crate) period: Option<Duration>,
    pub(crate) thresholds: Thresholds,
    pub(crate) tags: BTreeSet<String>,
    pub(crate) is_internal: bool,
}

/// What a check is known by.
pub(crate) enum Name {
    /// Its own, which no other check may have.
    Own(String),
    /// Its type's: the panic of a subscriber without a name is reported under it.
    Type(&'static str),
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
        Self::described(Name::Own(name), Work::Async(Box::new(named)))
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
        Self::described(Name::Own(name), Work::Blocking(Arc::new(work)))
    }

    /// A subscriber, which reports any number of results; its panic, and a deadline that is over, are
    /// reported under `name`.
    pub fn subscriber(name: impl Into<String>, subscriber: impl HealthSubscriber) -> Self {
        Self::described(Name::Own(name.into()), Work::Async(Box::new(subscriber)))
    }

    pub(crate) fn unnamed<S: HealthSubscriber>(subscriber: S) -> Self {
        let name = Name::Type(std::any::type_name::<S>());
        Self::described(name, Work::Async(Box::new(subscriber)))
    }

    pub(crate) fn closure<F>(subscriber: F) -> Self
    where
        F: Fn(&mut HealthCheckEvent) + Send + Sync + 'static,
    {
        let name = Name::Type(std::any::type_name::<F>());
        Self::described(name, Work::Async(Box::new(Closure(subscriber))))
    }

    fn described(name: Name, work: Work) -> Self {
        Self {
            name,
            work,
            deadline: None,
            need: Need::Required,
            period: None,
            thresholds: Thresholds::default(),
            tags: BTreeSet::new(),
            is_internal: false,
        }
    }

    /// How long it may take; then its result is an ERROR `timed out after …`, whatever comes later
    /// (H12). `Duration::MAX` is no deadline.
    ///
    /// Default: that of the [endpoint](crate::HealthBuilder::deadline), or the check's period, if that is
    /// shorter. Pollers wait less than they seem to: a kubelet a second, Route 53 two, an AWS
    /// load balancer five.
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = Some(deadline);
        self
    }

    /// The application can do without: a failure is logged as a warning, and the answer is that of
    /// [`State::Degraded`](crate::State::Degraded), which is `200 OK` but for some [endpoints](crate::Endpoint) (H13).
    /// Default: it cannot.
    pub fn optional(mut self) -> Self {
        self.need = Need::Optional;
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
    pub fn failures(mut self, failures: u32) -> Self {
        self.thresholds.failures = failures;
        self
    }

    /// How many successes in a row it takes for a check that counts as failing, and was OK before, to
    /// count as OK (H15). Default: 1.
    pub fn successes(mut self, successes: u32) -> Self {
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
    pub fn internal(mut self) -> Self {
        self.is_internal = true;
        self
    }
}

impl fmt::Debug for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Check")
            .field("name", &self.name.as_str())
            .finish_non_exhaustive()
    }
}

impl Name {
    pub(crate) fn as_str(&self) -> &str {
        match self {
            Self::Own(name) => name,
            Self::Type(name) => name,
        }
    }
}

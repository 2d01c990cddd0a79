//! How long a drain lasts (H27), and what starts it (H20).

use std::fmt;
use std::future::Future;
use std::time::Duration;

use futures::{FutureExt, Stream, StreamExt, stream};

/// How long a drain lasts, for [`Health::drain_when`](crate::Health::drain_when).
///
/// `Drain::at_least(a).at_most(b)` lasts as long as it is needed: after `a`, the server may stop as soon as no request
/// is [active](crate::Health::active_requests) and every poller has noticed the drain, and at `b` in any case. `b` also
/// bounds the last requests: see [`Health::shut_down_after`](crate::Health::shut_down_after). `Drain::at_least(a)`
/// alone, and a [`Duration`], last exactly that long, and nothing bounds the last requests.
///
/// ```
/// use std::time::Duration;
/// use health_core::Drain;
///
/// let seconds = Duration::from_secs;
/// let drain = Drain::at_least(seconds(5)).at_most(seconds(25))?;
/// assert!(Drain::at_least(seconds(25)).at_most(seconds(5)).is_err());
/// # Ok::<(), health_core::DrainError>(())
/// ```
///
/// # When a poller has noticed
///
/// A poller is told by a draining response. It has noticed when it was told three times
/// ([`failure_threshold`](Self::failure_threshold)), and one second has passed since. A poller that has missed two
/// polls is gone, and is not waited for. So is a client 11 seconds after its only request.
///
/// Pollers are told apart by the endpoint, the address of the client without its port, and `User-Agent`, as far as the
/// adapter knows them. 64 are remembered. Two pollers that cannot be told apart count as one, which is told
/// twice as often: double the threshold for them. Without any poller, only the active requests count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Drain {
    pub(crate) at_least: Duration,
    pub(crate) at_most: Option<Duration>,
    pub(crate) failure_threshold: u32,
}

impl Drain {
    /// The minimum time for which requests are served after the drain has begun: what pollers need that the library
    /// cannot see, such as the time until a change of endpoints has reached all nodes of a Kubernetes cluster.
    pub fn at_least(time: Duration) -> Self {
        Self { at_least: time, at_most: None, failure_threshold: 3 }
    }

    /// The maximum time from the beginning of the drain until the last requests are told to end. Half a second later
    /// they are dropped. Keep it at least one second shorter than the [grace
    /// period](crate::HealthBuilder::termination_grace_period), and leave room for the [shutdown
    /// phases](crate::HealthBuilder::shutdown_phase).
    ///
    /// # Errors
    ///
    /// `time` is shorter than the minimum.
    pub fn at_most(self, time: Duration) -> Result<Self, DrainError> {
        if time < self.at_least {
            return Err(DrainError { at_least: self.at_least, at_most: time });
        }
        Ok(Self { at_most: Some(time), ..self })
    }

    /// How often a poller is told before it has noticed: the consecutive failures after which it stops to send
    /// requests, such as `failureThreshold` of Kubernetes or `fall` of HAProxy. Zero counts as 1. Default: 3.
    pub fn failure_threshold(self, failures: u32) -> Self {
        Self { failure_threshold: failures.max(1), ..self }
    }

    /// Whether it depends on the active requests and the pollers.
    pub(crate) fn can_end_early(&self) -> bool {
        self.at_most.is_some_and(|at_most| at_most > self.at_least)
    }

    /// How long the process needs from the signal to the end of the last request, as far as that is known.
    pub(crate) fn longest(&self) -> Duration {
        match self.at_most {
            Some(at_most) => at_most.saturating_add(LAST_CALL),
            None => self.at_least,
        }
    }
}

impl fmt::Display for Drain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.at_least)?;
        match self.at_most.filter(|_| self.can_end_early()) {
            Some(at_most) => write!(f, " to {at_most:?}"),
            None => Ok(()),
        }
    }
}

impl From<Duration> for Drain {
    /// Exactly this long.
    fn from(time: Duration) -> Self {
        Self::at_least(time)
    }
}

/// The time that the last requests have to end after they are told to.
pub(crate) const LAST_CALL: Duration = Duration::from_millis(500);

/// The error of [`Drain::at_most`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "a drain cannot last at least {at_least:?} and at most {at_most:?}: `at_most` must not be shorter"
)]
pub struct DrainError {
    at_least: Duration,
    at_most: Duration,
}

/// A signal for [`Health::drain_when`](crate::Health::drain_when): every [`Future`] and every [`Stream`] is one. The
/// compiler infers `Kind`, which keeps the two apart.
pub trait DrainSignal<Kind> {
    /// The signal as a stream; the second item of a stream skips the rest of the drain.
    fn into_stream(self) -> impl Stream<Item = ()> + Send;
}

/// The kind of a [`DrainSignal`] that is a future.
#[derive(Debug)]
pub enum FutureSignal {}

/// The kind of a [`DrainSignal`] that is a stream.
#[derive(Debug)]
pub enum StreamSignal {}

impl<F: Future + Send> DrainSignal<FutureSignal> for F {
    fn into_stream(self) -> impl Stream<Item = ()> + Send {
        stream::once(FutureExt::map(self, drop))
    }
}

impl<S: Stream + Send> DrainSignal<StreamSignal> for S {
    fn into_stream(self) -> impl Stream<Item = ()> + Send {
        StreamExt::map(self, drop)
    }
}

//! A connection of the application's pool, which is never waited for.

mod counters;
mod standstill;
mod take;
#[cfg(test)]
mod tests;

use std::error::Error;
use std::fmt;
use std::future::Future;
use std::time::Duration;

use async_trait::async_trait;
use futures::future::BoxFuture;
use health_core::{CheckResult, IntoCheckResult, Runtime};

pub use self::counters::{PoolCounters, PoolFull, ReturnCounter};
use self::standstill::Standstill;
pub(crate) use self::take::Attempt;
use crate::failure::{BoxError, Classify, degraded, failure, misconfigured, reason_of};
use crate::time::{Clock, DEFAULT_TIMEOUT};
use crate::{Class, Indicator, reason};

type Get<C> = Box<dyn Fn(Attempt) -> BoxFuture<'static, Result<C, BoxError>> + Send + Sync>;
type Ping<C> =
    Box<dyn for<'a> Fn(&'a mut C) -> BoxFuture<'a, Result<CheckResult, BoxError>> + Send + Sync>;
type Discard<C> = Box<dyn Fn(C) + Send + Sync>;
type Explain = Box<dyn Fn() -> BoxFuture<'static, Result<(), BoxError>> + Send + Sync>;

/// Tests the pool of the application by its counters, and the server by a connection of the pool.
///
/// `counters` is called first. If no connection is idle and the pool may open none, it is saturated: the result is degraded,
/// and the test asks for no connection, because in the queue it would take one from a user. Otherwise `get` takes a
/// connection, and `ping` asks the server something by it. `get` returns [`PoolFull`] if it would have to wait.
///
/// - A busy pool is never a failure. It is stuck, and an error, if the counters say that no connection was
///   [returned](PoolCounters::returned) for [`stuck_after`](Pooled::stuck_after), and every test meanwhile found it saturated.
/// - If the ping fails, the connection is [discarded](Pooled::discard), and the same test takes one more: a server that
///   closes idle connections is no failure.
/// - A connection that is silent is a failure, because a user would wait for it too. After the timeout, it is discarded.
///
/// ```
/// use health_core::Health;
/// use health_indicators::{Indicator as _, PoolCounters, pooled};
/// # use std::io;
/// # struct Ldap;
/// # impl Ldap { async fn ping(&mut self) -> io::Result<()> { Ok(()) } }
/// # #[derive(Clone)] struct Pool;
/// # impl Pool {
/// #     fn open(&self) -> u64 { 1 }
/// #     fn idle(&self) -> u64 { 1 }
/// #     async fn get(self) -> io::Result<Ldap> { Ok(Ldap) }
/// # }
/// # let pool = Pool;
///
/// let (counted, taken) = (pool.clone(), pool.clone());
/// let directory = pooled(
///     move || PoolCounters::new(counted.open(), counted.idle(), 10),
///     move || taken.clone().get(),
///     |ldap| Box::pin(ldap.ping()),
/// );
/// let health = Health::builder().register(directory.check("directory")).build()?;
/// # Ok::<(), health_core::BuildError>(())
/// ```
///
/// | | |
/// |---|---|
/// | class | shared |
/// | timeout | 2 seconds |
/// | connections | one of the pool, for one round trip |
/// | reasons | `saturated` (degraded), `stuck`, `closed`, `timed_out`, `misconfigured`; of an error of the standard library that of its kind, such as `refused`, `reset` or `unreachable`; `failed` |
/// | values | `connections` that are open, `idle`, `max` |
/// | does not prove | while it is saturated, anything about the server: [`kept`](crate::kept) tests it by its own connection |
pub fn pooled<C, E, F, Getting, G, P, PingError>(
    counters: impl Fn() -> PoolCounters + Send + Sync + 'static,
    get: F,
    ping: G,
) -> Pooled<C>
where
    C: Send + 'static,
    F: Fn() -> Getting + Send + Sync + 'static,
    Getting: Future<Output = Result<C, E>> + Send + 'static,
    E: Into<BoxError>,
    G: for<'a> Fn(&'a mut C) -> BoxFuture<'a, Result<P, PingError>> + Send + Sync + 'static,
    P: Send + 'static,
    PingError: Into<BoxError> + Send + 'static,
    Result<P, BoxError>: IntoCheckResult,
{
    let get = move |_| {
        let getting = get();
        Box::pin(async { getting.await.map_err(Into::into) }) as BoxFuture<'static, _>
    };
    Pooled::new(counters, get, ping)
}

/// See [`pooled`].
#[must_use = "an indicator does nothing until its check is registered"]
pub struct Pooled<C> {
    counters: Box<dyn Fn() -> PoolCounters + Send + Sync>,
    get: Get<C>,
    ping: Ping<C>,
    discard: Discard<C>,
    /// Finds out why the pool opens no connection, if it does not tell: it tries to open one outside of the pool.
    explain: Option<Explain>,
    options: Options,
    standstill: Standstill,
}

struct Options {
    class: Class,
    timeout: Duration,
    stuck_after: Duration,
    classify: Classify,
    clock: Clock,
    returns: Option<ReturnCounter>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            class: Class::Shared,
            timeout: DEFAULT_TIMEOUT,
            stuck_after: Duration::from_secs(30),
            classify: |_| None,
            clock: Clock::default(),
            returns: None,
        }
    }
}

impl<C: Send + 'static> Pooled<C> {
    /// As [`pooled`], with a `get` that is told which connection it is asked for.
    pub(crate) fn new<P, PingError>(
        counters: impl Fn() -> PoolCounters + Send + Sync + 'static,
        get: impl Fn(Attempt) -> BoxFuture<'static, Result<C, BoxError>> + Send + Sync + 'static,
        ping: impl for<'a> Fn(&'a mut C) -> BoxFuture<'a, Result<P, PingError>> + Send + Sync + 'static,
    ) -> Self
    where
        P: Send + 'static,
        PingError: Into<BoxError> + Send + 'static,
        Result<P, BoxError>: IntoCheckResult,
    {
        Self {
            counters: Box::new(counters),
            get: Box::new(get),
            ping: Box::new(move |connection| {
                let pinging = ping(connection);
                Box::pin(async {
                    let passed = pinging.await.map_err(Into::into)?;
                    Ok(Ok::<_, BoxError>(passed).into_check_result())
                })
            }),
            discard: Box::new(drop),
            explain: None,
            options: Options::default(),
            standstill: Standstill::default(),
        }
    }

    /// Tries to open a connection outside of the pool if the pool has none after a third of the timeout, so that the
    /// failure tells the cause.
    #[cfg_attr(
        not(any(test, feature = "sqlx-0_9")),
        expect(dead_code, reason = "only a pool that hides causes needs it")
    )]
    pub(crate) fn explained_by(
        mut self,
        explain: impl Fn() -> BoxFuture<'static, Result<(), BoxError>> + Send + Sync + 'static,
    ) -> Self {
        self.explain = Some(Box::new(explain));
        self
    }

    /// The longest time that a test takes. Default: 2 seconds.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.options.timeout = timeout;
        self
    }

    /// How long no connection may be returned to a saturated pool before it is stuck. Choose a time that is longer than
    /// the longest transaction of the application. Default: 30 seconds.
    pub fn stuck_after(mut self, time: Duration) -> Self {
        self.options.stuck_after = time;
        self
    }

    /// The counter of returned connections, unless [`PoolCounters::returned`] tells their number. Default: none, so that
    /// the pool is never reported as stuck.
    pub fn returns(mut self, counter: ReturnCounter) -> Self {
        self.options.returns = Some(counter);
        self
    }

    /// What is done with a connection whose ping failed or was not over in time. Default: it is dropped, which returns it
    /// to a pool that does not look at it.
    pub fn discard(mut self, discard: impl Fn(C) + Send + Sync + 'static) -> Self {
        self.discard = Box::new(discard);
        self
    }

    /// What a failure means. Default: [`Class::Shared`].
    pub fn class(mut self, class: Class) -> Self {
        self.options.class = class;
        self
    }

    /// How to find the [reason](crate::reason) of an error of the driver. It is called with the error and each of its
    /// [causes](Error::source). Default: errors of the standard library only.
    pub fn classify(
        mut self,
        classify: fn(&(dyn Error + 'static)) -> Option<&'static str>,
    ) -> Self {
        self.options.classify = classify;
        self
    }

    /// The clock and timers. Default: [`ThreadRuntime`](health_core::ThreadRuntime).
    pub fn runtime(mut self, runtime: impl Runtime) -> Self {
        self.options.clock = Clock::of(runtime);
        self
    }

    fn counters(&self) -> PoolCounters {
        let counted = || self.options.returns.as_ref().map(ReturnCounter::total);
        (self.counters)().or_returned(counted)
    }

    /// The result of a test that finds the pool saturated.
    fn saturated(&self, counters: &PoolCounters) -> CheckResult {
        let Options { clock, stuck_after, .. } = &self.options;
        let max = counters.max();
        let still_for = self.standstill.observe(clock.now(), counters.total_returned());
        match still_for.filter(|time| time >= stuck_after) {
            Some(time) => CheckResult::error(format!(
                "all {max} connections of the pool are in use, and none was returned for {} s",
                time.as_secs()
            ))
            .reason(reason::STUCK),
            None => {
                let text = format!("all {max} connections of the pool are in use");
                CheckResult::degraded(text).reason(reason::SATURATED)
            }
        }
    }

    /// The result of a test that got no response; `error` is `None` if its time was over.
    fn failed(&self, error: Option<BoxError>, counters: &PoolCounters) -> CheckResult {
        let Options { classify, timeout, .. } = self.options;
        match error {
            Some(error) if error.is::<PoolFull>() => self.saturated(counters),
            Some(error) => match reason_of(&*error, classify) {
                reason::TIMED_OUT if counters.is_full() => self.saturated(counters),
                // The server has no connection left, but the pool has some.
                reason::SATURATED if !counters.is_empty() => degraded(&*error, classify),
                _ => failure(&*error, classify),
            },
            None if counters.is_full() => self.saturated(counters),
            None => {
                let text = format!("no response within {timeout:?}");
                CheckResult::error(text).reason(reason::TIMED_OUT)
            }
        }
    }
}

#[async_trait]
impl<C: Send + 'static> Indicator for Pooled<C> {
    async fn test(&self) -> CheckResult {
        let counters = self.counters();
        if counters.is_closed() {
            let closed = CheckResult::error("the pool is closed").reason(reason::CLOSED);
            return counters.add_to(closed);
        }
        if counters.max() == 0 {
            return misconfigured("the pool may open no connection");
        }
        if counters.is_full() {
            return counters.add_to(self.saturated(&counters));
        }
        self.standstill.end();
        let Options { clock, timeout, .. } = &self.options;
        let started = clock.now();
        // What hangs is dropped before the counters are read again: the pool counts it too.
        let tested = clock.within(*timeout, self.tested()).await;
        if let Some(Ok(result)) = tested {
            let left = timeout.saturating_sub(clock.now().saturating_duration_since(started));
            return self.settled(left).await.add_to(result);
        }
        let counters = self.counters();
        counters.add_to(self.failed(tested.and_then(Result::err), &counters))
    }

    fn timeout(&self) -> Duration {
        self.options.timeout
    }

    fn class(&self) -> Class {
        self.options.class
    }
}

impl<C> fmt::Debug for Pooled<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pooled").field("timeout", &self.options.timeout).finish_non_exhaustive()
    }
}

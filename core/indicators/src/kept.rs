//! One connection that is kept between the tests.

use std::error::Error;
use std::fmt;
use std::future::Future;
use std::pin::pin;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use futures::future::{BoxFuture, Either, select};
use health_core::{CheckResult, IntoCheckResult, Report, Runtime, Status, Unit};

use crate::failure::{BoxError, Classify, failure};
use crate::time::{Clock, DEFAULT_TIMEOUT};
use crate::{Class, Indicator, reason};

type Connect<C> = Box<dyn Fn() -> BoxFuture<'static, Result<C, BoxError>> + Send + Sync>;
type Ping<C> =
    Box<dyn for<'a> Fn(&'a mut C) -> BoxFuture<'a, Result<CheckResult, BoxError>> + Send + Sync>;

/// Tests a server by its own connection, which is kept between the tests.
///
/// `connect` opens a connection, and `ping` asks the server something by it: a round trip, because a connection whose
/// server is gone looks open. `ping` returns `Ok(())` or a [`CheckResult`], or an error; after an error or a result that is
/// an error, the connection is dropped, unless its reason is [`BLOCKED`](reason::BLOCKED).
///
/// - The connection is opened by the first test. If it breaks, the same test opens another one: a server that closes idle
///   connections, or was restarted, is no failure.
/// - If the connection is silent for a third of the timeout, another one is opened, and the first that responds counts.
/// - After a failure, the next connection is opened a [`retry_delay`](Kept::retry_delay) later at the earliest. Tests before
///   that return the last failure.
/// - After the timeout, everything is dropped.
/// - The child of a fork opens its own connection.
///
/// ```
/// use health_core::Health;
/// use health_indicators::{Indicator as _, kept};
/// # use std::io;
/// # struct Ldap;
/// # impl Ldap {
/// #     async fn connect(_: &str) -> io::Result<Self> { Ok(Self) }
/// #     async fn ping(&mut self) -> io::Result<()> { Ok(()) }
/// # }
///
/// let directory = kept(|| Ldap::connect("ldap.example"), |ldap| Box::pin(ldap.ping()));
/// let health = Health::builder().register(directory.check("directory")).build()?;
/// # Ok::<(), health_core::BuildError>(())
/// ```
///
/// | | |
/// |---|---|
/// | class | shared |
/// | timeout | 2 seconds |
/// | connections | one; two while a broken or silent one is replaced. Tests at the same time, which a check never has, need one each |
/// | reasons | `timed_out`; of an error of the standard library that of its kind, such as `refused`, `reset` or `unreachable`; `failed` |
/// | values | `connects`: how many connections were opened so far |
/// | does not prove | that the application's pool has a free connection, or that the server accepts new ones |
pub fn kept<C, E, F, Connecting, G, P, PingError>(connect: F, ping: G) -> Kept<C>
where
    C: Send + 'static,
    F: Fn() -> Connecting + Send + Sync + 'static,
    Connecting: Future<Output = Result<C, E>> + Send + 'static,
    E: Into<BoxError>,
    G: for<'a> Fn(&'a mut C) -> BoxFuture<'a, Result<P, PingError>> + Send + Sync + 'static,
    P: Send + 'static,
    PingError: Into<BoxError> + Send + 'static,
    Result<P, BoxError>: IntoCheckResult,
{
    Kept {
        connect: Box::new(move || {
            let connecting = connect();
            Box::pin(async { connecting.await.map_err(Into::into) })
        }),
        ping: Box::new(move |connection| {
            let pinging = ping(connection);
            Box::pin(async {
                let passed = pinging.await.map_err(Into::into)?;
                Ok(Ok::<_, BoxError>(passed).into_check_result())
            })
        }),
        options: Options::default(),
        state: Mutex::default(),
    }
}

/// See [`kept`].
#[must_use = "an indicator does nothing until its check is registered"]
pub struct Kept<C> {
    connect: Connect<C>,
    ping: Ping<C>,
    options: Options,
    state: Mutex<State<C>>,
}

struct Options {
    class: Class,
    timeout: Duration,
    retry_delay: Duration,
    classify: Classify,
    clock: Clock,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            class: Class::Shared,
            timeout: DEFAULT_TIMEOUT,
            retry_delay: Duration::from_secs(1),
            classify: |_| None,
            clock: Clock::default(),
        }
    }
}

struct State<C> {
    connection: Option<Owned<C>>,
    /// When the last test failed, and how.
    failed: Option<(Instant, CheckResult)>,
    connects: u64,
}

impl<C> Default for State<C> {
    fn default() -> Self {
        Self { connection: None, failed: None, connects: 0 }
    }
}

/// A connection, and the process that opened it. The child of a fork must not use, and not close, what its parent uses: it
/// leaks its copy.
pub(crate) struct Owned<C> {
    connection: Option<C>,
    process: u32,
}

impl<C> Owned<C> {
    pub(crate) fn new(connection: C) -> Self {
        Self { connection: Some(connection), process: std::process::id() }
    }

    pub(crate) fn take(mut self) -> Option<C> {
        if self.process == std::process::id() { self.connection.take() } else { None }
    }
}

impl<C> Drop for Owned<C> {
    fn drop(&mut self) {
        if self.process != std::process::id() {
            std::mem::forget(self.connection.take());
        }
    }
}

/// What a test found out: a connection to keep, with the result of its ping, or a failure.
type Tested<C> = Result<(C, CheckResult), CheckResult>;

impl<C: Send + 'static> Kept<C> {
    /// The longest time that a test takes. Default: 2 seconds.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.options.timeout = timeout;
        self
    }

    /// The time from a failure to the next connection. Default: 1 second.
    pub fn retry_delay(mut self, delay: Duration) -> Self {
        self.options.retry_delay = delay;
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

    #[cfg(feature = "http")]
    pub(crate) fn clock(mut self, clock: Clock) -> Self {
        self.options.clock = clock;
        self
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State<C>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self) -> Option<C> {
        let owned = self.state().connection.take()?;
        owned.take()
    }

    /// The last failure, as long as no connection may be opened.
    fn still_failed(&self) -> Option<CheckResult> {
        let now = self.options.clock.now();
        let state = self.state();
        let (at, failure) = state.failed.as_ref()?;
        let is_over = now.saturating_duration_since(*at) >= self.options.retry_delay;
        (!is_over).then(|| failure.clone())
    }

    fn failure(&self, error: BoxError) -> CheckResult {
        failure(&*error, self.options.classify)
    }

    async fn pinged(&self, mut connection: C) -> Tested<C> {
        let pinged = (self.ping)(&mut connection).await;
        let result = pinged.unwrap_or_else(|error| self.failure(error));
        let report = Report::of("", result.clone());
        match report.status() {
            // Another connection would be blocked, too.
            Status::Error if report.reason() != Some(reason::BLOCKED) => Err(result),
            _ => Ok((connection, result)),
        }
    }

    async fn connected(&self) -> Tested<C> {
        self.state().connects += 1;
        let connection = (self.connect)().await.map_err(|error| self.failure(error))?;
        self.pinged(connection).await
    }

    /// Pings the connection, and replaces it if it breaks or is silent. If it is silent and no other can be opened, `failed`
    /// says why.
    async fn raced(&self, connection: C, failed: &mut Option<CheckResult>) -> Tested<C> {
        let pinged = pin!(self.pinged(connection));
        let patience = pin!(self.options.clock.sleep(self.options.timeout / 3));
        let pinged = match select(pinged, patience).await {
            Either::Left((Ok(alive), _)) => return Ok(alive),
            Either::Left((Err(_), _)) => return self.connected().await,
            Either::Right(((), pinged)) => pinged,
        };
        match select(pinged, pin!(self.connected())).await {
            Either::Left((Ok(alive), _)) | Either::Right((Ok(alive), _)) => Ok(alive),
            Either::Left((Err(_), connected)) => connected.await,
            Either::Right((Err(failure), pinged)) => {
                *failed = Some(failure);
                pinged.await.map_err(|late| failed.take().unwrap_or(late))
            }
        }
    }

    async fn tested(&self) -> CheckResult {
        let Options { clock, timeout, .. } = &self.options;
        let mut failed = None;
        let testing = async {
            match self.take() {
                Some(connection) => self.raced(connection, &mut failed).await,
                None => self.connected().await,
            }
        };
        let tested = clock.within(*timeout, testing).await.unwrap_or_else(|| {
            let text = format!("no response within {timeout:?}");
            Err(failed.unwrap_or_else(|| CheckResult::error(text).reason(reason::TIMED_OUT)))
        });
        let now = clock.now();
        let mut state = self.state();
        match tested {
            Ok((connection, result)) => {
                state.connection = Some(Owned::new(connection));
                state.failed = None;
                result
            }
            Err(failure) => {
                state.failed = Some((now, failure.clone()));
                failure
            }
        }
    }
}

#[async_trait]
impl<C: Send + 'static> Indicator for Kept<C> {
    async fn test(&self) -> CheckResult {
        let result = match self.still_failed() {
            Some(failure) => failure,
            None => self.tested().await,
        };
        result.value("connects", self.state().connects as f64, Unit::Count)
    }

    fn timeout(&self) -> Duration {
        self.options.timeout
    }

    fn class(&self) -> Class {
        self.options.class
    }
}

impl<C> fmt::Debug for Kept<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Kept").field("timeout", &self.options.timeout).finish_non_exhaustive()
    }
}

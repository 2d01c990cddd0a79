//! A test by what the application already has.

use std::error::Error;
use std::fmt;
use std::future::Future;
use std::time::Duration;

use async_trait::async_trait;
use futures::future::BoxFuture;
use health_core::{CheckResult, IntoCheckResult, Runtime};

use crate::failure::{BoxError, Classify, failure};
use crate::time::{Clock, DEFAULT_TIMEOUT};
use crate::{Class, Indicator, reason};

type Pinging = BoxFuture<'static, Result<CheckResult, BoxError>>;

/// Tests a server by a client that the application already has, and that needs no pool: one that sends everything over one
/// connection, or opens one for each request.
///
/// `ping` asks the server something, and returns `Ok(())` or a [`CheckResult`], or an error. It should ask nothing if the
/// client would only store the question until it is connected again. After the timeout, it is dropped.
///
/// ```
/// use health_core::Health;
/// use health_indicators::{Indicator as _, ping};
/// # use std::io;
/// # #[derive(Clone)]
/// # struct Search;
/// # impl Search {
/// #     async fn count(&self) -> io::Result<u64> { Ok(1) }
/// # }
/// # let search = Search;
///
/// let check = ping(move || {
///     let search = search.clone();
///     async move { search.count().await.map(drop) }
/// })
/// .check("search");
/// # drop(Health::builder().register(check).build()?);
/// # Ok::<(), health_core::BuildError>(())
/// ```
///
/// | | |
/// |---|---|
/// | class | shared |
/// | timeout | 2 seconds |
/// | connections | none besides the client's |
/// | reasons | `timed_out`; of an error of the standard library that of its kind, such as `refused`, `reset` or `unreachable`; `failed` |
/// | values | those of `ping` |
/// | does not prove | anything but the response: a client that reconnects, or has a pool, may need longer than the timeout |
pub fn ping<F, Asking, P, E>(ping: F) -> Ping
where
    F: Fn() -> Asking + Send + Sync + 'static,
    Asking: Future<Output = Result<P, E>> + Send + 'static,
    P: Send + 'static,
    E: Into<BoxError> + Send + 'static,
    Result<P, BoxError>: IntoCheckResult,
{
    Ping {
        ping: Box::new(move || {
            let asking = ping();
            Box::pin(async {
                let passed = asking.await.map_err(Into::into)?;
                Ok(Ok::<_, BoxError>(passed).into_check_result())
            })
        }),
        class: Class::Shared,
        timeout: DEFAULT_TIMEOUT,
        classify: |_| None,
        clock: Clock::default(),
    }
}

/// See [`ping`].
#[must_use = "an indicator does nothing until its check is registered"]
pub struct Ping {
    ping: Box<dyn Fn() -> Pinging + Send + Sync>,
    class: Class,
    timeout: Duration,
    classify: Classify,
    clock: Clock,
}

impl Ping {
    /// The longest time that a test takes. Default: 2 seconds.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// What a failure means. Default: [`Class::Shared`].
    pub fn class(mut self, class: Class) -> Self {
        self.class = class;
        self
    }

    /// How to find the [reason](crate::reason) of an error of the driver. It is called with the error and each of its
    /// [causes](Error::source). Default: errors of the standard library only.
    pub fn classify(
        mut self,
        classify: fn(&(dyn Error + 'static)) -> Option<&'static str>,
    ) -> Self {
        self.classify = classify;
        self
    }

    /// The clock and timers. Default: [`ThreadRuntime`](health_core::ThreadRuntime).
    pub fn runtime(mut self, runtime: impl Runtime) -> Self {
        self.clock = Clock::of(runtime);
        self
    }
}

#[async_trait]
impl Indicator for Ping {
    async fn test(&self) -> CheckResult {
        let timeout = self.timeout;
        match self.clock.within(timeout, (self.ping)()).await {
            Some(result) => result.unwrap_or_else(|error| failure(&*error, self.classify)),
            None => {
                let text = format!("no response within {timeout:?}");
                CheckResult::error(text).reason(reason::TIMED_OUT)
            }
        }
    }

    fn timeout(&self) -> Duration {
        self.timeout
    }

    fn class(&self) -> Class {
        self.class
    }
}

impl fmt::Debug for Ping {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ping").field("timeout", &self.timeout).finish_non_exhaustive()
    }
}

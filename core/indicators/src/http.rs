//! Another service, by HTTP/1.1.

mod exchange;
#[cfg(test)]
mod tests;

use std::fmt;
use std::ops::RangeInclusive;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use async_trait::async_trait;
use health_core::{CheckResult, Runtime};
use http::header::{CONTENT_LENGTH, TRANSFER_ENCODING};
use http::{HeaderName, HeaderValue};

use self::exchange::{Connection, Exchange};
use crate::failure::misconfigured;
use crate::kept::kept;
use crate::time::{Clock, DEFAULT_TIMEOUT};
use crate::{Class, Indicator, Kept};

/// Gets a URL such as `http://stock.example/live`, and expects a status from 200 to 299.
///
/// Ask for the *liveness* of the other service. If each service asks for the readiness of the next, one database that is
/// slow takes all of them out of service, and none comes back before the others.
///
/// ```
/// use health_indicators::{Indicator as _, http};
///
/// let check = http("http://stock.example:8080/live").header("authorization", "Bearer …").check("stock");
/// ```
///
/// A redirect is not followed: its status counts. The body is read to its end but not looked at. After 64 KiB the connection
/// is closed, and the status counts. If a kept connection returns a status that is not accepted, a new connection asks once more.
///
/// | | |
/// |---|---|
/// | class | shared |
/// | timeout | 2 seconds, for the name, the connection and the whole response together |
/// | connections | one, as [`kept`](crate::kept()) does; or one per test: [`fresh_connections`](Http::fresh_connections) |
/// | reasons | `status`, `unauthorized` (401 and 403), `name`, `refused`, `unreachable`, `timed_out`, `reset`, `closed`, `protocol`, `misconfigured` |
/// | values | `status`; `connects`, as of [`kept`](crate::kept()) |
/// | cost to the server | one request per test |
/// | does not prove | that the other service can do its work. With a kept connection, that it accepts new ones; behind a load balancer, that more than one instance responds |
///
/// `https` is not supported: a client with TLS needs three lines with [`kept`](crate::kept()).
pub fn http(url: impl AsRef<str>) -> Http {
    Http {
        exchange: Exchange::parse(url.as_ref()),
        timeout: DEFAULT_TIMEOUT,
        retry_delay: None,
        class: Class::Shared,
        clock: Clock::default(),
        kept: OnceLock::new(),
    }
}

/// See [`http()`].
#[must_use = "an indicator does nothing until its check is registered"]
pub struct Http {
    /// Or why there can be none.
    exchange: Result<Exchange, String>,
    timeout: Duration,
    retry_delay: Option<Duration>,
    class: Class,
    clock: Clock,
    /// Made by the first test, when the options are complete.
    kept: OnceLock<Kept<Connection>>,
}

impl Http {
    /// Accepts the status codes of the range. Further calls add ranges. Default: `200..=299`.
    pub fn accept_status(self, codes: RangeInclusive<u16>) -> Self {
        self.with(|exchange| {
            if codes.is_empty() {
                return Err("a range of accepted status codes is empty".to_owned());
            }
            exchange.accepted.push(codes);
            Ok(())
        })
    }

    /// Sends a header. Its value is never shown. A `host` replaces that of the URL. Default: `host` and `user-agent`.
    pub fn header(self, name: impl AsRef<str>, value: impl AsRef<str>) -> Self {
        self.with(|exchange| {
            let name = name.as_ref().parse::<HeaderName>();
            let name = name.map_err(|_| "a header has an invalid name")?;
            if name == CONTENT_LENGTH || name == TRANSFER_ENCODING {
                return Err(format!("the request has no body, and so no header {name}"));
            }
            let value = value.as_ref().parse::<HeaderValue>();
            let value = value.map_err(|_| format!("the header {name} has an invalid value"))?;
            exchange.headers.insert(name, value);
            Ok(())
        })
    }

    /// Opens a connection for each test. Default: one is kept.
    pub fn fresh_connections(self) -> Self {
        self.with(|exchange| {
            exchange.is_fresh = true;
            Ok(())
        })
    }

    /// The longest time that a test takes. Default: 2 seconds.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// The time from a failure to the next connection. Tests before that return the last failure. Default: 1 second.
    pub fn retry_delay(mut self, delay: Duration) -> Self {
        self.retry_delay = Some(delay);
        self
    }

    /// What a failure means. Default: [`Class::Shared`].
    pub fn class(mut self, class: Class) -> Self {
        self.class = class;
        self
    }

    /// The clock and timers. Default: [`ThreadRuntime`](health_core::ThreadRuntime).
    pub fn runtime(mut self, runtime: impl Runtime) -> Self {
        self.clock = Clock::of(runtime);
        self
    }

    /// Changes the exchange. The first mistake is kept.
    fn with(mut self, change: impl FnOnce(&mut Exchange) -> Result<(), String>) -> Self {
        self.exchange = self.exchange.and_then(|mut exchange| {
            change(&mut exchange)?;
            Ok(exchange)
        });
        self
    }

    fn keep(&self, exchange: &Exchange) -> Kept<Connection> {
        let exchange = Arc::new(exchange.clone());
        let connecting = exchange.clone();
        let connect = move || {
            let exchange = connecting.clone();
            async move { exchange.connect().await }
        };
        let kept = kept(connect, move |connection: &mut Connection| {
            let exchange = exchange.clone();
            Box::pin(async move { exchange.get(connection).await })
        });
        let kept = kept.timeout(self.timeout).class(self.class).classify(exchange::classify);
        let kept = kept.clock(self.clock.clone());
        match self.retry_delay {
            Some(delay) => kept.retry_delay(delay),
            None => kept,
        }
    }
}

#[async_trait]
impl Indicator for Http {
    async fn test(&self) -> CheckResult {
        match &self.exchange {
            Ok(exchange) => self.kept.get_or_init(|| self.keep(exchange)).test().await,
            Err(mistake) => misconfigured(mistake),
        }
    }

    fn timeout(&self) -> Duration {
        self.timeout
    }

    fn class(&self) -> Class {
        self.class
    }
}

impl fmt::Debug for Http {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Http")
            .field("exchange", &self.exchange)
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}

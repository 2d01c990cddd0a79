//! An indicator: a row of the matrix.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use async_trait::async_trait;
use futures::future::BoxFuture;
use health_core::Check;
use serde_json::json;

use crate::Key;
use crate::case::Case;

/// The time between two tests.
pub(crate) const PERIOD: Duration = Duration::from_millis(500);
/// From a failure to the next connection.
pub(crate) const RETRY_DELAY: Duration = Duration::from_millis(500);

/// The same of librdkafka, by its `reconnect.backoff.max.ms`, and because it looks once a second for what is silent.
pub(crate) const KAFKA_RETRY_DELAY: Duration = Duration::from_secs(2);

/// How long a pool returns no connection until it is stuck.
pub(crate) const STUCK_AFTER: Duration = Duration::from_secs(2);

/// What an indicator is to test.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) password: &'static str,
    pub(crate) timeout: Duration,
    pub(crate) directory: PathBuf,
    pub(crate) key: Key,
}

impl Target {
    pub(crate) fn new(address: SocketAddr, directory: PathBuf, case: Case) -> Self {
        Self {
            directory,
            key: Key::default(),
            host: address.ip().to_string(),
            port: address.port(),
            password: if case == Case::WrongPassword { "wrong" } else { "first" },
            timeout: case.timeout(),
        }
    }

    pub(crate) fn address(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }
}

/// An indicator, and what of this program it tests.
pub(crate) struct Made {
    pub(crate) check: Check,
    /// The pool of the application.
    pub(crate) pool: Option<Box<dyn ApplicationPool>>,
    /// Uses up what the indicator looks at, in the case [`Case::NoWrites`].
    pub(crate) fill: Option<Fill>,
}

impl Made {
    pub(crate) fn new(check: Check) -> Self {
        Self { check, pool: None, fill: None }
    }

    pub(crate) fn of_pool(check: Check, pool: impl ApplicationPool + 'static) -> Self {
        Self { pool: Some(Box::new(pool)), ..Self::new(check) }
    }
}

/// Uses something up, until what is returned is dropped. It may block its thread for a moment.
pub(crate) type Fill = fn() -> anyhow::Result<Box<dyn Send>>;

/// The pool of an application, which uses it.
#[async_trait]
pub(crate) trait ApplicationPool: Send + Sync {
    /// Takes a connection, uses it for a moment, and returns it.
    async fn work(&self) -> anyhow::Result<()>;

    /// Takes all connections, until what is returned is dropped.
    async fn hold(&self) -> anyhow::Result<Box<dyn Send>>;
}

type Make = Box<dyn Fn(Target) -> BoxFuture<'static, anyhow::Result<Made>> + Send + Sync>;

pub(crate) struct Row {
    pub(crate) name: &'static str,
    make: Make,
    /// The cases that apply.
    pub(crate) cases: Vec<Case>,
    /// The connections that tests of a healthy server open, and the most that may be open at the same time.
    pub(crate) connections: Connections,
    /// From a failure to the next attempt.
    pub(crate) retry_delay: Duration,
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Connections {
    /// One; two while a broken or silent one is replaced.
    Kept,
    /// None that a proxy sees.
    None,
    /// One for each test.
    EachTime,
    /// Those of a pool, and one outside of it for a moment, if it opens none and does not tell why.
    Pool(u64),
    /// One, until the broker has told another address.
    OfKafka,
}

impl Connections {
    /// The most that `tests` of a healthy server open.
    pub(crate) fn opened(self, tests: u64) -> u64 {
        match self {
            Self::None => 0,
            Self::Kept => 1,
            Self::EachTime => tests,
            Self::Pool(size) => size + 1,
            Self::OfKafka => 2,
        }
    }

    /// The most that are open at the same time, whatever happens.
    pub(crate) fn at_once(self) -> u64 {
        match self {
            Self::None => 0,
            // The end of the last connection and the begin of the next one can be seen in any order.
            Self::Kept | Self::EachTime | Self::OfKafka => 2,
            Self::Pool(size) => size + 1,
        }
    }

    /// How many tests use the connections that last.
    pub(crate) fn settled_after(self) -> u32 {
        match self {
            Self::OfKafka => 4,
            _ => 1,
        }
    }

    /// For a healthy server, as the matrix shows it.
    pub(crate) fn healthy(self) -> String {
        match self {
            Self::None => "–".to_owned(),
            Self::Kept => "1".to_owned(),
            Self::EachTime => "1 per test".to_owned(),
            Self::Pool(size) => format!("of the pool of {size}"),
            Self::OfKafka => "1, then another".to_owned(),
        }
    }
}

impl Row {
    /// An indicator to which the `cases` apply.
    pub(crate) fn new(
        name: &'static str,
        cases: &[Case],
        make: impl Fn(Target) -> Check + Send + Sync + 'static,
    ) -> Self {
        Self::of(name, cases, move |target| Ok(Made::new(make(target))))
    }

    /// An indicator that may have to fail before it is one.
    pub(crate) fn of(
        name: &'static str,
        cases: &[Case],
        make: impl Fn(Target) -> anyhow::Result<Made> + Send + Sync + 'static,
    ) -> Self {
        let connections = Connections::Kept;
        let make =
            move |target| Box::pin(std::future::ready(make(target))) as BoxFuture<'static, _>;
        Self {
            name,
            make: Box::new(make),
            cases: cases.to_vec(),
            connections,
            retry_delay: RETRY_DELAY,
        }
    }

    /// An indicator of the pool of an application, of `size` connections.
    pub(crate) fn of_pool<Making>(
        name: &'static str,
        size: u64,
        cases: &[Case],
        make: impl Fn(Target) -> Making + Send + Sync + 'static,
    ) -> Self
    where
        Making: Future<Output = anyhow::Result<Made>> + Send + 'static,
    {
        let connections = Connections::Pool(size);
        let make = move |target| Box::pin(make(target)) as BoxFuture<'static, _>;
        Self {
            name,
            make: Box::new(make),
            cases: cases.to_vec(),
            connections,
            retry_delay: Duration::ZERO,
        }
    }

    /// Is told by the broker where to connect.
    pub(crate) fn of_kafka(self) -> Self {
        Self { connections: Connections::OfKafka, retry_delay: KAFKA_RETRY_DELAY, ..self }
    }

    /// Opens no connection through a proxy, and does not wait after a failure.
    pub(crate) fn without_connections(self) -> Self {
        Self { connections: Connections::None, ..self }.without_retry_delay()
    }

    /// Does not wait after a failure.
    pub(crate) fn without_retry_delay(self) -> Self {
        Self { retry_delay: Duration::ZERO, ..self }
    }

    /// What the matrix shows of the row itself.
    pub(crate) fn describe(&self) -> serde_json::Value {
        json!({
            "healthy": self.connections.healthy(),
            "at_once": self.connections.at_once(),
            "waits": !self.retry_delay.is_zero(),
        })
    }

    /// Opens a connection for each test.
    pub(crate) fn connects_each_time(self) -> Self {
        Self { connections: Connections::EachTime, ..self }
    }

    /// The name of a host for this indicator alone.
    pub(crate) fn host(&self, server: &str) -> String {
        let letters = self.name.chars().filter(char::is_ascii_alphanumeric);
        format!("{}-{server}.test", letters.collect::<String>().to_lowercase())
    }

    pub(crate) async fn make(&self, target: Target) -> anyhow::Result<Made> {
        (self.make)(target).await
    }
}

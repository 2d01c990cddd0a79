//! An indicator: a row of the matrix.

use std::net::SocketAddr;
use std::time::Duration;

use async_trait::async_trait;
use futures::future::BoxFuture;
use health_core::Check;

use crate::case::Case;

/// The time between two tests.
pub(crate) const PERIOD: Duration = Duration::from_millis(500);
/// From a failure to the next connection.
pub(crate) const RETRY_DELAY: Duration = Duration::from_millis(500);

/// What an indicator is to test.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) password: &'static str,
    pub(crate) timeout: Duration,
}

impl Target {
    pub(crate) fn new(address: SocketAddr, case: Case) -> Self {
        Self {
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

/// An indicator, and the application around it if it tests its pool.
pub(crate) struct Made {
    pub(crate) check: Check,
    pub(crate) pool: Option<Box<dyn ApplicationPool>>,
}

impl From<Check> for Made {
    fn from(check: Check) -> Self {
        Self { check, pool: None }
    }
}

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
}

impl Row {
    /// An indicator to which the `cases` apply.
    pub(crate) fn new<F, Making, M>(name: &'static str, cases: &[Case], make: F) -> Self
    where
        F: Fn(Target) -> Making + Send + Sync + 'static,
        Making: Future<Output = anyhow::Result<M>> + Send + 'static,
        M: Into<Made>,
    {
        Self {
            name,
            make: Box::new(move |target| {
                let making = make(target);
                Box::pin(async { making.await.map(Into::into) })
            }),
            cases: cases.to_vec(),
        }
    }

    pub(crate) async fn make(&self, target: Target) -> anyhow::Result<Made> {
        (self.make)(target).await
    }
}

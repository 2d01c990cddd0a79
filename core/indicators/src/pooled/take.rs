//! Takes a connection of the pool and pings it.

use std::pin::pin;
use std::time::Duration;

use futures::future::{Either, select};
use health_core::CheckResult;

use super::{Discard, Options, PoolCounters, Pooled};
use crate::failure::BoxError;

/// Which connection of a test is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Attempt {
    First,
    /// The ping of the first failed.
    Second,
}

impl<C: Send + 'static> Pooled<C> {
    /// Takes a connection, or finds out why there is none.
    async fn taken(&self, attempt: Attempt) -> Result<C, BoxError> {
        let Options { clock, timeout, .. } = &self.options;
        let getting = (self.get)(attempt);
        let Some(explain) = &self.explain else {
            return getting.await;
        };
        let getting = match select(getting, pin!(clock.sleep(*timeout / 3))).await {
            Either::Left((got, _)) => return got,
            Either::Right(((), getting)) => getting,
        };
        match select(getting, explain()).await {
            Either::Left((got, _)) => got,
            Either::Right((Ok(()), getting)) => getting.await,
            Either::Right((Err(error), _)) => Err(error),
        }
    }

    async fn pinged(&self, connection: C) -> Result<CheckResult, BoxError> {
        let mut lent = Lent { connection: None, discard: &self.discard };
        let result = (self.ping)(lent.connection.insert(connection)).await?;
        drop(lent.connection.take());
        Ok(result)
    }

    /// Pings a connection of the pool, and one more if the first is broken.
    pub(super) async fn tested(&self) -> Result<CheckResult, BoxError> {
        let connection = self.taken(Attempt::First).await?;
        if let Ok(result) = self.pinged(connection).await {
            return Ok(result);
        }
        let connection = self.taken(Attempt::Second).await?;
        self.pinged(connection).await
    }

    /// The counters once a connection is idle, or a moment later. Some pools take a connection back in a separate task: the
    /// next test, which may follow at once, should not find it in use. It waits no longer than the test has `left`.
    pub(super) async fn settled(&self, left: Duration) -> PoolCounters {
        let clock = &self.options.clock;
        let looking = async {
            for _ in 0..LOOKS {
                if self.counters().has_idle() {
                    break;
                }
                clock.sleep(LOOK_PERIOD).await;
            }
        };
        clock.within(left, looking).await;
        self.counters()
    }
}

/// How often, and how far apart, it is looked whether the connection of the test is back.
const LOOKS: u32 = 10;
const LOOK_PERIOD: Duration = Duration::from_millis(2);

/// A connection that is discarded unless it is taken out before.
struct Lent<'a, C> {
    connection: Option<C>,
    discard: &'a Discard<C>,
}

impl<C> Drop for Lent<'_, C> {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take() {
            (self.discard)(connection);
        }
    }
}

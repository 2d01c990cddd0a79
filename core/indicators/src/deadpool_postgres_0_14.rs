//! PostgreSQL by a pool of [`deadpool_postgres`](::deadpool_postgres_0_14) 0.14.
//!
//! ```
//! # extern crate deadpool_postgres_0_14 as deadpool_postgres;
//! # extern crate tokio_postgres_0_7 as tokio_postgres;
//! use deadpool_postgres::{Manager, Pool};
//! use health_core::Health;
//! use health_indicators::{Indicator as _, deadpool_postgres_0_14};
//! use tokio_postgres::NoTls;
//!
//! let manager = Manager::new("host=db.example user=shop".parse()?, NoTls);
//! let (builder, returns) = deadpool_postgres_0_14::count_returns(Pool::builder(manager).max_size(20));
//! let pool = builder.build()?;
//! let database = deadpool_postgres_0_14::pool(&pool).returns(returns);
//! let health = Health::builder().register(database.check("database")).build()?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The program must run on tokio.

use std::error::Error as StdError;
use std::time::Duration;

use ::deadpool_postgres_0_14::{Hook, Object, Pool, PoolBuilder, PoolError, TimeoutType, Timeouts};
use ::tokio_postgres_0_7::Error;
use futures::future::BoxFuture;
use health_core::IntoCheckResult;

use crate::failure::BoxError;
use crate::tokio_postgres_0_7::{reasons, test, test_writable};
use crate::{PoolCounters, PoolFull, Pooled, ReturnCounter, reason};

/// Tests the pool of the application, and PostgreSQL by an empty query on a connection of the pool: see
/// [`pooled`](crate::pooled).
///
/// A connection that looks open may be dead, because deadpool by default sends nothing when it hands one out. If the query
/// fails, the connection is taken out of the pool.
///
/// | | |
/// |---|---|
/// | class | shared |
/// | timeout | 2 seconds |
/// | connections | one of the pool |
/// | reasons | those of [`pooled`](crate::pooled), and `unauthorized`, `missing`, `starting`, `name`, `tls`, `protocol` |
/// | values | `connections` that are open or being opened, `idle`, `max` |
/// | permissions | to connect |
/// | costs the server | an empty query |
/// | does not prove | that the server accepts writes: see [`writable_pool`] |
///
/// A pool that is full of users who wait for a silent server is saturated, and stuck only if its connections are
/// [counted](count_returns).
pub fn pool(pool: &Pool) -> Pooled<Object> {
    pooled_by(pool, |connection| Box::pin(test(connection)))
}

/// As [`pool`], and tests whether the server accepts writes, as [`writable`](crate::tokio_postgres_0_7::writable) does.
pub fn writable_pool(pool: &Pool) -> Pooled<Object> {
    pooled_by(pool, |connection| Box::pin(test_writable(connection)))
}

/// Counts the connections that a pool hands out, so that [`pool`] can report it as [stuck](Pooled::stuck_after). It adds two
/// hooks to those of the application, and replaces none.
pub fn count_returns(builder: PoolBuilder) -> (PoolBuilder, ReturnCounter) {
    let returns = ReturnCounter::default();
    let hook = || {
        let counter = returns.clone();
        Hook::sync_fn(move |_, _| {
            counter.count();
            Ok(())
        })
    };
    let builder = builder.post_create(hook()).post_recycle(hook());
    (builder, returns)
}

fn pooled_by<P, G>(pool: &Pool, ping: G) -> Pooled<Object>
where
    P: Send + 'static,
    G: for<'a> Fn(&'a mut Object) -> BoxFuture<'a, Result<P, Error>> + Send + Sync + 'static,
    Result<P, BoxError>: IntoCheckResult,
{
    let (counted, taken) = (pool.clone(), pool.clone());
    Pooled::new(move || counters(&counted), move |_| Box::pin(take(taken.clone())), ping)
        .discard(|connection| drop(Object::take(connection)))
        .classify(reason_of)
}

fn counters(pool: &Pool) -> PoolCounters {
    let status = pool.status();
    let count = |number: usize| number.try_into().unwrap_or(u64::MAX);
    // A user for whom a connection is being opened waits too.
    let size = status.size.saturating_add(status.waiting).min(status.max_size);
    PoolCounters::new(count(size), count(status.available), count(status.max_size))
        .closed(pool.is_closed())
}

async fn take(pool: Pool) -> Result<Object, BoxError> {
    let timeouts = Timeouts { wait: Some(Duration::ZERO), ..pool.timeouts() };
    match pool.timeout_get(&timeouts).await {
        Err(PoolError::Timeout(TimeoutType::Wait)) => Err(PoolFull.into()),
        got => Ok(got?),
    }
}

fn reason_of(error: &(dyn StdError + 'static)) -> Option<&'static str> {
    match error.downcast_ref::<PoolError>() {
        None => reasons::reason_of(error),
        Some(PoolError::Timeout(_)) => Some(reason::TIMED_OUT),
        Some(PoolError::Closed) => Some(reason::CLOSED),
        Some(PoolError::NoRuntimeSpecified) => Some(reason::MISCONFIGURED),
        Some(PoolError::Backend(_) | PoolError::PostCreateHook(_)) => None,
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::SocketAddr;
    use std::time::Duration;

    use ::deadpool_postgres_0_14::{Manager, Pool};
    use ::tokio_postgres_0_7::NoTls;
    use health_core::Report;

    use super::{PoolFull, count_returns, pool, take};
    use crate::misbehaving::serve;
    use crate::{Indicator as _, Pooled};

    const AUTHENTICATED: &[u8] = b"R\0\0\0\x08\0\0\0\0Z\0\0\0\x05I";
    const EMPTY: &[u8] = b"I\0\0\0\x04Z\0\0\0\x05I";

    /// Responds to this number of queries on each connection, and then no more.
    fn postgres(queries: usize) -> SocketAddr {
        serve(move |mut stream| {
            let mut buffer = [0; 1024];
            let mut response = AUTHENTICATED;
            for _ in 0..=queries {
                if !stream.read(&mut buffer).is_ok_and(|read| read > 0) {
                    return;
                }
                stream.write_all(response).unwrap();
                response = EMPTY;
            }
            while stream.read(&mut buffer).is_ok_and(|read| read > 0) {}
        })
    }

    fn manager(server: SocketAddr) -> Manager {
        let config = format!("host={} port={} user=shop", server.ip(), server.port());
        Manager::new(config.parse().unwrap(), NoTls)
    }

    async fn reason<C: Send + 'static>(pooled: &Pooled<C>) -> String {
        let test = tokio::time::timeout(Duration::from_secs(10), pooled.test());
        let report = Report::of("database", test.await.expect("the indicator ends in time"));
        report.reason().unwrap_or(report.status().as_str()).to_owned()
    }

    #[tokio::test]
    async fn all_tests_share_one_connection_until_the_pool_is_full_or_closed() {
        let builder = Pool::builder(manager(postgres(1000))).max_size(2);
        let (builder, returns) = count_returns(builder);
        let open = builder.build().unwrap();
        let indicator = pool(&open).returns(returns.clone()).stuck_after(Duration::ZERO);
        for tests in 1..=100 {
            assert_eq!(reason(&indicator).await, "OK");
            assert_eq!((open.status().size, returns.total()), (1, tests));
        }
        let held = (open.get().await.unwrap(), open.get().await.unwrap());
        assert_eq!(reason(&indicator).await, "saturated");
        assert_eq!(reason(&indicator).await, "stuck");
        drop(held);
        assert_eq!(reason(&indicator).await, "OK");
        open.close();
        assert_eq!(reason(&indicator).await, "closed");
    }

    #[tokio::test]
    async fn a_pool_whose_users_all_wait_for_a_connection_to_open_is_full() {
        let silent =
            serve(|mut stream| while stream.read(&mut [0; 64]).is_ok_and(|read| read > 0) {});
        let opening = Pool::builder(manager(silent)).max_size(1).build().unwrap();
        let user = tokio::spawn({
            let opening = opening.clone();
            async move { opening.get().await.map(drop) }
        });
        while opening.status().waiting == 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        let report = Report::of("database", pool(&opening).test().await);
        assert_eq!(report.reason(), Some("saturated"));
        assert_eq!(report.values()[0].number(), 1.0, "{report:?}");
        let error = take(opening).await.unwrap_err();
        assert!(error.is::<PoolFull>(), "{error}");
        user.abort();
    }

    #[tokio::test]
    async fn a_silent_connection_leaves_the_pool() {
        let open = Pool::builder(manager(postgres(1))).max_size(2).build().unwrap();
        let indicator = pool(&open).timeout(Duration::from_millis(300));
        assert_eq!(reason(&indicator).await, "OK");
        assert_eq!(reason(&indicator).await, "timed_out");
        assert_eq!(open.status().size, 0);
        assert_eq!(reason(&indicator).await, "OK");
    }
}

//! Databases of [`sqlx`](::sqlx_0_9) 0.9: PostgreSQL, MySQL, MariaDB and SQLite. The program chooses them by the features of
//! sqlx.
//!
//! ```
//! # extern crate sqlx_0_9 as sqlx;
//! use health_core::Health;
//! use health_indicators::{Indicator as _, sqlx_0_9};
//!
//! fn health<DB: sqlx::Database>(pool: &sqlx::Pool<DB>) -> Result<Health, health_core::BuildError> {
//!     Health::builder().register(sqlx_0_9::pool(pool).check("database")).build()
//! }
//! ```

mod reasons;
mod writable;

use ::sqlx_0_9::pool::{PoolConnection, PoolOptions};
use ::sqlx_0_9::{ConnectOptions as _, Connection, Database, Executor, Pool};
use futures::future::BoxFuture;
use health_core::IntoCheckResult;

use self::reasons::reason_of;
use self::writable::test_writable;
use crate::failure::BoxError;
use crate::pooled::Attempt;
use crate::{Kept, PoolCounters, PoolFull, Pooled, ReturnCounter, kept};

/// Tests the pool of the application, and the database by a connection of the pool: see [`pooled`](crate::pooled).
///
/// | | |
/// |---|---|
/// | class | shared |
/// | timeout | 2 seconds |
/// | connections | one of the pool; one outside of it, for a moment, if the pool opens none and does not tell why |
/// | reasons | those of [`pooled`](crate::pooled), and `unauthorized`, `missing`, `starting`, `name`, `tls`, `protocol` |
/// | values | `connections` that are open, `idle`, `max` |
/// | permissions | to connect |
/// | cost to the server | two pings of its protocol: one of the test, one when sqlx returns the connection |
/// | does not prove | that a query succeeds, or that the server accepts writes: see [`writable_pool`] |
///
/// A pool that is full of users who wait for a silent server is saturated, and stuck only if returned connections are
/// [counted](count_returns). An idle connection is taken without the hook `before_acquire`.
pub fn pool<DB: Database>(pool: &Pool<DB>) -> Pooled<PoolConnection<DB>> {
    pooled_by(pool, |connection| Box::pin(connection.ping()))
}

/// As [`pool`], and tests whether the database accepts writes, by one query: an error with the reason `read_only` if it does
/// not.
///
/// It finds a PostgreSQL that is a standby or reads only by default, and a MySQL or MariaDB that reads only. Other databases
/// are an error with the reason `misconfigured`.
pub fn writable_pool<DB: Database>(pool: &Pool<DB>) -> Pooled<PoolConnection<DB>>
where
    for<'c> &'c mut DB::Connection: Executor<'c, Database = DB>,
{
    pooled_by(pool, |connection| Box::pin(test_writable::<DB>(connection)))
}

/// Tests the database by its own connection: see [`kept`].
///
/// ```
/// # extern crate sqlx_0_9 as sqlx;
/// use health_core::Check;
/// use health_indicators::{Indicator as _, sqlx_0_9};
///
/// fn check<C: sqlx::Connection + 'static>(options: C::Options) -> Check {
///     sqlx_0_9::connection::<C>(options).check("database")
/// }
/// ```
///
/// | | |
/// |---|---|
/// | class | shared |
/// | timeout | 2 seconds |
/// | connections | one; two while a broken or silent one is replaced |
/// | reasons | those of [`kept`], and `unauthorized`, `missing`, `saturated` (the server), `starting`, `name`, `tls`, `protocol` |
/// | values | `connects` |
/// | permissions | to connect |
/// | cost to the server | a ping of its protocol |
/// | does not prove | that the application's pool has a free connection, that a query succeeds, or that the server accepts writes: see [`writable_connection`] |
pub fn connection<C: Connection + 'static>(options: C::Options) -> Kept<C> {
    kept_by(options, |connection: &mut C| Box::pin(connection.ping()))
}

/// As [`connection`], and tests whether the database accepts writes, as [`writable_pool`] does.
pub fn writable_connection<C: Connection + 'static>(options: C::Options) -> Kept<C>
where
    for<'c> &'c mut C: Executor<'c, Database = C::Database>,
{
    kept_by(options, |connection: &mut C| Box::pin(test_writable::<C::Database>(connection)))
}

/// Counts the connections that are returned to a pool, so that [`pool`] can report it as [stuck](Pooled::stuck_after).
///
/// ```
/// # extern crate sqlx_0_9 as sqlx;
/// use health_core::Check;
/// use health_indicators::{Indicator as _, sqlx_0_9};
/// use sqlx::pool::PoolOptions;
///
/// fn check<C: sqlx::Connection>(options: C::Options) -> Check
/// where
///     C::Database: sqlx::Database<Connection = C>,
/// {
///     let (pool, returns) = sqlx_0_9::count_returns(PoolOptions::<C::Database>::new().max_connections(20));
///     let pool = pool.connect_lazy_with(options);
///     sqlx_0_9::pool(&pool).returns(returns).check("database")
/// }
/// ```
///
/// It sets the hook `after_release`, of which a pool has one: a hook that was set before is lost, and one that is set later
/// replaces it. If the application has its own, make a [`ReturnCounter`] and [count](ReturnCounter::count) in that hook.
pub fn count_returns<DB: Database>(options: PoolOptions<DB>) -> (PoolOptions<DB>, ReturnCounter) {
    let returns = ReturnCounter::default();
    let counter = returns.clone();
    let options = options.after_release(move |_, _| {
        counter.count();
        Box::pin(async { Ok(true) })
    });
    (options, returns)
}

fn kept_by<C, P, G>(options: C::Options, ping: G) -> Kept<C>
where
    C: Connection + 'static,
    P: Send + 'static,
    G: for<'a> Fn(&'a mut C) -> BoxFuture<'a, Result<P, ::sqlx_0_9::Error>> + Send + Sync + 'static,
    Result<P, BoxError>: IntoCheckResult,
{
    let connect = move || {
        let options = options.clone();
        async move { options.connect().await }
    };
    kept(connect, ping).classify(reason_of)
}

fn pooled_by<DB, P, G>(pool: &Pool<DB>, ping: G) -> Pooled<PoolConnection<DB>>
where
    DB: Database,
    P: Send + 'static,
    G: for<'a> Fn(&'a mut DB::Connection) -> BoxFuture<'a, Result<P, ::sqlx_0_9::Error>>
        + Send
        + Sync
        + 'static,
    Result<P, BoxError>: IntoCheckResult,
{
    let (counted, taken, explained) = (pool.clone(), pool.clone(), pool.clone());
    Pooled::new(
        move || counters(&counted),
        move |attempt| Box::pin(take(taken.clone(), attempt)),
        move |connection: &mut PoolConnection<DB>| ping(connection),
    )
    // Returned, it would be pinged without a timeout, and would occupy its place for as long as the server is silent.
    .discard(|connection| drop(connection.detach()))
    // While the server refuses connections, is full or starts, the pool tries again until its own timeout.
    .explained_by(move || {
        let options = explained.connect_options();
        Box::pin(async move {
            let connection = options.connect().await?;
            Ok(connection.close().await?)
        })
    })
    .classify(reason_of)
}

fn counters<DB: Database>(pool: &Pool<DB>) -> PoolCounters {
    let size = u64::from(pool.size());
    // In a pool that is used up at once, this number is below zero for moments.
    let idle = u64::try_from(pool.num_idle()).ok().filter(|idle| *idle <= size);
    let max = u64::from(pool.options().get_max_connections());
    PoolCounters::new(size, idle.unwrap_or(0), max).closed(pool.is_closed())
}

async fn take<DB: Database>(
    pool: Pool<DB>,
    attempt: Attempt,
) -> Result<PoolConnection<DB>, BoxError> {
    // If one idle connection is broken, so are probably the others, and `acquire` opens a new one instead.
    if attempt == Attempt::First {
        if let Some(connection) = pool.try_acquire() {
            return Ok(connection);
        }
    }
    if pool.size() >= pool.options().get_max_connections() && !pool.is_closed() {
        return Err(PoolFull.into());
    }
    Ok(pool.acquire().await?)
}

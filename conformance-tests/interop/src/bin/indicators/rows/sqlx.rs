//! Databases, by sqlx 0.9.

use std::time::Duration;

use async_trait::async_trait;
use health_indicators::{Indicator as _, Kept, Pooled, sqlx_0_9};
use sqlx::mysql::{MySqlConnectOptions, MySqlConnection};
use sqlx::pool::{PoolConnection, PoolOptions};
use sqlx::postgres::{PgConnectOptions, PgConnection, PgSslMode};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{Connection, Database, Pool, Postgres, Sqlite};
use tokio::time::sleep;

use super::{OF_LOGIN, OF_NETWORK, OF_POOL, of_connection, of_pool};
use crate::case::Case::{self, Up};
use crate::row::{ApplicationPool, Made, RETRY_DELAY, Row, STUCK_AFTER, Target};

const POOL_SIZE: u32 = 2;

pub(crate) fn postgres() -> Vec<Row> {
    vec![
        pool("`sqlx_0_9::pool`", &of_pool(), of_postgres, sqlx_0_9::pool::<Postgres>),
        pool(
            "`sqlx_0_9::writable_pool`",
            &of_pool(),
            of_postgres,
            sqlx_0_9::writable_pool::<Postgres>,
        ),
        kept("`sqlx_0_9::connection`", &of_connection(), |target| {
            sqlx_0_9::connection::<PgConnection>(of_postgres(target))
        }),
        kept("`sqlx_0_9::writable_connection`", &of_connection(), |target| {
            sqlx_0_9::writable_connection::<PgConnection>(of_postgres(target))
        }),
    ]
}

/// The pooler is not asked for writes: that is for the database.
pub(super) fn pgbouncer() -> Vec<Row> {
    let of_pool = [&OF_NETWORK[..], &OF_LOGIN, &OF_POOL].concat();
    let of_connection = [&OF_NETWORK[..], &OF_LOGIN].concat();
    vec![
        pool("`sqlx_0_9::pool`", &of_pool, of_postgres, sqlx_0_9::pool::<Postgres>),
        kept("`sqlx_0_9::connection`", &of_connection, |target| {
            sqlx_0_9::connection::<PgConnection>(of_postgres(target))
        }),
        kept("`sqlx_0_9::writable_connection`", &of_connection, |target| {
            sqlx_0_9::writable_connection::<PgConnection>(of_postgres(target))
        }),
    ]
}

pub(super) fn mariadb() -> Vec<Row> {
    vec![
        pool(
            "`sqlx_0_9::writable_pool`",
            &of_pool(),
            of_mariadb,
            sqlx_0_9::writable_pool::<sqlx::MySql>,
        ),
        kept("`sqlx_0_9::connection`", &of_connection(), |target| {
            sqlx_0_9::connection::<MySqlConnection>(of_mariadb(target))
        }),
        kept("`sqlx_0_9::writable_connection`", &of_connection(), |target| {
            sqlx_0_9::writable_connection::<MySqlConnection>(of_mariadb(target))
        }),
    ]
}

/// A file, which no network breaks.
pub(super) fn sqlite() -> Row {
    let options = |target: &Target| {
        let file = target.directory.join("sqlite");
        SqliteConnectOptions::new().filename(file).create_if_missing(true)
    };
    let cases = [&[Up], &OF_POOL[..]].concat();
    pool("`sqlx_0_9::pool`, SQLite", &cases, options, sqlx_0_9::pool::<Sqlite>)
}

pub(crate) fn of_postgres(target: &Target) -> PgConnectOptions {
    let options = PgConnectOptions::new_without_pgpass().host(&target.host).port(target.port);
    options.username("app").password(target.password).database("app").ssl_mode(PgSslMode::Disable)
}

fn of_mariadb(target: &Target) -> MySqlConnectOptions {
    let options = MySqlConnectOptions::new().host(&target.host).port(target.port);
    options.username("app").password(target.password).database("app")
}

fn kept<C: Connection + 'static>(
    name: &'static str,
    cases: &[Case],
    indicator: impl Fn(&Target) -> Kept<C> + Send + Sync + 'static,
) -> Row {
    Row::new(name, cases, move |target| {
        let kept = indicator(&target).timeout(target.timeout);
        kept.retry_delay(RETRY_DELAY).check("database")
    })
}

fn pool<DB: Database>(
    name: &'static str,
    cases: &[Case],
    options: impl Fn(&Target) -> <DB::Connection as Connection>::Options + Send + Sync + 'static,
    indicator: fn(&Pool<DB>) -> Pooled<PoolConnection<DB>>,
) -> Row {
    Row::of_pool(name, POOL_SIZE.into(), cases, move |target| {
        let options = options(&target);
        let pool = PoolOptions::new().max_connections(POOL_SIZE).acquire_timeout(target.timeout);
        let (pool, returns) = sqlx_0_9::count_returns(pool);
        let pool = pool.connect_lazy_with(options);
        let pooled = indicator(&pool).returns(returns).stuck_after(STUCK_AFTER);
        let check = pooled.timeout(target.timeout).check("database");
        std::future::ready(Ok(Made::of_pool(check, UsedPool(pool))))
    })
}

/// The pool of an application.
struct UsedPool<DB: Database>(Pool<DB>);

#[async_trait]
impl<DB: Database> ApplicationPool for UsedPool<DB> {
    async fn work(&self) -> anyhow::Result<()> {
        let connection = self.0.acquire().await?;
        sleep(Duration::from_millis(5)).await;
        drop(connection);
        Ok(())
    }

    async fn hold(&self) -> anyhow::Result<Box<dyn Send>> {
        let mut held = Vec::new();
        for _ in 0..POOL_SIZE {
            held.push(self.0.acquire().await?);
        }
        Ok(Box::new(held))
    }
}

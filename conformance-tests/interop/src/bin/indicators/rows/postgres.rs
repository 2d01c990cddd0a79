//! PostgreSQL, by tokio-postgres and deadpool.

use std::time::Duration;

use async_trait::async_trait;
use deadpool_postgres::{Manager, Object, Pool};
use health_indicators::{Indicator as _, Pooled, deadpool_postgres_0_14, tokio_postgres_0_7};
use tokio::time::sleep;
use tokio_postgres::{Config, NoTls};

use super::{of_connection, of_pool};
use crate::row::{ApplicationPool, Made, RETRY_DELAY, Row, STUCK_AFTER, Target};

const POOL_SIZE: usize = 2;

pub(super) fn rows() -> Vec<Row> {
    vec![
        Row::new("`tokio_postgres_0_7::connection`", &of_connection(), |target| {
            let kept = tokio_postgres_0_7::connection(config(&target), NoTls);
            kept.timeout(target.timeout).retry_delay(RETRY_DELAY).check("database")
        }),
        Row::new("`tokio_postgres_0_7::writable`", &of_connection(), |target| {
            let kept = tokio_postgres_0_7::writable(config(&target), NoTls);
            kept.timeout(target.timeout).retry_delay(RETRY_DELAY).check("database")
        }),
        pool("`deadpool_postgres_0_14::pool`", deadpool_postgres_0_14::pool),
        pool("`deadpool_postgres_0_14::writable_pool`", deadpool_postgres_0_14::writable_pool),
    ]
}

fn config(target: &Target) -> Config {
    let mut config = Config::new();
    config.host(&target.host).port(target.port);
    config.user("app").password(target.password).dbname("app");
    config
}

fn pool(name: &'static str, indicator: fn(&Pool) -> Pooled<Object>) -> Row {
    let size = POOL_SIZE.try_into().unwrap_or(u64::MAX);
    Row::of_pool(name, size, &of_pool(), move |target| async move {
        let builder = Pool::builder(Manager::new(config(&target), NoTls)).max_size(POOL_SIZE);
        let (builder, returns) = deadpool_postgres_0_14::count_returns(builder);
        let pool = builder.build()?;
        let pooled = indicator(&pool).returns(returns).stuck_after(STUCK_AFTER);
        let check = pooled.timeout(target.timeout).check("database");
        Ok(Made::of_pool(check, UsedPool(pool)))
    })
}

/// The pool of an application.
struct UsedPool(Pool);

#[async_trait]
impl ApplicationPool for UsedPool {
    async fn work(&self) -> anyhow::Result<()> {
        let connection = self.0.get().await?;
        sleep(Duration::from_millis(5)).await;
        drop(connection);
        Ok(())
    }

    async fn hold(&self) -> anyhow::Result<Box<dyn Send>> {
        let mut held = Vec::new();
        for _ in 0..POOL_SIZE {
            held.push(self.0.get().await?);
        }
        Ok(Box::new(held))
    }
}

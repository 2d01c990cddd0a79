//! An application that keeps its whole pool busy.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::pin::pin;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use futures::future::{Either, select, try_join_all};
use health_core::{Endpoint, Health, State, ThreadRuntime};
use health_indicators::{Class, Indicator as _, ReturnCounter, sqlx_0_9};
use sqlx::pool::PoolOptions;
use sqlx::{PgPool, Postgres};
use tokio::time::sleep;

use super::figure;
use crate::case::Case;
use crate::row::Target;
use crate::rows::sqlx::of_postgres;

const POOL_SIZE: u32 = 4;
const WORKERS: u32 = 8;
const RUN: Duration = Duration::from_secs(2);
/// Pairs of a run with the check and one without.
const PAIRS: usize = 30;
/// The periods of the check, and of the load balancer.
const EVERY: Duration = Duration::from_secs(1);
const POLL: Duration = Duration::from_millis(100);

/// Compares the queries per second with and without the check, in pairs: the machine may have other work.
pub(super) async fn measure(server: SocketAddr) -> anyhow::Result<()> {
    let options = of_postgres(&Target::new(server, PathBuf::new(), Case::Up));
    let pool = PoolOptions::<Postgres>::new().max_connections(POOL_SIZE);
    let (pool, returns) = sqlx_0_9::count_returns(pool);
    let pool = pool.connect_lazy_with(options);
    // The first run warms up.
    load(&pool).await?;
    let (mut ratios, mut rates, mut polls) = (Vec::new(), Vec::new(), Polls::default());
    for pair in 0..PAIRS {
        let with_first = pair % 2 == 0;
        let before = if with_first { None } else { Some(load(&pool).await?) };
        let with = checked(&pool, &returns, &mut polls).await?;
        let without = match before {
            Some(rate) => rate,
            None => load(&pool).await?,
        };
        ratios.push(with / without);
        rates.push(without);
    }
    let work = format!("a pool of {POOL_SIZE}, kept busy by {WORKERS} workers");
    let Polls { all, others } = polls;
    figure(&work, &format!("{others} of {all} responses of the readiness endpoint were not 200"));
    let result = format!(
        "{:.3} ({:.3} to {:.3}) of {:.0} queries per second without the check",
        quartile(&ratios, 2),
        quartile(&ratios, 1),
        quartile(&ratios, 3),
        quartile(&rates, 2)
    );
    let of = format!("median (and quartiles) of {PAIRS} pairs of runs of {RUN:?}");
    figure(&format!("{work}: throughput with the check, each {EVERY:?}; {of}"), &result);
    Ok(())
}

/// The polls of a load balancer, and those whose response was not 200.
#[derive(Default)]
struct Polls {
    all: u32,
    others: u32,
}

/// The queries per second while the pool is checked, and the endpoint polled.
async fn checked(pool: &PgPool, returns: &ReturnCounter, polls: &mut Polls) -> anyhow::Result<f64> {
    // Its failure would be that of the endpoint.
    let check = sqlx_0_9::pool(pool).returns(returns.clone()).class(Class::Local);
    let check = check.timeout(EVERY / 2);
    let health = Health::builder()
        .register(check.check("pool").every(EVERY))
        .endpoint(Endpoint::readiness("/ready"))
        .build()?;
    // Until the check has run, nothing is ready.
    health.start_on(ThreadRuntime);
    let ready = health.at("/ready").context("there is no /ready")?;
    ensure!(ready.watch().wait_for(State::Ok).await, "it does not get ready");
    let polling = async {
        loop {
            polls.all += 1;
            polls.others += u32::from(ready.respond("").await.status() != 200);
            sleep(POLL).await;
        }
    };
    match select(pin!(polling), pin!(load(pool))).await {
        Either::Left((never, _)) => never,
        Either::Right((rate, _)) => rate,
    }
}

/// The queries per second of an application that does nothing else. It has its own task, which no poll wakes and whose queries
/// wake no poll.
async fn load(pool: &PgPool) -> anyhow::Result<f64> {
    tokio::spawn(queries(pool.clone())).await?
}

async fn queries(pool: PgPool) -> anyhow::Result<f64> {
    let start = Instant::now();
    let worker = async || -> anyhow::Result<u32> {
        let mut queries = 0;
        while start.elapsed() < RUN {
            sqlx::query("SELECT 1").execute(&pool).await?;
            queries += 1;
        }
        Ok(queries)
    };
    let queries = try_join_all((0..WORKERS).map(|_| worker())).await?;
    Ok(f64::from(queries.into_iter().sum::<u32>()) / start.elapsed().as_secs_f64())
}

/// The first, second or third quartile of the values.
fn quartile(values: &[f64], quarters: usize) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() * quarters / 4).copied().unwrap_or(f64::NAN)
}

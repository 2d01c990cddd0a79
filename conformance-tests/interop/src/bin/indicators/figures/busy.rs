//! An application that keeps its whole pool busy.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use futures::future::try_join_all;
use health_core::{Endpoint, Health, State, ThreadRuntime};
use health_indicators::{Class, Indicator as _, sqlx_0_9};
use sqlx::pool::PoolOptions;
use sqlx::{PgPool, Postgres};
use tokio::time::sleep;

use super::figure;
use crate::case::Case;
use crate::row::Target;
use crate::rows::sqlx::of_postgres;

const POOL_SIZE: u32 = 4;
const WORKERS: u32 = 8;
const RUN: Duration = Duration::from_secs(3);
/// Runs with the check, and as many without.
const RUNS: usize = 15;
/// The periods of the check, and of the load balancer.
const EVERY: Duration = Duration::from_secs(1);
const POLL: Duration = Duration::from_millis(100);

/// Compares the queries per second with and without the check, in turns: the machine may have other work.
pub(super) async fn measure(server: SocketAddr) -> anyhow::Result<()> {
    let options = of_postgres(&Target::new(server, PathBuf::new(), Case::Up));
    let pool = PoolOptions::<Postgres>::new().max_connections(POOL_SIZE);
    let (pool, returns) = sqlx_0_9::count_returns(pool);
    let pool = pool.connect_lazy_with(options);
    // The first run warms up.
    load(&pool).await?;
    let (mut with, mut without, mut polls, mut others) = (Vec::new(), Vec::new(), 0, 0);
    for _ in 0..RUNS {
        without.push(load(&pool).await?);
        // Its failure would be that of the endpoint.
        let check = sqlx_0_9::pool(&pool).returns(returns.clone()).class(Class::Local);
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
                polls += 1;
                others += u32::from(ready.respond("").await.status() != 200);
                sleep(POLL).await;
            }
        };
        tokio::select! {
            () = polling => {}
            rate = load(&pool) => with.push(rate?),
        }
    }
    let (with, without) = (median(with)?, median(without)?);
    let work = format!("a pool of {POOL_SIZE}, kept busy by {WORKERS} workers");
    figure(&work, &format!("{others} of {polls} responses of the readiness endpoint were not 200"));
    let result =
        format!("{:.3} of {without:.0} queries per second without the check", with / without);
    figure(
        &format!(
            "{work}: throughput with the check, each {EVERY:?}; medians of {RUNS} runs of {RUN:?}"
        ),
        &result,
    );
    Ok(())
}

/// The queries per second of an application that does nothing else.
async fn load(pool: &PgPool) -> anyhow::Result<f64> {
    let start = Instant::now();
    let worker = async || -> anyhow::Result<u32> {
        let mut queries = 0;
        while start.elapsed() < RUN {
            sqlx::query("SELECT 1").execute(pool).await?;
            queries += 1;
        }
        Ok(queries)
    };
    let queries = try_join_all((0..WORKERS).map(|_| worker())).await?;
    Ok(f64::from(queries.into_iter().sum::<u32>()) / start.elapsed().as_secs_f64())
}

fn median(mut rates: Vec<f64>) -> anyhow::Result<f64> {
    ensure!(!rates.is_empty(), "there were no runs");
    rates.sort_by(f64::total_cmp);
    Ok(rates[rates.len() / 2])
}

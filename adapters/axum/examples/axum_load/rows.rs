//! The rows of the table.

use std::io;
use std::time::{Duration, Instant};

use tokio::task::JoinSet;
use tokio::time::{interval, sleep};

use crate::client::{Connection, DEEP, ERROR, OK};
use crate::plain::meanwhile;
use crate::testee::Testee;

pub(crate) const NAMES: [&str; 8] =
    ["async-100", "async-1000", "blocking-100", "shared", "broken", "blocked", "leaving", "stuck"];

pub(crate) async fn measure(name: &str) -> io::Result<()> {
    let testee = Testee::start(name)?;
    match name {
        "async-100" => asynchronous(testee, "100", "60 ms").await,
        "async-1000" => asynchronous(testee, "1,000", "120 ms").await,
        "blocking-100" => blocking(testee).await,
        "shared" => shared(testee).await,
        "broken" => broken(testee, "one panics, one is fine").await,
        "blocked" => broken(testee, "one panics, one is fine, an async one blocks too").await,
        "leaving" => leaving(testee).await,
        _ => stuck(testee).await,
    }
}

fn print(work: &str, expected: &str, measured: impl std::fmt::Display) {
    println!("| {work} | {expected} | {measured} |");
}

fn print_plain(measured: &str) {
    print("— plain polls meanwhile, p99", "≤ 5 x idle", measured);
}

/// Polls deeply `times` times, one after the other, and says how long each took.
async fn deep_polls(
    testee: &Testee,
    times: usize,
    expected: (u16, &str),
) -> io::Result<Vec<Duration>> {
    let mut client = Connection::open(testee.address).await?;
    let mut took = Vec::new();
    for _ in 0..times {
        let start = Instant::now();
        client.ask(DEEP, expected).await?;
        took.push(start.elapsed());
    }
    Ok(took)
}

fn median_and_worst(mut times: Vec<Duration>) -> String {
    times.sort_unstable();
    let (median, worst) = (times[times.len() / 2], times[times.len() - 1]);
    let count = times.len();
    format!("{median:.1?}, the median of {count}; worst {worst:.1?}")
}

async fn asynchronous(testee: Testee, checks: &str, expected: &str) -> io::Result<()> {
    // The first one also starts the threads.
    let first = deep_polls(&testee, 1, OK).await?[0];
    let (times, plain) = meanwhile(&testee, deep_polls(&testee, 20, OK)).await?;
    let alone = deep_polls(&testee, 20, OK).await?;
    let work = format!("{checks} async checks of 50 ms, one deep poll");
    let times = format!(
        "{}; without other polls {}; the first {first:.1?}",
        median_and_worst(times),
        median_and_worst(alone)
    );
    print(&work, &format!("≤ {expected}"), times);
    print_plain(&plain);
    Ok(())
}

async fn blocking(testee: Testee) -> io::Result<()> {
    let threads = async {
        sleep(Duration::from_millis(100)).await;
        testee.threads()
    };
    let work = async {
        let (times, threads) = tokio::join!(deep_polls(&testee, 5, OK), threads);
        Ok((times?, threads?))
    };
    let ((times, threads), plain) = meanwhile(&testee, work).await?;
    let work = "100 blocking checks of 50 ms, one deep poll";
    print(work, "≤ 400 ms", median_and_worst(times));
    let (own, ours) = threads.own_and_ours();
    let threads = format!("{} of {}: {}", ours, own + ours, threads.ours());
    print("— threads meanwhile", "≤ 16 that block", threads);
    print_plain(&plain);
    Ok(())
}

/// 2,000 clients that connect first, then ask all at once; how long the slowest waited for its answer.
async fn crowd(testee: &Testee, target: &'static str) -> io::Result<Duration> {
    let mut clients = Vec::new();
    for _ in 0..2_000 {
        clients.push(Connection::open(testee.address).await?);
    }
    let mut askers = JoinSet::new();
    for mut client in clients {
        askers.spawn(async move {
            let start = Instant::now();
            client.ask(target, OK).await?;
            Ok(start.elapsed())
        });
    }
    let times: io::Result<Vec<_>> = askers.join_all().await.into_iter().collect();
    Ok(times?.into_iter().max().unwrap_or_default())
}

async fn executions(testee: &Testee) -> io::Result<usize> {
    let mut client = Connection::open(testee.address).await?;
    client.send("/executions", 1).await?;
    let (_, body) = client.receive().await?;
    body.parse().map_err(io::Error::other)
}

async fn shared(testee: Testee) -> io::Result<()> {
    let work = async {
        let (mut times, mut runs) = (Vec::new(), Vec::new());
        for _ in 0..5 {
            let before = executions(&testee).await?;
            times.push(crowd(&testee, DEEP).await?);
            runs.push(executions(&testee).await? - before);
        }
        Ok((times, runs))
    };
    let ((times, runs), plain) = meanwhile(&testee, work).await?;
    let work = "2,000 deep polls at once of a check of 300 ms";
    print(work, "≤ 2 executions", format_args!("{runs:?}"));
    print("— the last is answered", "≤ 600 ms", median_and_worst(times));
    print_plain(&plain);

    let by_hand = async {
        let mut times = Vec::new();
        for _ in 0..5 {
            times.push(crowd(&testee, "/by-hand").await?);
        }
        Ok(times)
    };
    let (times, plain) = meanwhile(&testee, by_hand).await?;
    let work = "the same of a handler that sleeps 300 ms, the last is answered";
    print(work, "", median_and_worst(times));
    print("— plain polls meanwhile, p99", "", plain);
    Ok(())
}

async fn broken(testee: Testee, others: &str) -> io::Result<()> {
    let (times, plain) = meanwhile(&testee, deep_polls(&testee, 3, ERROR)).await?;
    let work = format!("one check hangs, one blocks for a minute, {others}");
    let times = times.iter().map(|time| format!("{} ms", time.as_millis()));
    let times = times.collect::<Vec<_>>().join(", ");
    print(&work, "≤ 1,050 ms, 503", format_args!("{times}; 503 each"));
    print_plain(&plain);
    let log = testee.log()?;
    let records = log.lines().filter(|line| line.contains("Health response:"));
    let mut results = records.filter_map(|record| record.split_once("ERROR (["));
    let fine = r#"{"name":"fine","status":"OK","message":null}"#;
    assert!(results.all(|(_, results)| results.contains(fine)), "{log}");
    assert_eq!(log.matches(fine).count(), 3, "{log}");
    print("— the fine one in the log", "OK", "OK each time");
    Ok(())
}

async fn leaving(testee: Testee) -> io::Result<()> {
    let work = async {
        let before = executions(&testee).await?;
        let start = Instant::now();
        let mut ticks = interval(Duration::from_millis(2));
        let mut clients = JoinSet::new();
        for _ in 0..2_000 {
            ticks.tick().await;
            let address = testee.address;
            clients.spawn(async move {
                let mut client = Connection::open(address).await?;
                client.send(DEEP, 1).await?;
                sleep(Duration::from_millis(20)).await;
                Ok(())
            });
        }
        let left: io::Result<Vec<()>> = clients.join_all().await.into_iter().collect();
        left?;
        let elapsed = start.elapsed();
        Ok((executions(&testee).await? - before, elapsed))
    };
    let ((runs, elapsed), plain) = meanwhile(&testee, work).await?;
    let allowed = elapsed.as_secs_f64() / 0.3 + 2.0;
    let took = deep_polls(&testee, 1, OK).await?[0];
    let work = "2,000 clients that leave after 20 ms, a check of 300 ms";
    let expected = format!("≤ {allowed:.1} executions in {elapsed:.1?}");
    print(work, &expected, runs);
    print("— who asks next", "200 OK", format_args!("200 OK after {took:.1?}"));
    print_plain(&plain);
    Ok(())
}

/// Asks `count` times on each of 8 connections, 50 at a time.
async fn flood(
    testee: &Testee,
    target: &'static str,
    count: usize,
    expected: (u16, &'static str),
) -> io::Result<()> {
    let mut clients = JoinSet::new();
    for _ in 0..8 {
        let mut client = Connection::open(testee.address).await?;
        clients.spawn(async move {
            for _ in 0..count / 8 / 50 {
                client.send(target, 50).await?;
                for _ in 0..50 {
                    client.expect(expected).await?;
                }
            }
            Ok(())
        });
    }
    let done: io::Result<Vec<()>> = clients.join_all().await.into_iter().collect();
    done.map(drop)
}

async fn stuck(testee: Testee) -> io::Result<()> {
    const PLAIN: &str = "/health";
    deep_polls(&testee, 1, ERROR).await?;
    flood(&testee, PLAIN, 100_000, OK).await?;
    flood(&testee, DEEP, 10_000, ERROR).await?;

    let (threads, resident) = (testee.threads()?, testee.resident()?);
    let start = Instant::now();
    flood(&testee, PLAIN, 1_000_000, OK).await?;
    let plain = start.elapsed();
    let after_plain = testee.resident()? - resident;
    flood(&testee, DEEP, 100_000, ERROR).await?;
    let deep = start.elapsed() - plain;
    let growth = testee.resident()? - resident;

    let work = "1,000,000 plain polls, then 100,000 deep ones, while a check is stuck";
    print(work, "", format_args!("{plain:.1?}, {deep:.1?}"));
    let after = testee.threads()?;
    let (own, before) = threads.own_and_ours();
    let (own_after, ours) = after.own_and_ours();
    let measured = format!("{ours} ({}), {before} before", after.ours());
    let measured = format!("{measured}; the server's own {own_after}, {own} before");
    print("— threads of the library", "≤ 1 + 2", measured);
    let measured =
        format!("{growth} KiB, {after_plain} of them by the plain ones; {resident} KiB before");
    print("— memory grows by", "≤ 2,048 KiB", measured);
    Ok(())
}

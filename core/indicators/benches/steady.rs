//! Memory, threads, files and connections of a program with 100 indicators, while it is probed.
//!
//! `cargo bench -p health-indicators --features tcp --bench steady -- 100000`: so many probes.

#![expect(clippy::unwrap_used, reason = "a benchmark that fails ends")]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use std::{env, fs};

use health_core::{Health, HealthConfig, State, Unit};
use health_indicators::{
    Indicator as _, file_age, gauge, kept, memory, memory_pressure, open_files, threads,
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

#[tokio::main]
async fn main() {
    let last = env::args().nth(1).and_then(|probes| probes.parse().ok()).unwrap_or(10_000_u64);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let server = listener.local_addr().unwrap();
    let accepted = Arc::new(AtomicUsize::new(0));
    let counted = accepted.clone();
    tokio::spawn(async move {
        loop {
            let (connection, _) = listener.accept().await.unwrap();
            counted.fetch_add(1, Ordering::Relaxed);
            tokio::spawn(echo(connection));
        }
    });

    let mut builder = Health::builder().config(HealthConfig::default().with_disablefile(""));
    for at in 0..94 {
        let server = kept(move || TcpStream::connect(server), |stream| Box::pin(ping(stream)));
        builder = builder.register(server.check(format!("server-{at}")));
    }
    let health = builder
        .register(memory().check("memory"))
        .register(memory_pressure().check("memory-pressure"))
        .register(open_files().check("open-files"))
        .register(threads().check("threads"))
        .register(file_age("/proc/self/exe").check("program"))
        .register(gauge(Unit::Count, || Ok::<_, String>(1.0)).check("number"))
        .build()
        .unwrap();

    let start = Instant::now();
    println!("probes seconds resident_kib threads files connections failures");
    let mut failures = 0;
    for probe in 1..=last {
        let response = health.respond("checks=all").await;
        failures += u64::from(response.state() == State::Failing);
        if probe == last || [1, 1_000, 10_000, 20_000, 50_000].contains(&probe) {
            // Threads that the library starts while the machine is busy end.
            tokio::time::sleep(Duration::from_secs(3)).await;
            let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
            let field = |key| {
                let mut lines = status.lines().filter_map(|line| line.strip_prefix(key));
                lines.next().and_then(|rest| rest.split_whitespace().next()).unwrap_or("?")
            };
            let files = fs::read_dir("/proc/self/fd").map_or(0, Iterator::count);
            println!(
                "{probe} {:.0} {} {} {files} {} {failures}",
                start.elapsed().as_secs_f64(),
                field("VmRSS:"),
                field("Threads:"),
                accepted.load(Ordering::Relaxed),
            );
        }
    }
}

async fn echo(mut connection: TcpStream) {
    let mut byte = [0];
    while connection.read_exact(&mut byte).await.is_ok() {
        if connection.write_all(&byte).await.is_err() {
            return;
        }
    }
}

async fn ping(stream: &mut TcpStream) -> std::io::Result<()> {
    let mut byte = [1];
    stream.write_all(&byte).await?;
    stream.read_exact(&mut byte).await?;
    Ok(())
}

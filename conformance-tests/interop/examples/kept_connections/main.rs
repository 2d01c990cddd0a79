//! The load of `kept-connections`: clients that keep a connection each while the server drains.
//!
//! Each client sends a request, and keeps its connection. Then the program prints `READY`, and waits for a line on its
//! standard input: the drain begins. A share of the clients sends another request, at a random time of the first
//! seconds, and expects `Connection: close` in its response. The others send nothing. When all connections have ended,
//! the program prints a line of JSON: the times in milliseconds since the line at which clients were told, and at which
//! the connections of the others were closed.

use std::io::stdin;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use clap::Parser;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::sleep_until;

#[derive(Parser)]
struct Options {
    /// The port of 127.0.0.1 on which the server listens.
    #[arg(long)]
    port: u16,
    /// The number of connections.
    #[arg(long, default_value_t = 10_000)]
    connections: usize,
    /// The share of the clients that send another request.
    #[arg(long, default_value_t = 0.5)]
    share: f64,
    /// The seconds within which they send it.
    #[arg(long, default_value_t = 4.0)]
    within: f64,
}

/// How a connection has ended, and when.
enum End {
    Told(Duration),
    Idle(Duration),
    /// No response came, or one that does not announce the end.
    Lost,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    let (begin, began) = watch::channel(None);
    let mut clients = JoinSet::new();
    for number in 0..options.connections {
        let mut stream = TcpStream::connect(("127.0.0.1", options.port)).await?;
        let response = ask(&mut stream).await?.context("no response")?;
        if announces_close(&response) {
            bail!("a response without a drain announces the end of its connection");
        }
        let asks = (number as f64) < options.share * options.connections as f64;
        let pause = asks.then(|| Duration::from_secs_f64(fastrand::f64() * options.within));
        clients.spawn(run(stream, pause, began.clone()));
    }
    println!("READY");
    let line = tokio::task::spawn_blocking(|| stdin().read_line(&mut String::new()));
    if line.await?? == 0 {
        bail!("the standard input has ended");
    }
    begin.send_replace(Some(Instant::now()));
    let (mut told, mut idle, mut lost) = (Vec::new(), Vec::new(), 0);
    while let Some(ended) = clients.join_next().await {
        match ended?? {
            End::Told(time) => told.push(time.as_millis()),
            End::Idle(time) => idle.push(time.as_millis()),
            End::Lost => lost += 1,
        }
    }
    println!("{}", json!({"told": told, "idle": idle, "lost": lost}));
    Ok(())
}

/// Follows a connection to its end.
async fn run(
    mut stream: TcpStream,
    pause: Option<Duration>,
    mut began: watch::Receiver<Option<Instant>>,
) -> anyhow::Result<End> {
    let Some(began) = *began.wait_for(Option::is_some).await? else {
        bail!("no beginning");
    };
    let mut told = None;
    if let Some(pause) = pause {
        sleep_until((began + pause).into()).await;
        match ask(&mut stream).await {
            Ok(Some(response)) if announces_close(&response) => told = Some(began.elapsed()),
            _ => return Ok(End::Lost),
        }
    }
    // A reset is an end, too.
    let rest = stream.read(&mut [0; 16]).await.unwrap_or(0);
    Ok(match told {
        _ if rest > 0 => End::Lost,
        Some(told) => End::Told(told),
        None => End::Idle(began.elapsed()),
    })
}

/// Sends a request, and returns the complete response; `None` if the connection ends before.
async fn ask(stream: &mut TcpStream) -> anyhow::Result<Option<String>> {
    stream.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").await?;
    let mut response = Vec::new();
    while !response.ends_with(b"\r\n\r\nthe application\n") {
        let mut bytes = [0; 1024];
        match stream.read(&mut bytes).await? {
            0 => return Ok(None),
            count => response.extend_from_slice(&bytes[..count]),
        }
    }
    Ok(Some(String::from_utf8(response)?))
}

fn announces_close(response: &str) -> bool {
    response.lines().any(|line| line.eq_ignore_ascii_case("connection: close"))
}

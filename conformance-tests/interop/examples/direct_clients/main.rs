//! The load of `direct-clients`: clients that have no load balancer, keep their connections, and repeat no request.
//!
//! A client is a connection to one of the instances. It goes to the next instance only when its connect is refused.
//! Half of its requests are `GET /` and half are `POST /orders`, each after a random pause. A request is *sent* when
//! one of its bytes was written. It is *lost* if no complete response follows. It is repeated only if nothing was
//! written, or if HTTP/2 says that it was not processed.
//!
//! For each line on its standard input, the program prints a line of JSON with the counts up to then. When its input
//! ends, it waits for the responses that are due, prints the last line, and ends.

mod fleet;
mod http1;
mod http2;

use std::io::stdin;
use std::rc::Rc;
use std::thread;

use anyhow::Context as _;
use clap::{Parser, ValueEnum};
use tokio::sync::mpsc;
use tokio::task::{JoinSet, LocalSet};

use crate::fleet::Fleet;

#[derive(Parser)]
struct Options {
    /// The ports of 127.0.0.1 on which the instances listen.
    #[arg(long = "port", required = true)]
    ports: Vec<u16>,
    /// The number of connections.
    #[arg(long, default_value_t = 64)]
    connections: usize,
    /// The protocol; HTTP/2 is with prior knowledge.
    #[arg(long, default_value = "1.1")]
    http: Http,
    /// The requests that a connection of HTTP/2 has at the same time, at most.
    #[arg(long, default_value_t = 4)]
    streams: usize,
    /// The longest pause between two requests of a connection, in milliseconds.
    #[arg(long, default_value_t = 200)]
    pause: u64,
    /// Ignores `Connection: close` and GOAWAY, and keeps sending on the connection until it is closed.
    #[arg(long)]
    ignore: bool,
    /// With HTTP/1.1, looks whether the connection was closed meanwhile, before it sends a request.
    #[arg(long)]
    look: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum Http {
    #[value(name = "1.1")]
    One,
    #[value(name = "2")]
    Two,
}

fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    LocalSet::new().block_on(&runtime, run(options))
}

async fn run(options: Options) -> anyhow::Result<()> {
    let fleet = Rc::new(Fleet::new(options));
    let mut clients = JoinSet::new();
    for number in 0..fleet.options.connections {
        match fleet.options.http {
            Http::One => clients.spawn_local(http1::run(Rc::clone(&fleet), number)),
            Http::Two => clients.spawn_local(http2::run(Rc::clone(&fleet), number)),
        };
    }
    let mut lines = lines();
    while !fleet.stopping.get() {
        tokio::select! {
            line = lines.recv() => match line {
                Some(()) => println!("{}", fleet.report()),
                None => fleet.stopping.set(true),
            },
            Some(ended) = clients.join_next() => ended.context("a client panicked")??,
        }
    }
    while let Some(ended) = clients.join_next().await {
        ended.context("a client panicked")??;
    }
    println!("{}", fleet.report());
    Ok(())
}

/// Receives something for each line of the standard input.
fn lines() -> mpsc::UnboundedReceiver<()> {
    let (send, receive) = mpsc::unbounded_channel();
    thread::spawn(move || {
        for _ in stdin().lines().map_while(Result::ok) {
            if send.send(()).is_err() {
                return;
            }
        }
    });
    receive
}

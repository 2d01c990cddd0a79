//! HAProxy's agent check: a line of text for whoever connects.

use std::future::Future;
use std::io;
use std::net::ToSocketAddrs;
use std::time::Duration;

use health_core::{EndpointHandle, Health, State};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::timeout;

use super::{Answerer, Context, Listener, Stream, open_tcp};

/// How long a client may take to read the line and to close.
const PATIENCE: Duration = Duration::from_secs(5);

/// How much of what a client sends is read: far more than any `agent-send`.
const INPUT: u64 = 64 * 1024;

/// Tells HAProxy's agent check at `address` what the endpoint at `path` finds, until the process ends.
///
/// HAProxy connects, may send what `agent-send` says, and reads one line: `up ready` for what is ok or degraded,
/// `drain` in maintenance and while draining, `down #starting`, or `down #failing`. So it knows of a maintenance
/// whatever the endpoints' codes are; `docs/own-listener.md` has the configuration.
///
/// ```no_run
/// use health_core::{Endpoint, Health};
///
/// let health = Health::builder().endpoint(Endpoint::readiness("/ready")).build()?;
/// health_hyper::agent_check("0.0.0.0:8081", health.clone(), "/ready")?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// Each line is an answer of the endpoint to a request without a query: checks run for it where the endpoint runs them
/// always, as [readiness](health_core::Endpoint::readiness) does, and the log says what it says of any answer.
///
/// For where it runs, which runtime checks find, and how many may connect, see [`listen`](crate::listen).
///
/// # Errors
///
/// The address cannot be bound, there is no endpoint at `path`, or the system has no thread to give.
pub fn agent_check(
    address: impl ToSocketAddrs,
    health: Health,
    path: &str,
) -> io::Result<Listener> {
    let endpoint = health.at(path).ok_or_else(|| {
        let error = format!("no health endpoint at {path}");
        io::Error::new(io::ErrorKind::InvalidInput, error)
    })?;
    health.start_on_tokio();
    let context = Context::current();
    open_tcp(address, Agent { endpoint, context })
}

struct Agent {
    endpoint: EndpointHandle,
    context: Context,
}

impl Answerer for Agent {
    fn answer(&self, stream: impl Stream) -> impl Future<Output = ()> + Send + 'static {
        let (endpoint, context) = (self.endpoint.clone(), self.context.clone());
        async move {
            let answer = context.within(endpoint.respond("")).await;
            // A client that has gone, or hangs, is its own loss.
            let _ = timeout(PATIENCE, say(stream, line(answer.state()))).await;
        }
    }
}

/// What HAProxy is told. A word that is not said leaves its part of the server's state as it was: only `ready`
/// ends a `drain`. Never `maint`, which would end HAProxy's own checks too.
fn line(state: State) -> &'static str {
    match state {
        State::Ok | State::Degraded => "up ready\n",
        // Not `up`: a server that is down has not been found healthy.
        State::Maintenance | State::Draining => "drain\n",
        // The space is needed: HAProxy does not know the word `down#starting`.
        State::Starting => "down #starting\n",
        State::Failing => "down #failing\n",
    }
}

async fn say(mut stream: impl Stream, line: &str) -> io::Result<()> {
    stream.write_all(line.as_bytes()).await?;
    stream.shutdown().await?;
    // With input unread, closing resets the connection, and the reset may overtake the line.
    let mut input = stream.take(INPUT);
    tokio::io::copy(&mut input, &mut tokio::io::sink()).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use health_core::Health;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};
    use tokio::time::{Instant, timeout};

    use super::{Agent, Answerer as _, Context, PATIENCE};

    fn agent() -> Agent {
        let health = Health::builder().build().unwrap();
        let endpoint = health.at("/health").unwrap();
        let context = Context::current();
        Agent { endpoint, context }
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_does_not_read_or_does_not_close_is_dropped() {
        for room in [1, 1024] {
            let (_client, server) = duplex(room);
            let start = Instant::now();
            let ended = timeout(PATIENCE * 3, agent().answer(server)).await;
            assert!(ended.is_ok());
            assert!(start.elapsed() >= PATIENCE, "{:?}", start.elapsed());
        }
    }

    #[tokio::test]
    async fn what_a_client_sends_is_read_also_after_the_line() {
        let (mut client, server) = duplex(8);
        let answered = tokio::spawn(agent().answer(server));
        let mut line = String::new();
        client.read_to_string(&mut line).await.unwrap();
        assert_eq!(line, "up ready\n");
        client.write_all(b"the name of a server\n").await.unwrap();
        drop(client);
        answered.await.unwrap();
    }
}

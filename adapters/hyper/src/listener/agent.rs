//! HAProxy's agent check: a line of text for each connection.

use std::future::Future;
use std::io;
use std::net::{IpAddr, ToSocketAddrs};

use health_core::{EndpointHandle, Health, HealthRequest, State};
use tokio::io::AsyncWriteExt as _;

use super::progress::{Phase, Progress};
use super::{Context, Listener, Protocol, Stream, close, tcp};

/// Responds to HAProxy's agent check at `address` with the state of the endpoint at `path`, until the process ends.
///
/// HAProxy connects, may send the text of `agent-send`, and reads one line: `up ready` if the state is ok or degraded,
/// `drain` in maintenance and while draining, `down #starting`, or `down #failing`. So HAProxy learns of maintenance
/// whatever status codes the endpoints have. Configure HAProxy with `agent-check agent-port 8081` on the `server` line.
///
/// ```no_run
/// use health_hyper::{Endpoint, Health};
///
/// let health = Health::builder().endpoint(Endpoint::readiness("/ready")).build()?;
/// health_hyper::agent_check("0.0.0.0:8081", health.clone(), "/ready")?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// Each line counts as a request to the endpoint without a query: it runs checks if the endpoint runs them for every
/// request, like the preset `readiness` of [`Endpoint`](health_core::Endpoint), and it is logged like any other
/// response.
///
/// The thread, the runtime that checks find, and the limit of connections are those of [`listen`](crate::listen). A
/// client that has not closed the connection 5 seconds after the line is disconnected.
///
/// # Errors
///
/// - There is no endpoint at `path`.
/// - The address cannot be bound; the error names it.
/// - The system cannot start a thread.
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
    tcp::listen("agent check", address, Agent { endpoint, context })
}

struct Agent {
    endpoint: EndpointHandle,
    context: Context,
}

impl Protocol for Agent {
    fn serve(
        &self,
        mut stream: impl Stream,
        client: Option<IpAddr>,
        progress: Progress,
    ) -> impl Future<Output = ()> + Send + 'static {
        let (endpoint, context) = (self.endpoint.clone(), self.context.clone());
        async move {
            progress.enter(Phase::Responding);
            let request = HealthRequest::new("").client(client);
            let response = context.within(endpoint.respond(request)).await;
            progress.enter(Phase::Closing);
            let line = line(response.state());
            // An error means that the client has closed the connection.
            if stream.write_all(line.as_bytes()).await.is_ok() {
                close(stream).await;
            }
        }
    }
}

/// The line for a state. HAProxy changes only what the line names: `up` without `ready` would not end a `drain`.
/// `maint` would also stop HAProxy's own checks.
fn line(state: State) -> &'static str {
    match state {
        State::Ok | State::Degraded => "up ready\n",
        // Not `up`: a server that is down has not been found healthy.
        State::Maintenance | State::Draining => "drain\n",
        // The space is needed: HAProxy rejects the word `down#starting`.
        State::Starting => "down #starting\n",
        State::Failing => "down #failing\n",
    }
}

#[cfg(test)]
mod tests {
    use health_core::Health;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex};
    use tokio::time::{Instant, timeout};

    use super::super::progress::CLIENT_TIMEOUT;
    use super::{Agent, Context, Progress, Protocol as _};

    async fn serve(stream: DuplexStream) {
        let health = Health::builder().build().unwrap();
        let endpoint = health.at("/health").unwrap();
        let context = Context::current();
        let progress = Progress::new();
        let connection = Agent { endpoint, context }.serve(stream, None, progress.clone());
        progress.limit(connection).await;
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_does_not_read_or_does_not_close_is_disconnected() {
        for room in [1, 1024] {
            let (_client, server) = duplex(room);
            let start = Instant::now();
            timeout(CLIENT_TIMEOUT * 3, serve(server)).await.unwrap();
            assert_eq!(start.elapsed(), CLIENT_TIMEOUT);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_sends_without_end_is_disconnected() {
        let (mut client, server) = duplex(1024);
        let served = tokio::spawn(serve(server));
        let mut sent = 0;
        while client.write_all(&[b'x'; 1024]).await.is_ok() {
            sent += 1024;
            assert!(sent <= 128 * 1024);
        }
        served.await.unwrap();
    }

    #[tokio::test]
    async fn the_text_of_agent_send_is_read_also_after_the_line() {
        let (mut client, server) = duplex(8);
        let served = tokio::spawn(serve(server));
        let mut line = String::new();
        client.read_to_string(&mut line).await.unwrap();
        assert_eq!(line, "up ready\n");
        client.write_all(b"the name of a server\n").await.unwrap();
        drop(client);
        served.await.unwrap();
    }
}

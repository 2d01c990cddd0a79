//! Accepts connections until the process ends.

use health_core::LOG_TARGET;
use tokio::time::sleep;
use tracing::warn;

use super::Protocol;
use super::connections::Connections;
use crate::accept::{Accept, Episode, PAUSE, ip, is_of_one_connection};

/// Serves every connection by `protocol`, and refuses none: if there are too many, or no descriptor for the next, older
/// connections are closed. So clients that hold theirs do not keep a poller out.
pub(super) async fn accept(name: &str, acceptor: &mut impl Accept, protocol: &impl Protocol) {
    let mut connections = Connections::default();
    let mut full = Episode::default();
    let mut failing = Episode::default();
    loop {
        match acceptor.accept().await {
            Ok((stream, address)) => {
                if let Some(open) = connections.make_room().await {
                    if full.begins() {
                        warn!(
                            target: LOG_TARGET,
                            "the {name} has {open} connections, which is its limit; it closes an older one for \
                             each new one"
                        );
                    }
                }
                let client = ip(&address);
                connections.open(|progress| protocol.serve(stream, client, progress));
            }
            Err(error) if is_of_one_connection(&error) => {}
            // Whatever the error is: too many open files have no portable kind.
            Err(error) => {
                let closed = connections.close_half().await;
                if failing.begins() {
                    warn!(
                        target: LOG_TARGET,
                        "the {name} cannot accept a connection ({error}); it closes older connections and tries \
                         again"
                    );
                }
                if closed == 0 {
                    sleep(PAUSE).await;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::future::{pending, ready};
    use std::io::{self, Write};
    use std::net::IpAddr;
    use std::sync::{Arc, Mutex, mpsc};
    use std::time::Duration;

    use tokio::io::{DuplexStream, duplex};
    use tokio::time::{Instant, sleep, timeout};
    use tracing::subscriber::DefaultGuard;

    use super::super::Stream;
    use super::super::progress::{Phase, Progress};
    use super::{Accept, PAUSE, Protocol, accept};
    use crate::accept::QUIET;

    /// What there is to accept, one after the other; then there is nothing more.
    struct Script(VecDeque<Event>);

    enum Event {
        Connection,
        Error(io::Error),
        Wait(Duration),
    }

    use Event::{Connection, Error, Wait};

    impl Script {
        fn new(events: impl IntoIterator<Item = Event>) -> Self {
            Self(events.into_iter().collect())
        }
    }

    impl Accept for Script {
        type Io = DuplexStream;
        type Address = ();

        async fn accept(&mut self) -> io::Result<(DuplexStream, ())> {
            loop {
                match self.0.pop_front() {
                    Some(Connection) => return Ok((duplex(1).0, ())),
                    Some(Error(error)) => return Err(error),
                    Some(Wait(time)) => sleep(time).await,
                    None => pending().await,
                }
            }
        }
    }

    fn no_descriptor() -> Event {
        Error(io::Error::other("too many open files"))
    }

    fn gone() -> Event {
        Error(io::ErrorKind::ConnectionAborted.into())
    }

    /// Tells when it gets a connection, and ends that at once.
    struct Tell(mpsc::Sender<Instant>);

    impl Protocol for Tell {
        fn serve(
            &self,
            _: impl Stream,
            _: Option<IpAddr>,
            _: Progress,
        ) -> impl Future<Output = ()> + Send + 'static {
            self.0.send(Instant::now()).unwrap();
            ready(())
        }
    }

    /// Keeps each connection.
    struct Hold;

    impl Protocol for Hold {
        fn serve(
            &self,
            stream: impl Stream,
            _: Option<IpAddr>,
            progress: Progress,
        ) -> impl Future<Output = ()> + Send + 'static {
            progress.enter(Phase::Responding);
            async {
                let _held = stream;
                pending().await
            }
        }
    }

    struct TellAndHold(Tell);

    impl Protocol for TellAndHold {
        fn serve(
            &self,
            stream: impl Stream,
            client: Option<IpAddr>,
            progress: Progress,
        ) -> impl Future<Output = ()> + Send + 'static {
            self.0.0.send(Instant::now()).unwrap();
            Hold.serve(stream, client, progress)
        }
    }

    async fn play(protocol: &impl Protocol, events: impl IntoIterator<Item = Event>) {
        let mut script = Script::new(events);
        let ended = timeout(QUIET * 100, accept("listener", &mut script, protocol)).await;
        assert!(ended.is_err());
        assert!(script.0.is_empty());
    }

    /// The lines that are logged on this thread.
    #[derive(Clone, Default)]
    struct Log(Arc<Mutex<Vec<u8>>>);

    impl Write for Log {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Log {
        fn start(&self) -> DefaultGuard {
            let log = self.clone();
            let subscriber = tracing_subscriber::fmt()
                .without_time()
                .with_ansi(false)
                .with_writer(move || log.clone())
                .finish();
            tracing::subscriber::set_default(subscriber)
        }

        fn lines(&self) -> Vec<String> {
            let bytes = self.0.lock().unwrap();
            let text = str::from_utf8(&bytes).unwrap();
            text.lines().map(|line| line.trim().to_owned()).collect()
        }
    }

    #[tokio::test(start_paused = true)]
    async fn failures_to_accept_neither_end_it_nor_make_it_spin() {
        // A first record without a subscriber would disable those of the other tests.
        let _logging = Log::default().start();
        let start = Instant::now();
        let (tell, told) = mpsc::channel();
        let failures = (0..10).map(|_| no_descriptor());
        play(&Tell(tell), failures.chain([Connection])).await;
        assert_eq!(told.try_recv().unwrap() - start, PAUSE * 10);
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_is_gone_before_it_is_accepted_is_no_trouble() {
        let log = Log::default();
        let _logging = log.start();
        let start = Instant::now();
        let (tell, told) = mpsc::channel();
        play(&Tell(tell), [gone(), gone(), Connection]).await;
        assert_eq!(told.try_recv().unwrap(), start);
        assert_eq!(log.lines(), [""; 0]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_want_of_descriptors_is_logged_once_an_episode() {
        let log = Log::default();
        let _logging = log.start();
        let mut events = Vec::new();
        for _ in 0..3 {
            // One episode, though connections can be accepted in between.
            for _ in 0..10 {
                events.extend([no_descriptor(), Connection, Wait(QUIET / 2)]);
            }
            events.push(Wait(QUIET));
        }
        play(&Hold, events).await;
        let line = "WARN health: the listener cannot accept a connection (too many open files); it closes older \
                    connections and tries again";
        assert_eq!(log.lines(), [line; 3]);
    }

    #[tokio::test(start_paused = true)]
    async fn too_many_connections_are_logged_once_an_episode() {
        let log = Log::default();
        let _logging = log.start();
        // More than there may be in any process.
        let connections = || (0..600).map(|_| Connection);
        let more = connections().chain([Wait(QUIET)]).chain(connections());
        play(&Hold, more).await;
        let lines = log.lines();
        assert_eq!(lines.len(), 2, "{lines:?}");
        for line in lines {
            let line = line.strip_prefix("WARN health: the listener has ").unwrap();
            let limit = " connections, which is its limit; it closes an older one for each new one";
            assert!(line.ends_with(limit), "{line}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_next_connection_is_accepted_at_once_if_others_could_be_closed() {
        let second = Duration::from_secs(1);
        let start = Instant::now();
        let (tell, told) = mpsc::channel();
        let held = [Connection, Connection, Connection, Wait(second)];
        let events = [no_descriptor(), no_descriptor(), Connection];
        play(&TellAndHold(Tell(tell)), held.into_iter().chain(events)).await;
        let times: Vec<_> = told.try_iter().map(|time| time - start).collect();
        let zero = Duration::ZERO;
        assert_eq!(times, [zero, zero, zero, second]);
    }
}

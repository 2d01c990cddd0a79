//! The open connections of a listener, and which of them is closed to make room.

use std::future::Future;
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::progress::{Phase, Progress};

/// How many connections a listener has at most.
const LIMIT: u64 = 512;

/// How old a connection is at least before it is closed for want of descriptors, unless it is idle: time for the
/// request to arrive.
const GRACE: Duration = Duration::from_millis(250);

/// The open connections of a listener.
#[derive(Default)]
pub(super) struct Connections(Vec<Connection>);

struct Connection {
    task: JoinHandle<()>,
    opened: Instant,
    progress: Progress,
}

impl Connections {
    /// Serves a connection by the future that `serve` makes.
    pub(super) fn open<F>(&mut self, serve: impl FnOnce(Progress) -> F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let progress = Progress::new();
        let task = tokio::spawn(progress.clone().limit(serve(progress.clone())));
        self.0.push(Connection { task, opened: Instant::now(), progress });
    }

    /// If there are as many connections as there may be, closes one. Returns how many there were then.
    pub(super) async fn make_room(&mut self) -> Option<usize> {
        self.forget_ended();
        let open = self.0.len();
        let is_full = open >= limit(descriptors());
        if is_full {
            self.close_one(|_| true).await;
        }
        is_full.then_some(open)
    }

    /// Closes half of the connections, and at least one, except those too young to have sent a request. Returns how
    /// many it closed.
    pub(super) async fn close_half(&mut self) -> usize {
        self.forget_ended();
        let half = self.0.len().div_ceil(2);
        for closed in 0..half {
            if !self.close_one(Connection::has_had_its_time).await {
                return closed;
            }
        }
        half
    }

    fn forget_ended(&mut self) {
        self.0.retain(|connection| !connection.task.is_finished());
    }

    async fn close_one(&mut self, may_be_closed: impl Fn(&Connection) -> bool) -> bool {
        let candidates = self.0.iter().enumerate();
        let candidates = candidates.filter(|(_, connection)| may_be_closed(connection));
        let phases = candidates.map(|(index, connection)| (index, connection.progress.phase()));
        let Some(index) = oldest(phases) else {
            return false;
        };
        let task = self.0.remove(index).task;
        task.abort();
        // The descriptor is free once the task has been dropped.
        let _ = task.await;
        true
    }
}

impl Connection {
    fn has_had_its_time(&self) -> bool {
        self.progress.phase().0 == Phase::Idle || self.opened.elapsed() >= GRACE
    }
}

/// How many descriptors the process may have. The system or the application can change it at any time.
fn descriptors() -> Option<u64> {
    #[cfg(unix)]
    return rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
    #[cfg(not(unix))]
    None
}

/// How many connections a listener may have in a process that may have so many descriptors: a quarter, because the
/// application needs most of them.
fn limit(descriptors: Option<u64>) -> usize {
    let limit = descriptors.map_or(LIMIT, |descriptors| (descriptors / 4).clamp(1, LIMIT));
    limit.try_into().unwrap_or(usize::MAX)
}

/// The connection to close: of those that wait for their client and those that are being responded to, the more
/// numerous lose the one that has been so for the longest time. So clients that hold connections, in whichever way, close
/// each other's, and not those of a poller that does neither.
fn oldest(connections: impl Iterator<Item = (usize, (Phase, Instant))>) -> Option<usize> {
    let (responding, waiting): (Vec<_>, Vec<_>) =
        connections.partition(|(_, (phase, _))| *phase == Phase::Responding);
    let more = if responding.len() > waiting.len() { responding } else { waiting };
    let oldest = more.into_iter().min_by_key(|(_, (_, since))| *since)?;
    Some(oldest.0)
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};

    use tokio::sync::oneshot;
    use tokio::time::{Instant, advance};

    use super::super::progress::{Phase, Progress};
    use super::{Connections, Duration, GRACE, LIMIT, descriptors, limit, oldest};

    /// The index that is chosen among connections in these phases, each of them as many seconds long.
    fn chosen(connections: &[(Phase, u64)]) -> Option<usize> {
        let now = Instant::now() + Duration::from_secs(1000);
        let connections = connections.iter().enumerate();
        oldest(connections.map(|(index, (phase, seconds))| {
            (index, (*phase, now - Duration::from_secs(*seconds)))
        }))
    }

    #[tokio::test]
    async fn of_connections_that_wait_for_their_client_the_oldest_is_closed() {
        use Phase::{Closing, Idle, Reading, Writing};

        assert_eq!(chosen(&[]), None);
        assert_eq!(chosen(&[(Reading, 1), (Idle, 3), (Reading, 2)]), Some(1));
        assert_eq!(chosen(&[(Closing, 1), (Idle, 2), (Writing, 4)]), Some(2));
    }

    #[tokio::test]
    async fn clients_that_hold_connections_close_no_response_under_way() {
        use Phase::{Idle, Reading, Responding};

        assert_eq!(chosen(&[(Responding, 9), (Reading, 2), (Idle, 1)]), Some(1));
        assert_eq!(chosen(&[(Responding, 9), (Reading, 2)]), Some(1));
    }

    #[tokio::test]
    async fn clients_that_request_slow_checks_close_no_new_connection() {
        use Phase::{Reading, Responding};

        let connections = [(Reading, 9), (Responding, 1), (Responding, 2)];
        assert_eq!(chosen(&connections), Some(2));
        assert_eq!(chosen(&[(Responding, 1)]), Some(0));
    }

    /// Connections that last until they are closed.
    #[derive(Default)]
    struct Held {
        connections: Connections,
        ends: Vec<oneshot::Receiver<()>>,
    }

    impl Held {
        fn of(count: usize) -> Self {
            let mut held = Self::default();
            for _ in 0..count {
                held.open();
            }
            held
        }

        fn open(&mut self) -> Progress {
            let (end, ended) = oneshot::channel();
            self.ends.push(ended);
            let mut made = None;
            self.connections.open(|progress| {
                made = Some(progress);
                async {
                    let _end: oneshot::Sender<()> = end;
                    pending().await
                }
            });
            made.unwrap()
        }

        /// Those that are open, by the order in which they were opened.
        fn open_ones(&mut self) -> Vec<usize> {
            let ends = self.ends.iter_mut().enumerate();
            let open = ends.filter_map(|(index, end)| {
                let is_open = end.try_recv() == Err(oneshot::error::TryRecvError::Empty);
                is_open.then_some(index)
            });
            open.collect()
        }
    }

    #[test]
    fn a_listener_may_have_a_quarter_of_the_descriptors_and_no_more_than_512_connections() {
        assert_eq!(limit(Some(256)), 64);
        assert_eq!(limit(Some(1024)), 256);
        assert_eq!(limit(Some(1 << 30)), 512);
        assert_eq!(limit(None), 512);
        assert_eq!(limit(Some(0)), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn there_is_room_for_as_many_as_the_limit_and_the_next_closes_the_oldest() {
        let limit = limit(descriptors());
        let mut held = Held::of(limit - 1);
        assert_eq!(held.connections.make_room().await, None);
        held.open();
        advance(Duration::from_millis(1)).await;
        assert_eq!(held.connections.make_room().await, Some(limit));
        held.open();
        assert_eq!(held.open_ones(), (1..=limit).collect::<Vec<_>>());
    }

    #[tokio::test(start_paused = true)]
    async fn connections_that_have_ended_take_no_room() {
        let mut connections = Connections::default();
        for _ in 0..LIMIT * 2 {
            assert_eq!(connections.make_room().await, None);
            connections.open(|_| ready(()));
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test(start_paused = true)]
    async fn for_want_of_descriptors_half_are_closed_the_oldest_first() {
        let mut held = Held::default();
        for _ in 0..5 {
            held.open();
            advance(Duration::from_millis(1)).await;
        }
        advance(GRACE).await;
        assert_eq!(held.connections.close_half().await, 3);
        assert_eq!(held.open_ones(), [3, 4]);
        assert_eq!(held.connections.close_half().await, 1);
        assert_eq!(held.connections.close_half().await, 1);
        assert_eq!(held.connections.close_half().await, 0);
    }

    #[tokio::test(start_paused = true)]
    async fn a_new_connection_is_closed_for_want_of_descriptors_only_once_it_is_idle() {
        let mut held = Held::of(2);
        advance(GRACE / 2).await;
        assert_eq!(held.connections.close_half().await, 0);
        held.open().enter(Phase::Idle);
        assert_eq!(held.connections.close_half().await, 1);
        assert_eq!(held.open_ones(), [0, 1]);
    }
}

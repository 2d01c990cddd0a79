//! Runs a probe that may never return on a separate thread: of a file system (H4 and the alive file), or of a source of
//! the application (H19).

use std::fmt;
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use crate::runtime::pool::Pool;
use crate::runtime::process::PerProcess;
use crate::runtime::promise::Promise;
use crate::runtime::sync::{Mutex, lock};
use crate::runtime::{Runtime, ThreadRuntime, after, until};

/// A call that the thread of the prober makes.
pub(crate) trait Probe: Send + Sync + 'static {
    /// The result.
    type Output: Clone + Send + 'static;

    /// Makes the call, which begins at `start`. It may block indefinitely, and must not panic.
    fn probe(&self, clock: &dyn Runtime, start: Instant) -> Self::Output;
}

/// Runs a probe on another thread, and waits for its result up to a limit.
///
/// A request does not use a probe that began before the request came (H4). It waits for the next probe, together with
/// all other requests since then. So at most one probe hangs and one is pending, however many requests there are.
pub(crate) struct Prober<P: Probe> {
    thread: Pool,
    shared: Arc<Shared<P>>,
    limit: Duration,
}

struct Shared<P: Probe> {
    probe: P,
    /// A probe of the parent never ends in the child of a fork.
    queue: PerProcess<Mutex<Queue<P::Output>>>,
}

struct Queue<T> {
    pending: Option<Arc<Pending<T>>>,
    /// The start of the running probe, if there is one.
    running: Option<Instant>,
}

/// One probe, shared by all requests that came before it began.
struct Pending<T> {
    begun: Promise<Instant>,
    output: Promise<T>,
}

impl<P: Probe> Prober<P> {
    /// A prober whose thread waits a while for the next probe. A probe that takes longer than `limit` has no result.
    pub(super) fn new(name: &'static str, probe: P, limit: Duration) -> Self {
        Self::on(Pool::new(name, 1), probe, limit)
    }

    /// A prober for rare use, whose thread ends after each probe.
    pub(crate) fn fleeting(name: &'static str, probe: P, limit: Duration) -> Self {
        Self::on(Pool::fleeting(name), probe, limit)
    }

    fn on(thread: Pool, probe: P, limit: Duration) -> Self {
        let queue = PerProcess::new();
        Self { thread, shared: Arc::new(Shared { probe, queue }), limit }
    }

    /// Makes the first probe, and calls `then` on the same thread. `None` if both take longer than `limit`.
    pub(super) fn probe_first<T: Send + 'static>(
        &self,
        limit: Duration,
        then: impl FnOnce() -> T + Send + 'static,
    ) -> Option<T> {
        let (sender, receiver) = mpsc::channel();
        let shared = self.shared.clone();
        lock(shared.queue()).running = Some(ThreadRuntime.now());
        self.thread.submit(move || {
            shared.probe.probe(&ThreadRuntime, ThreadRuntime.now());
            let _ = sender.send(then());
            // For requests that came in the meantime.
            shared.run_pending(&ThreadRuntime);
        });
        receiver.recv_timeout(limit).ok()
    }

    /// The result of a probe that begins after this call. `None` if it takes longer than the limit; immediately, if the
    /// previous probe already does.
    pub(crate) async fn probe(&self, runtime: &Arc<dyn Runtime>) -> Option<P::Output> {
        let limit = self.limit;
        let (pending, queued) = self.next_probe(runtime);
        let begun = until(&**runtime, after(queued, limit), pending.begun.wait()).await?;
        until(&**runtime, after(begun, limit), pending.output.wait()).await
    }

    /// The probe that begins next, and the time since which it waits for the running one.
    fn next_probe(&self, runtime: &Arc<dyn Runtime>) -> (Arc<Pending<P::Output>>, Instant) {
        let mut queue = lock(self.shared.queue());
        let is_first = queue.pending.is_none() && queue.running.is_none();
        let new = || Arc::new(Pending { begun: Promise::default(), output: Promise::default() });
        let pending = queue.pending.get_or_insert_with(new).clone();
        let running = queue.running;
        drop(queue);

        if is_first {
            let shared = self.shared.clone();
            let clock = runtime.clone();
            self.thread.submit(move || shared.run_pending(&*clock));
        } else {
            // If no thread could be started for the first request.
            self.thread.staff();
        }
        (pending, running.unwrap_or_else(|| runtime.now()))
    }
}

impl<P: Probe> Shared<P> {
    fn queue(&self) -> &Mutex<Queue<P::Output>> {
        self.queue.get_or_make(|| Mutex::new(Queue { pending: None, running: None }))
    }

    /// Probes until no request waits.
    fn run_pending(&self, clock: &dyn Runtime) {
        loop {
            let now = clock.now();
            let mut queue = lock(self.queue());
            let Some(pending) = queue.pending.take() else {
                queue.running = None;
                return;
            };
            queue.running = Some(now);
            drop(queue);
            pending.begun.set(now);
            pending.output.set(self.probe.probe(clock, now));
        }
    }
}

impl<P: Probe> fmt::Debug for Prober<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.thread.fmt(f)
    }
}

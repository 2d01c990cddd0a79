//! A thread that looks, for what may never answer: a file system (H4), a source of the application's (H19).

use std::fmt;
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use crate::runtime::pool::Pool;
use crate::runtime::promise::Promise;
use crate::runtime::sync::{Mutex, lock};
use crate::runtime::{Runtime, ThreadRuntime, after, until};

/// What to look at, on the prober's thread.
pub(super) trait Lookout: Send + Sync + 'static {
    /// What was seen.
    type Sighting: Clone + Send + 'static;

    /// Looks, from `start` on; it may take for ever, and must not panic.
    fn look(&self, clock: &dyn Runtime, start: Instant) -> Self::Sighting;
}

/// Has somebody else look, and waits only so long.
///
/// A look that was begun before a request came does not count for it (H4): it waits for the next, with all who
/// came since. So at most one look hangs and one waits, however many ask.
pub(super) struct Prober<L: Lookout> {
    thread: Pool,
    shared: Arc<Shared<L>>,
    limit: Duration,
}

struct Shared<L: Lookout> {
    lookout: L,
    looks: Mutex<Looks<L::Sighting>>,
}

struct Looks<S> {
    waiting: Option<Arc<Look<S>>>,
    /// Since when one is under way.
    running: Option<Instant>,
}

/// One look, for all who came before it began.
struct Look<S> {
    begun: Promise<Instant>,
    seen: Promise<S>,
}

impl<L: Lookout> Prober<L> {
    /// One whose thread stays for a while, for the next look. A look that takes `limit` says nothing.
    pub(super) fn new(name: &'static str, lookout: L, limit: Duration) -> Self {
        Self::on(Pool::new(name, 1), lookout, limit)
    }

    /// One whose looks are so seldom that no thread stays for the next.
    pub(super) fn fleeting(name: &'static str, lookout: L, limit: Duration) -> Self {
        Self::on(Pool::fleeting(name), lookout, limit)
    }

    fn on(thread: Pool, lookout: L, limit: Duration) -> Self {
        let looks = Looks {
            waiting: None,
            running: None,
        };
        let looks = Mutex::new(looks);
        Self {
            thread,
            shared: Arc::new(Shared { lookout, looks }),
            limit,
        }
    }

    /// Looks for the first time, and finds out something more; `None` when that takes longer than `limit`.
    pub(super) fn look_first<T: Send + 'static>(
        &self,
        limit: Duration,
        then: impl FnOnce() -> T + Send + 'static,
    ) -> Option<T> {
        let (tell, told) = mpsc::channel();
        let shared = self.shared.clone();
        lock(&shared.looks).running = Some(ThreadRuntime.now());
        self.thread.submit(move || {
            shared.lookout.look(&ThreadRuntime, ThreadRuntime.now());
            let _ = tell.send(then());
            // For those who came meanwhile.
            shared.take_looks(&ThreadRuntime);
        });
        told.recv_timeout(limit).ok()
    }

    /// What a look says that begins after this call; `None` when it takes longer than the limit, and at once
    /// while the one before it already does.
    pub(super) async fn look(&self, runtime: &Arc<dyn Runtime>) -> Option<L::Sighting> {
        let limit = self.limit;
        let (look, queued) = self.next_look(runtime);
        let begun = until(&**runtime, after(queued, limit), look.begun.wait()).await?;
        until(&**runtime, after(begun, limit), look.seen.wait()).await
    }

    /// The look that begins next, and since when it is next: as long as another is under way.
    fn next_look(&self, runtime: &Arc<dyn Runtime>) -> (Arc<Look<L::Sighting>>, Instant) {
        let mut looks = lock(&self.shared.looks);
        let is_first = looks.waiting.is_none() && looks.running.is_none();
        let new = || {
            Arc::new(Look {
                begun: Promise::default(),
                seen: Promise::default(),
            })
        };
        let look = looks.waiting.get_or_insert_with(new).clone();
        let running = looks.running;
        drop(looks);

        if is_first {
            let (shared, clock) = (self.shared.clone(), runtime.clone());
            self.thread.submit(move || shared.take_looks(&*clock));
        } else {
            // Should the machine have had no thread for the first.
            self.thread.staff();
        }
        (look, running.unwrap_or_else(|| runtime.now()))
    }
}

impl<L: Lookout> Shared<L> {
    /// Looks until nobody waits for it.
    fn take_looks(&self, clock: &dyn Runtime) {
        loop {
            let now = clock.now();
            let mut looks = lock(&self.looks);
            let Some(waiting) = looks.waiting.take() else {
                looks.running = None;
                return;
            };
            looks.running = Some(now);
            drop(looks);
            waiting.begun.set(now);
            waiting.seen.set(self.lookout.look(clock, now));
        }
    }
}

impl<L: Lookout> fmt::Debug for Prober<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.thread.fmt(f)
    }
}

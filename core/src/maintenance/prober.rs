//! A thread that looks, for a file system that may never answer (H4).

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use super::exposure::is_exposed;
use super::{MaintenanceState, Sighting, mounts};
use crate::latch::Latch;
use crate::pool::Pool;
use crate::runtime::{Runtime, ThreadRuntime, after, until};
use crate::sync::{Mutex, lock};

/// How long the build of an endpoint waits for the file system: nobody polls it yet.
const SURVEY_LIMIT: Duration = Duration::from_secs(1);

/// Has somebody else look, and waits only so long.
///
/// A look that was begun before a request came does not count for it (H4): it waits for the next, with all who
/// came since. So at most one look hangs and one waits, however many ask.
#[derive(Debug)]
pub(super) struct Prober {
    thread: Pool,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    path: PathBuf,
    limit: Duration,
    /// Whether requests may look for themselves, as the last look found.
    is_local: AtomicBool,
    was_active: Arc<AtomicBool>,
    looks: Mutex<Looks>,
}

#[derive(Debug, Default)]
struct Looks {
    waiting: Option<Arc<Look>>,
    /// Since when one is under way.
    running: Option<Instant>,
    /// Whether the kind of file system was found out since the last look that hung.
    is_placed: bool,
}

/// One look, for all who came before it began.
#[derive(Debug, Default)]
struct Look {
    begun: Latch<Instant>,
    seen: Latch<Sighting>,
}

impl Prober {
    pub(super) fn new(path: &Path, limit: Duration, was_active: Arc<AtomicBool>) -> Self {
        Self {
            // On a local file system, the look at the build is its only one.
            thread: Pool::fleeting("health-stat"),
            shared: Arc::new(Shared {
                path: path.to_owned(),
                limit,
                is_local: AtomicBool::new(false),
                was_active,
                looks: Mutex::new(Looks::default()),
            }),
        }
    }

    /// Finds out, before the first request, where requests may look for themselves; and whether any local user
    /// could create the marker file (H11), which is not known where the file system does not answer in time.
    pub(super) fn survey(&self) -> bool {
        let (tell, told) = mpsc::channel();
        let shared = self.shared.clone();
        lock(&shared.looks).running = Some(ThreadRuntime.now());
        self.thread.submit(move || {
            let start = ThreadRuntime.now();
            shared.look(&ThreadRuntime, start);
            let _ = tell.send(is_exposed(&shared.path));
            // For those who came meanwhile.
            shared.take_looks(&ThreadRuntime);
        });
        told.recv_timeout(SURVEY_LIMIT).unwrap_or(false)
    }

    pub(super) fn path(&self) -> &Path {
        &self.shared.path
    }

    pub(super) fn limit(&self) -> Duration {
        self.shared.limit
    }

    /// Whether a look by the request itself is known to return at once.
    pub(super) fn is_local(&self) -> bool {
        self.shared.is_local.load(Ordering::Relaxed)
    }

    /// What a look says that begins after this call; `None` when it takes longer than the limit, and at once
    /// while the one before it already does.
    pub(super) async fn look(&self, runtime: &Arc<dyn Runtime>) -> Option<Sighting> {
        let limit = self.shared.limit;
        let (look, queued) = self.next_look(runtime);
        let begun = until(&**runtime, after(queued, limit), look.begun.wait()).await?;
        until(&**runtime, after(begun, limit), look.seen.wait()).await
    }

    /// The look that begins next, and since when it is next: as long as another is under way.
    fn next_look(&self, runtime: &Arc<dyn Runtime>) -> (Arc<Look>, Instant) {
        let mut looks = lock(&self.shared.looks);
        let is_first = looks.waiting.is_none() && looks.running.is_none();
        let look = looks.waiting.get_or_insert_default().clone();
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

impl Shared {
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
            waiting.seen.set(self.look(clock, now));
        }
    }

    /// Looks, and finds out whether the next may be taken by a request itself.
    fn look(&self, clock: &dyn Runtime, start: Instant) -> Sighting {
        let sighting = Sighting::from_stat(fs::metadata(&self.path));
        let is_active = sighting.state() == MaintenanceState::Active;
        self.was_active.store(is_active, Ordering::Relaxed);

        let is_prompt = clock.now().saturating_duration_since(start) < self.limit;
        let was_placed = std::mem::replace(&mut lock(&self.looks).is_placed, is_prompt);
        if !(is_prompt && was_placed) {
            let is_local = is_prompt && mounts::is_local(&self.path);
            self.is_local.store(is_local, Ordering::Relaxed);
        }
        sighting
    }
}

//! The disablefile: one stat per request, never cached (H4).
//!
//! On a local file system the request makes the stat itself, which is cheaper than a call on another thread. Otherwise a
//! separate thread makes it, and the request waits for it only up to a limit.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::episode::{Episode, remember};
use super::inline::Inline;
use super::mounts;
use super::presence::Presence;
use super::prober::{Probe, Prober};
use super::survey::{OddPlace, survey};
use crate::log::LogRecord;
use crate::runtime::Runtime;

/// How long the build of the endpoints waits for the file system.
const SURVEY_LIMIT: Duration = Duration::from_secs(1);

/// The disablefile, and its last known state.
#[derive(Debug)]
pub(super) struct Disablefile {
    /// `None` if the disablefile is disabled.
    watched: Option<Watched>,
    inline: Inline,
    unreadable: Episode,
    hanging: Episode,
}

#[derive(Debug)]
struct Watched {
    path: Arc<Path>,
    prober: Prober<StatProbe>,
    limit: Duration,
    last: Arc<LastSeen>,
}

/// The results of stats, including those that end too late.
#[derive(Debug, Default)]
struct LastSeen {
    is_active: AtomicBool,
    /// Whether requests may make the stat themselves, according to the last probe.
    is_local: AtomicBool,
}

impl Disablefile {
    pub(super) fn new(path: Option<&Path>, limit: Duration) -> Self {
        Self {
            watched: path.map(|path| Watched::new(path, limit)),
            inline: Inline::default(),
            unreadable: Episode::default(),
            hanging: Episode::default(),
        }
    }

    /// Examines the file system before the first request: finds out whether requests may make the stat themselves, and
    /// returns likely mistakes in the location (H11). There are none if the file system does not respond in time.
    pub(super) fn survey(&self) -> Vec<OddPlace> {
        let Some(watched) = &self.watched else {
            return Vec::new();
        };
        let path = watched.path.clone();
        let odd = watched.prober.probe_first(SURVEY_LIMIT, move || survey(&path));
        odd.unwrap_or_default()
    }

    /// Whether it exists, and a warning if one is due. The stat follows links. Any kind of file counts, and it is not
    /// opened.
    pub(super) async fn observe(&self, runtime: &Arc<dyn Runtime>) -> (bool, Option<LogRecord>) {
        let Some(watched) = &self.watched else {
            return (false, None);
        };
        let seen_inline = if watched.last.is_local.load(Ordering::Relaxed) {
            self.inline.stat(&watched.path)
        } else {
            None
        };
        if let Some(presence) = &seen_inline {
            remember(&watched.last.is_active, presence.is_active());
        }
        let presence = match seen_inline {
            Some(presence) => Some(presence),
            // Boxed: few responses need room for the wait.
            None => Box::pin(watched.prober.probe(runtime)).await,
        };
        self.conclude(watched, presence)
    }

    /// The same, for the watches. The stat is made on the other thread: nothing waits for its result, and the code of a
    /// response stays in one place, where it needs the fewest instructions.
    pub(super) async fn observe_elsewhere(
        &self,
        runtime: &Arc<dyn Runtime>,
    ) -> (bool, Option<LogRecord>) {
        let Some(watched) = &self.watched else {
            return (false, None);
        };
        let presence = Box::pin(watched.prober.probe(runtime)).await;
        self.conclude(watched, presence)
    }

    /// Evaluates a stat. `None` is a stat that took too long; then the last known state applies.
    #[inline]
    fn conclude(&self, watched: &Watched, presence: Option<Presence>) -> (bool, Option<LogRecord>) {
        let Watched { path, limit, last, .. } = watched;
        let Some(presence) = presence else {
            let is_active = last.is_active.load(Ordering::Relaxed);
            let begins = self.hanging.begins();
            let warning = begins.then(|| LogRecord::disablefile_hangs(path, *limit, is_active));
            return (is_active, warning);
        };
        self.hanging.end();
        let is_active = presence.is_active();
        let warning = match presence {
            Presence::Unknown(error) => {
                let begins = self.unreadable.begins();
                begins.then(|| LogRecord::disablefile_unreadable(path, &error))
            }
            Presence::Present | Presence::Absent => {
                self.unreadable.end();
                None
            }
        };
        (is_active, warning)
    }
}

impl Watched {
    fn new(path: &Path, limit: Duration) -> Self {
        let last = Arc::new(LastSeen::default());
        let probe = StatProbe {
            path: path.to_owned(),
            limit,
            last: last.clone(),
            is_placed: AtomicBool::new(false),
        };
        Self {
            path: path.into(),
            // On a local file system, only the build probes.
            prober: Prober::fleeting("health-stat", probe, limit),
            limit,
            last,
        }
    }
}

/// Makes the stat on the thread of the prober.
#[derive(Debug)]
struct StatProbe {
    path: PathBuf,
    limit: Duration,
    last: Arc<LastSeen>,
    /// Whether the kind of file system was determined after the last stat that hung.
    is_placed: AtomicBool,
}

impl Probe for StatProbe {
    type Output = Presence;

    /// Makes the stat, and determines whether requests may make the next one themselves.
    fn probe(&self, clock: &dyn Runtime, start: Instant) -> Presence {
        let presence = Presence::from_stat(fs::metadata(&self.path));
        let LastSeen { is_active, is_local } = &*self.last;
        is_active.store(presence.is_active(), Ordering::Relaxed);

        let is_prompt = clock.now().saturating_duration_since(start) < self.limit;
        let was_placed = self.is_placed.swap(is_prompt, Ordering::Relaxed);
        if !(is_prompt && was_placed) {
            is_local.store(is_prompt && mounts::is_local(&self.path), Ordering::Relaxed);
        }
        presence
    }
}

#[cfg(test)]
mod tests;

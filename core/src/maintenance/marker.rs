//! The disablefile: one stat per request, never cached (H4).
//!
//! On a local file system a request looks for itself, which is cheaper than to ask another thread. Everywhere
//! else a thread of the library's own looks, and the request waits no longer than its limit.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::episode::{Episode, remember};
use super::exposure::is_exposed;
use super::inline::Inline;
use super::mounts;
use super::prober::{Lookout, Prober};
use crate::log::LogRecord;
use crate::runtime::Runtime;

/// How long the build of an endpoint waits for the file system: nobody polls it yet.
const SURVEY_LIMIT: Duration = Duration::from_secs(1);

/// Who looks for the marker file, and what was seen.
#[derive(Debug)]
pub(super) struct Marker {
    /// `None` where there is no disablefile.
    watched: Option<Watched>,
    inline: Inline,
    unreadable: Episode,
    hanging: Episode,
}

#[derive(Debug)]
struct Watched {
    path: Arc<Path>,
    prober: Prober<Stat>,
    limit: Duration,
    last: Arc<Last>,
}

/// What looks leave behind, also those that end too late.
#[derive(Debug, Default)]
struct Last {
    is_active: AtomicBool,
    /// Whether requests may look for themselves, as the last look found.
    is_local: AtomicBool,
}

impl Marker {
    pub(super) fn new(disablefile: Option<&Path>, limit: Duration) -> Self {
        Self {
            watched: disablefile.map(|path| Watched::new(path, limit)),
            inline: Inline::default(),
            unreadable: Episode::default(),
            hanging: Episode::default(),
        }
    }

    /// Finds out, before the first request, where requests may look for themselves; and whether any local user
    /// could create the marker file (H11), which is not known where the file system does not answer in time.
    pub(super) fn survey(&self) -> bool {
        self.watched.as_ref().is_some_and(|watched| {
            let path = watched.path.clone();
            let exposed = watched
                .prober
                .look_first(SURVEY_LIMIT, move || is_exposed(&path));
            exposed.unwrap_or(false)
        })
    }

    /// Whether it is there, and what there is to warn of. A stat that follows links: whatever the path leads to
    /// counts, and nothing is opened.
    pub(super) async fn observe(&self, runtime: &Arc<dyn Runtime>) -> (bool, Option<LogRecord>) {
        let Some(watched) = &self.watched else {
            return (false, None);
        };
        let seen_inline = match watched.last.is_local.load(Ordering::Relaxed) {
            true => self.inline.look(&watched.path, runtime.now()),
            false => None,
        };
        if let Some(sighting) = &seen_inline {
            remember(&watched.last.is_active, sighting.is_active());
        }
        let sighting = match seen_inline {
            Some(sighting) => Some(sighting),
            // Boxed: few answers need room for the wait.
            None => Box::pin(watched.prober.look(runtime)).await,
        };
        self.conclude(watched, sighting)
    }

    /// What a look says; `None` is one that took too long, and leaves the last known state standing.
    fn conclude(&self, watched: &Watched, sighting: Option<Sighting>) -> (bool, Option<LogRecord>) {
        let Watched {
            path, limit, last, ..
        } = watched;
        let Some(sighting) = sighting else {
            let is_active = last.is_active.load(Ordering::Relaxed);
            let begins = self.hanging.begins();
            let warning = begins.then(|| LogRecord::disablefile_hangs(path, *limit, is_active));
            return (is_active, warning);
        };
        self.hanging.end();
        let is_active = sighting.is_active();
        let warning = match sighting {
            Sighting::Unreadable(error) => {
                let begins = self.unreadable.begins();
                begins.then(|| LogRecord::disablefile_unreadable(path, &error))
            }
            Sighting::Present | Sighting::Absent => {
                self.unreadable.end();
                None
            }
        };
        (is_active, warning)
    }
}

impl Watched {
    fn new(path: &Path, limit: Duration) -> Self {
        let last = Arc::new(Last::default());
        let stat = Stat {
            path: path.to_owned(),
            limit,
            last: last.clone(),
            is_placed: AtomicBool::new(false),
        };
        Self {
            path: path.into(),
            // On a local file system, the look at the build is its only one.
            prober: Prober::fleeting("health-stat", stat, limit),
            limit,
            last,
        }
    }
}

/// Looks, on the prober's thread.
#[derive(Debug)]
struct Stat {
    path: PathBuf,
    limit: Duration,
    last: Arc<Last>,
    /// Whether the kind of file system was found out since the last look that hung.
    is_placed: AtomicBool,
}

impl Lookout for Stat {
    type Sighting = Sighting;

    /// Looks, and finds out whether the next look may be taken by a request itself.
    fn look(&self, clock: &dyn Runtime, start: Instant) -> Sighting {
        let sighting = Sighting::from_stat(fs::metadata(&self.path));
        let Last {
            is_active,
            is_local,
        } = &*self.last;
        is_active.store(sighting.is_active(), Ordering::Relaxed);

        let is_prompt = clock.now().saturating_duration_since(start) < self.limit;
        let was_placed = self.is_placed.swap(is_prompt, Ordering::Relaxed);
        if !(is_prompt && was_placed) {
            is_local.store(is_prompt && mounts::is_local(&self.path), Ordering::Relaxed);
        }
        sighting
    }
}

/// What a stat of the marker file says.
#[derive(Debug, Clone)]
pub(super) enum Sighting {
    Present,
    Absent,
    Unreadable(Arc<io::Error>),
}

impl Sighting {
    pub(super) fn from_stat<T>(stat: io::Result<T>) -> Self {
        match stat {
            Ok(_) => Self::Present,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Self::Absent,
            Err(error) => Self::Unreadable(Arc::new(error)),
        }
    }

    fn is_active(&self) -> bool {
        matches!(self, Self::Present)
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::path::Path;

    use std::sync::Arc;
    use std::sync::atomic::Ordering;
    use std::time::Duration;

    use futures::executor::block_on;

    use super::{Marker, Sighting};
    use crate::runtime::{Runtime, ThreadRuntime};

    const LIMIT: Duration = Duration::from_secs(60);

    fn observed(marker: &Marker) -> bool {
        let runtime: Arc<dyn Runtime> = Arc::new(ThreadRuntime);
        let (is_active, _) = block_on(marker.observe(&runtime));
        is_active
    }

    /// Whether each look finds a maintenance, and warns.
    fn concluded(marker: &Marker, sighting: Option<Sighting>) -> (bool, bool) {
        let watched = marker.watched.as_ref().unwrap();
        let (is_active, warning) = marker.conclude(watched, sighting);
        (is_active, warning.is_some())
    }

    #[test]
    fn a_look_that_hangs_leaves_the_last_known_state_and_warns_once_an_episode() {
        let marker = Marker::new(Some(Path::new("/mnt/dead/maintenance")), LIMIT);
        let observe = |sighting| concluded(&marker, sighting);
        let was_active = &marker.watched.as_ref().unwrap().last.is_active;
        assert_eq!(observe(None), (false, true));
        assert_eq!(observe(None), (false, false));
        was_active.store(true, Ordering::Relaxed);
        assert_eq!(observe(Some(Sighting::Present)), (true, false));
        assert_eq!(observe(None), (true, true));
        assert_eq!(observe(None), (true, false));
        was_active.store(false, Ordering::Relaxed);
        assert_eq!(observe(Some(Sighting::Absent)), (false, false));
        assert_eq!(observe(None), (false, true));
    }

    /// Root may stat everything, so a scenario over a real directory cannot show EACCES to root.
    #[test]
    fn a_forbidden_stat_means_not_in_maintenance_and_warns_once_an_episode() {
        let marker = Marker::new(Some(Path::new("/locked/maintenance")), LIMIT);
        let observe = |sighting| concluded(&marker, Some(sighting));
        let denied = || Sighting::from_stat::<()>(Err(io::ErrorKind::PermissionDenied.into()));
        let absent = || Sighting::from_stat::<()>(Err(io::ErrorKind::NotFound.into()));

        assert_eq!(observe(denied()), (false, true));
        assert_eq!(observe(denied()), (false, false));
        assert_eq!(observe(absent()), (false, false));
        assert_eq!(observe(denied()), (false, true));
        assert_eq!(observe(Sighting::Present), (true, false));
        assert_eq!(observe(denied()), (false, true));
    }

    #[test]
    fn a_relative_disablefile_is_looked_up_in_the_working_directory() {
        let is_active = |path| observed(&Marker::new(Some(Path::new(path)), LIMIT));
        assert!(is_active("Cargo.toml"));
        assert!(!is_active("no-such-file"));
    }

    #[cfg(unix)]
    #[test]
    fn a_path_that_is_not_utf8_is_a_path_like_any_other() {
        use std::os::unix::ffi::OsStrExt as _;

        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join(std::ffi::OsStr::from_bytes(b"m\xff"));
        let marker = Marker::new(Some(&path), LIMIT);
        assert!(!observed(&marker));
        std::fs::write(&path, "").unwrap();
        assert!(observed(&marker));
    }
}

//! Is the host in maintenance? One stat per request, never cached (H4).
//!
//! On a local file system a request looks for itself, which is cheaper than to ask another thread. Everywhere
//! else a thread of the library's own looks, and the request waits no longer than its limit.

mod exposure;
mod inline;
mod mounts;
mod prober;

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use self::inline::Inline;
use self::prober::Prober;
use crate::log::LogRecord;
use crate::runtime::Runtime;

/// Whether the operator's marker file exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MaintenanceState {
    Active,
    Inactive,
}

/// One look at the marker file.
#[derive(Debug)]
pub(crate) struct Observation {
    pub(crate) state: MaintenanceState,
    /// What went wrong with the look, where an episode of that begins and is to be warned of.
    pub(crate) trouble: Option<Trouble>,
}

/// Why a look says nothing.
#[derive(Debug, Clone)]
pub(crate) enum Trouble {
    Unreadable(Arc<io::Error>),
    /// It did not return within the limit.
    Hangs,
}

impl Trouble {
    /// What to log about `maintenance`, which is taken to be in `state`.
    pub(crate) fn record(&self, maintenance: &Maintenance, state: MaintenanceState) -> LogRecord {
        let path = maintenance.disablefile().unwrap_or(Path::new(""));
        match self {
            Self::Unreadable(error) => LogRecord::disablefile_unreadable(path, error),
            Self::Hangs => {
                let prober = maintenance.prober.as_ref();
                let limit = prober.map_or(Duration::ZERO, Prober::limit);
                LogRecord::disablefile_hangs(path, limit, state)
            }
        }
    }
}

/// The switch: who looks for the marker file, and what was seen.
#[derive(Debug)]
pub(crate) struct Maintenance {
    /// `None` where maintenance is off.
    prober: Option<Prober>,
    inline: Inline,
    /// The last known state, as an answer that is known too late leaves it too.
    was_active: Arc<AtomicBool>,
    /// Whether an episode of failing, or of hanging, looks is under way.
    is_unreadable: AtomicBool,
    hangs: AtomicBool,
}

impl Maintenance {
    /// `None` turns maintenance off. A look that takes `limit` says nothing.
    pub(crate) fn new(disablefile: Option<&Path>, limit: Duration) -> Self {
        let was_active = Arc::new(AtomicBool::new(false));
        Self {
            prober: disablefile.map(|path| Prober::new(path, limit, was_active.clone())),
            inline: Inline::default(),
            was_active,
            is_unreadable: AtomicBool::new(false),
            hangs: AtomicBool::new(false),
        }
    }

    /// The path; `None` when maintenance is off.
    pub(crate) fn disablefile(&self) -> Option<&Path> {
        self.prober.as_ref().map(Prober::path)
    }

    /// Looks around before the first request; whether any local user could create the marker file (H11).
    pub(crate) fn survey(&self) -> bool {
        self.prober.as_ref().is_some_and(Prober::survey)
    }

    /// Looks once. A stat that follows links: whatever the path leads to counts, and nothing is opened.
    pub(crate) async fn observe(&self, runtime: &Arc<dyn Runtime>) -> Observation {
        let Some(prober) = &self.prober else {
            return Observation {
                state: MaintenanceState::Inactive,
                trouble: None,
            };
        };
        let seen_inline = match prober.is_local() {
            true => self.inline.look(prober.path(), runtime.now()),
            false => None,
        };
        if let Some(sighting) = &seen_inline {
            let is_active = sighting.state() == MaintenanceState::Active;
            remember(&self.was_active, is_active);
        }
        let sighting = match seen_inline {
            Some(sighting) => Some(sighting),
            // Boxed: few answers need room for the wait.
            None => Box::pin(prober.look(runtime)).await,
        };
        self.conclude(sighting)
    }

    /// What a look says; `None` is one that took too long, and leaves the last known state standing.
    fn conclude(&self, sighting: Option<Sighting>) -> Observation {
        let Some(sighting) = sighting else {
            let began = !self.hangs.swap(true, Ordering::Relaxed);
            return Observation {
                state: match self.was_active.load(Ordering::Relaxed) {
                    true => MaintenanceState::Active,
                    false => MaintenanceState::Inactive,
                },
                trouble: began.then_some(Trouble::Hangs),
            };
        };
        let state = sighting.state();
        remember(&self.hangs, false);
        Observation {
            state,
            trouble: self.episode(sighting),
        }
    }

    /// The error that begins an episode of failing stats.
    fn episode(&self, sighting: Sighting) -> Option<Trouble> {
        match sighting {
            Sighting::Unreadable(error) => {
                let began = !self.is_unreadable.swap(true, Ordering::Relaxed);
                began.then_some(Trouble::Unreadable(error))
            }
            Sighting::Present | Sighting::Absent => {
                remember(&self.is_unreadable, false);
                None
            }
        }
    }
}

/// Reads first: a store on every request would make the cores share one cache line.
fn remember(flag: &AtomicBool, value: bool) {
    if flag.load(Ordering::Relaxed) != value {
        flag.store(value, Ordering::Relaxed);
    }
}

/// What a stat of the marker file says.
#[derive(Debug, Clone)]
enum Sighting {
    Present,
    Absent,
    Unreadable(Arc<io::Error>),
}

impl Sighting {
    fn from_stat<T>(stat: io::Result<T>) -> Self {
        match stat {
            Ok(_) => Self::Present,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Self::Absent,
            Err(error) => Self::Unreadable(Arc::new(error)),
        }
    }

    fn state(&self) -> MaintenanceState {
        match self {
            Self::Present => MaintenanceState::Active,
            Self::Absent | Self::Unreadable(_) => MaintenanceState::Inactive,
        }
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

    use super::{Maintenance, MaintenanceState, Sighting, Trouble};
    use crate::runtime::{Runtime, ThreadRuntime};

    const LIMIT: Duration = Duration::from_secs(60);

    fn observed(maintenance: &Maintenance) -> MaintenanceState {
        let runtime: Arc<dyn Runtime> = Arc::new(ThreadRuntime);
        block_on(maintenance.observe(&runtime)).state
    }

    #[test]
    fn a_look_that_hangs_leaves_the_last_known_state_and_warns_once_an_episode() {
        let maintenance = Maintenance::new(Some(Path::new("/mnt/dead/maintenance")), LIMIT);
        let observe = |sighting| {
            let observation = maintenance.conclude(sighting);
            let warns = match observation.trouble {
                Some(Trouble::Hangs) => true,
                Some(Trouble::Unreadable(error)) => panic!("{error}"),
                None => false,
            };
            (observation.state, warns)
        };
        let (active, inactive) = (MaintenanceState::Active, MaintenanceState::Inactive);
        assert_eq!(observe(None), (inactive, true));
        assert_eq!(observe(None), (inactive, false));
        maintenance.was_active.store(true, Ordering::Relaxed);
        assert_eq!(observe(Some(Sighting::Present)), (active, false));
        assert_eq!(observe(None), (active, true));
        assert_eq!(observe(None), (active, false));
        maintenance.was_active.store(false, Ordering::Relaxed);
        assert_eq!(observe(Some(Sighting::Absent)), (inactive, false));
        assert_eq!(observe(None), (inactive, true));
    }

    /// Root may stat everything, so a scenario over a real directory cannot show EACCES to root.
    #[test]
    fn a_forbidden_stat_means_not_in_maintenance_and_warns_once_an_episode() {
        let maintenance = Maintenance::new(Some(Path::new("/locked/maintenance")), LIMIT);
        let denied = || Sighting::from_stat::<()>(Err(io::ErrorKind::PermissionDenied.into()));
        let absent = || Sighting::from_stat::<()>(Err(io::ErrorKind::NotFound.into()));

        assert_eq!(denied().state(), MaintenanceState::Inactive);
        assert!(maintenance.episode(denied()).is_some());
        assert!(maintenance.episode(denied()).is_none());
        assert!(maintenance.episode(absent()).is_none());
        assert!(maintenance.episode(denied()).is_some());
        assert!(maintenance.episode(Sighting::Present).is_none());
        assert!(maintenance.episode(denied()).is_some());
    }

    #[test]
    fn a_relative_disablefile_is_looked_up_in_the_working_directory() {
        let state = |path| observed(&Maintenance::new(Some(Path::new(path)), LIMIT));
        assert_eq!(state("Cargo.toml"), MaintenanceState::Active);
        assert_eq!(state("no-such-file"), MaintenanceState::Inactive);
    }

    #[cfg(unix)]
    #[test]
    fn a_path_that_is_not_utf8_is_a_path_like_any_other() {
        use std::os::unix::ffi::OsStrExt as _;

        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join(std::ffi::OsStr::from_bytes(b"m\xff"));
        let maintenance = Maintenance::new(Some(&path), LIMIT);
        assert_eq!(observed(&maintenance), MaintenanceState::Inactive);
        std::fs::write(&path, "").unwrap();
        assert_eq!(observed(&maintenance), MaintenanceState::Active);
    }
}

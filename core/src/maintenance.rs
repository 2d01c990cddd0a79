//! Is the host in maintenance? One stat per request, never cached (H4).

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

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
    /// The error of the look itself, where an episode of errors begins and is to be warned of.
    pub(crate) trouble: Option<io::Error>,
}

/// The switch: a path, and whether an episode of failing stats is under way.
#[derive(Debug)]
pub(crate) struct Maintenance {
    disablefile: Option<PathBuf>,
    unreadable: AtomicBool,
}

impl Maintenance {
    /// `None` turns maintenance off.
    pub(crate) fn new(disablefile: Option<&Path>) -> Self {
        Self {
            disablefile: disablefile.map(Path::to_owned),
            unreadable: AtomicBool::new(false),
        }
    }

    /// The path; `None` when maintenance is off.
    pub(crate) fn disablefile(&self) -> Option<&Path> {
        self.disablefile.as_deref()
    }

    /// Looks once. A stat that follows links: whatever the path leads to counts, and nothing is opened.
    pub(crate) fn observe(&self) -> Observation {
        let Some(path) = &self.disablefile else {
            return Observation {
                state: MaintenanceState::Inactive,
                trouble: None,
            };
        };
        let sighting = Sighting::from_stat(fs::metadata(path));
        Observation {
            state: sighting.state(),
            trouble: self.episode(sighting),
        }
    }

    /// The error that begins an episode of failing stats.
    fn episode(&self, sighting: Sighting) -> Option<io::Error> {
        match sighting {
            Sighting::Unreadable(error) => {
                let began = !self.unreadable.swap(true, Ordering::Relaxed);
                began.then_some(error)
            }
            Sighting::Present | Sighting::Absent => {
                // Read first: a store on every request would make the cores share one cache line.
                if self.unreadable.load(Ordering::Relaxed) {
                    self.unreadable.store(false, Ordering::Relaxed);
                }
                None
            }
        }
    }
}

/// Whether any local user could create the marker file (H11).
pub(crate) fn is_exposed(disablefile: &Path) -> bool {
    match disablefile.parent() {
        Some(parent) if parent.as_os_str().is_empty() => is_world_writable(Path::new(".")),
        Some(parent) => is_world_writable(parent),
        None => false,
    }
}

#[cfg(unix)]
fn is_world_writable(directory: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;

    const WRITE_BY_OTHERS: u32 = 0o002;
    fs::metadata(directory).is_ok_and(|stat| stat.permissions().mode() & WRITE_BY_OTHERS != 0)
}

#[cfg(not(unix))]
fn is_world_writable(_directory: &Path) -> bool {
    false
}

/// What a stat of the marker file says.
#[derive(Debug)]
enum Sighting {
    Present,
    Absent,
    Unreadable(io::Error),
}

impl Sighting {
    fn from_stat<T>(stat: io::Result<T>) -> Self {
        match stat {
            Ok(_) => Self::Present,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Self::Absent,
            Err(error) => Self::Unreadable(error),
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

    use super::{Maintenance, MaintenanceState, Sighting, is_exposed};

    /// Root may stat everything, so a scenario over a real directory cannot show EACCES to root.
    #[test]
    fn a_forbidden_stat_means_not_in_maintenance_and_warns_once_an_episode() {
        let maintenance = Maintenance::new(Some(Path::new("/locked/maintenance")));
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
        let state = |path| Maintenance::new(Some(Path::new(path))).observe().state;
        assert_eq!(state("Cargo.toml"), MaintenanceState::Active);
        assert_eq!(state("no-such-file"), MaintenanceState::Inactive);
    }

    #[cfg(unix)]
    #[test]
    fn a_path_that_is_not_utf8_is_a_path_like_any_other() {
        use std::os::unix::ffi::OsStrExt as _;

        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join(std::ffi::OsStr::from_bytes(b"m\xff"));
        let maintenance = Maintenance::new(Some(&path));
        assert_eq!(maintenance.observe().state, MaintenanceState::Inactive);
        std::fs::write(&path, "").unwrap();
        assert_eq!(maintenance.observe().state, MaintenanceState::Active);
    }

    #[cfg(unix)]
    #[test]
    fn only_a_world_writable_directory_exposes_the_disablefile() {
        use std::os::unix::fs::PermissionsExt as _;

        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("maintenance");
        let chmod = |mode| {
            let permissions = std::fs::Permissions::from_mode(mode);
            std::fs::set_permissions(directory.path(), permissions).unwrap();
        };
        chmod(0o775);
        assert!(!is_exposed(&path));
        chmod(0o1777);
        assert!(is_exposed(&path));
        assert!(!is_exposed(&directory.path().join("missing/maintenance")));
        assert!(!is_exposed(Path::new("relative")));
    }
}

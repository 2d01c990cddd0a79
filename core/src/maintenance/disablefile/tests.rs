//! Whether the disablefile exists, and when that is warned of.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use futures::executor::block_on;

use super::{Disablefile, Presence};
use crate::runtime::{Runtime, ThreadRuntime};

const LIMIT: Duration = Duration::from_secs(60);

fn observed(disablefile: &Disablefile) -> bool {
    let runtime: Arc<dyn Runtime> = Arc::new(ThreadRuntime);
    let (is_active, _) = block_on(disablefile.observe(&runtime));
    is_active
}

/// Whether a stat finds a maintenance, and warns.
fn concluded(disablefile: &Disablefile, presence: Option<Presence>) -> (bool, bool) {
    let watched = disablefile.watched.as_ref().unwrap();
    let (is_active, warning) = disablefile.conclude(watched, presence);
    (is_active, warning.is_some())
}

#[test]
fn a_stat_that_hangs_keeps_the_last_known_state_and_warns_once_an_episode() {
    let disablefile = Disablefile::new(Some(Path::new("/mnt/dead/maintenance")), LIMIT);
    let observe = |presence| concluded(&disablefile, presence);
    let was_active = &disablefile.watched.as_ref().unwrap().last.is_active;
    assert_eq!(observe(None), (false, true));
    assert_eq!(observe(None), (false, false));
    was_active.store(true, Ordering::Relaxed);
    assert_eq!(observe(Some(Presence::Present)), (true, false));
    assert_eq!(observe(None), (true, true));
    assert_eq!(observe(None), (true, false));
    was_active.store(false, Ordering::Relaxed);
    assert_eq!(observe(Some(Presence::Absent)), (false, false));
    assert_eq!(observe(None), (false, true));
}

/// Root may stat everything, so a scenario over a real directory cannot show EACCES to root.
#[test]
fn a_forbidden_stat_means_not_in_maintenance_and_warns_once_an_episode() {
    let disablefile = Disablefile::new(Some(Path::new("/locked/maintenance")), LIMIT);
    let observe = |presence| concluded(&disablefile, Some(presence));
    let denied = || Presence::from_stat::<()>(Err(io::ErrorKind::PermissionDenied.into()));
    let absent = || Presence::from_stat::<()>(Err(io::ErrorKind::NotFound.into()));

    assert_eq!(observe(denied()), (false, true));
    assert_eq!(observe(denied()), (false, false));
    assert_eq!(observe(absent()), (false, false));
    assert_eq!(observe(denied()), (false, true));
    assert_eq!(observe(Presence::Present), (true, false));
    assert_eq!(observe(denied()), (false, true));
}

#[test]
fn a_relative_disablefile_is_resolved_in_the_working_directory() {
    let is_active = |path| observed(&Disablefile::new(Some(Path::new(path)), LIMIT));
    assert!(is_active("Cargo.toml"));
    assert!(!is_active("no-such-file"));
}

#[cfg(unix)]
#[test]
fn a_path_that_is_not_utf8_is_a_path_like_any_other() {
    use std::os::unix::ffi::OsStrExt as _;

    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join(std::ffi::OsStr::from_bytes(b"m\xff"));
    let disablefile = Disablefile::new(Some(&path), LIMIT);
    assert!(!observed(&disablefile));
    std::fs::write(&path, "").unwrap();
    assert!(observed(&disablefile));
}

//! A stat on the thread that serves the request, for file systems that are known to be fast.

use std::fs;
use std::hint::spin_loop;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};

use super::presence::Presence;

/// Makes the stat, unless another such stat is stuck.
///
/// Local disks fail too. Then the first request blocks, and later ones do not.
#[derive(Debug, Default)]
pub(super) struct Inline {
    /// Counts the begin and the end of each watched stat: odd while one is running.
    changes: AtomicU32,
}

/// How often a request looks whether the running stat has ended: about as long as a stat takes, which is a microsecond. A
/// clock would tell a stuck stat from one whose thread waits for a processor, but every request would pay for it.
const LOOKS: u32 = 200;

impl Inline {
    /// `None` if the stat could block: another stat does not end, or the path is a link, which may lead to any file system.
    pub(super) fn stat(&self, path: &Path) -> Option<Presence> {
        let before = self.changes.load(Ordering::Relaxed);
        let other_is_running = before % 2 == 1;
        if other_is_running && !self.change_after(before) {
            return None;
        }
        let is_watched = !other_is_running && {
            let begun = before.wrapping_add(1);
            let order = Ordering::Relaxed;
            self.changes.compare_exchange(before, begun, order, order).is_ok()
        };
        let stat = fs::symlink_metadata(path);
        if is_watched {
            self.changes.store(before.wrapping_add(2), Ordering::Relaxed);
        }
        match stat {
            Ok(metadata) if metadata.is_symlink() => None,
            stat => Some(Presence::from_stat(stat)),
        }
    }

    fn change_after(&self, before: u32) -> bool {
        (0..LOOKS).any(|_| {
            spin_loop();
            self.changes.load(Ordering::Relaxed) != before
        })
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::atomic::Ordering;

    use super::{Inline, Presence};

    #[test]
    fn while_one_stat_is_stuck_no_other_is_made() {
        let inline = Inline::default();
        let stat = || inline.stat(Path::new("Cargo.toml"));
        assert!(matches!(stat(), Some(Presence::Present)));
        assert!(matches!(stat(), Some(Presence::Present)));

        // The state that a stat which does not return leaves.
        inline.changes.fetch_add(1, Ordering::Relaxed);
        assert!(stat().is_none());
        assert!(stat().is_none());
        inline.changes.fetch_add(1, Ordering::Relaxed);
        assert!(stat().is_some());
    }

    #[test]
    fn the_count_of_stats_may_overflow() {
        let inline = Inline::default();
        inline.changes.store(u32::MAX - 1, Ordering::Relaxed);
        assert!(inline.stat(Path::new("Cargo.toml")).is_some());
        assert!(inline.stat(Path::new("Cargo.toml")).is_some());
        assert_eq!(inline.changes.load(Ordering::Relaxed), 2);
    }

    #[cfg(unix)]
    #[test]
    fn a_link_is_not_followed() {
        let directory = tempfile::tempdir().unwrap();
        let link = directory.path().join("link");
        std::os::unix::fs::symlink("/nowhere", &link).unwrap();
        assert!(Inline::default().stat(&link).is_none());
    }
}

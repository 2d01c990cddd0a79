//! A stat on the thread that serves the request, for file systems that are known to be fast.

use std::fs;
use std::path::Path;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Instant;

use super::presence::Presence;

/// Makes the stat, unless another such stat is stuck.
///
/// Local disks fail too. Then the first request blocks; requests that come more than 10 milliseconds later do not.
#[derive(Debug, Default)]
pub(super) struct Inline {
    epoch: OnceLock<Instant>,
    /// The milliseconds since the epoch at which the running stat began; 0 if none is running.
    since: AtomicU32,
}

/// The number of milliseconds after which a stat counts as stuck. A stat takes less than a microsecond, unless its thread
/// waits for a processor, which must not count as a failed disk.
const STUCK_AFTER: u32 = 10;

impl Inline {
    /// `None` if the stat could block: another stat is stuck, or the path is a link, which may lead to any file system.
    pub(super) fn stat(&self, path: &Path, now: Instant) -> Option<Presence> {
        let epoch = *self.epoch.get_or_init(|| now);
        // Wraps after 49 days; never 0.
        let now = (now.saturating_duration_since(epoch).as_millis() as u32).max(1);
        let since = self.since.load(Ordering::Relaxed);
        if since != 0 && now.wrapping_sub(since) > STUCK_AFTER {
            return None;
        }
        let is_watched =
            self.since.compare_exchange(0, now, Ordering::Relaxed, Ordering::Relaxed).is_ok();
        let stat = fs::symlink_metadata(path);
        if is_watched {
            self.since.store(0, Ordering::Relaxed);
        }
        match stat {
            Ok(metadata) if metadata.is_symlink() => None,
            stat => Some(Presence::from_stat(stat)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::atomic::Ordering;
    use std::time::{Duration, Instant};

    use super::{Inline, Presence};

    #[test]
    fn while_one_stat_is_stuck_no_other_is_made() {
        let inline = Inline::default();
        let start = Instant::now();
        let stat = |now| inline.stat(Path::new("Cargo.toml"), now);
        assert!(matches!(stat(start), Some(Presence::Present)));
        assert!(matches!(stat(start), Some(Presence::Present)));

        // The state that a stat which began now and does not return leaves.
        inline.since.store(1, Ordering::Relaxed);
        assert!(stat(start + Duration::from_millis(11)).is_some());
        assert!(stat(start + Duration::from_millis(12)).is_none());
        assert!(stat(start + Duration::from_secs(3600)).is_none());
        inline.since.store(0, Ordering::Relaxed);
        assert!(stat(start + Duration::from_secs(3600)).is_some());
    }

    #[cfg(unix)]
    #[test]
    fn a_link_is_not_followed() {
        let directory = tempfile::tempdir().unwrap();
        let link = directory.path().join("link");
        std::os::unix::fs::symlink("/nowhere", &link).unwrap();
        assert!(Inline::default().stat(&link, Instant::now()).is_none());
    }
}

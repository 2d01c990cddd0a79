//! A stat on the thread that serves the request, where that is known to be quick.

use std::fs;
use std::path::Path;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Instant;

use super::presence::Presence;

/// Stats the disablefile, unless another such stat is stuck.
///
/// Local disks fail as well. Then the first request is stuck, and requests that come more than an instant later are not.
#[derive(Debug, Default)]
pub(super) struct Inline {
    epoch: OnceLock<Instant>,
    /// The millisecond of the epoch in which the running stat began; 0 when none is running.
    since: AtomicU32,
}

/// After how many milliseconds a stat counts as stuck. It takes less than a microsecond, unless its thread has to wait for
/// a processor: that must not pass for a disk that died.
const STUCK_AFTER: u32 = 10;

impl Inline {
    /// `None` where the stat might get stuck: another is, or the path is a link, which may lead anywhere.
    pub(super) fn stat(&self, path: &Path, now: Instant) -> Option<Presence> {
        let epoch = *self.epoch.get_or_init(|| now);
        // Counts on from the start after 49 days; never 0.
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

        // As a stat that began now and does not return would leave it.
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

//! A look from the thread that serves the request, where that is known to be quick.

use std::fs;
use std::path::Path;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Instant;

use super::marker::Sighting;

/// Looks, as long as no other such look is stuck.
///
/// Local disks fail as well. Then the first who looks is stuck, and whoever comes more than an instant later is not.
#[derive(Debug, Default)]
pub(super) struct Inline {
    epoch: OnceLock<Instant>,
    /// The millisecond of the epoch in which a look began that has not ended; 0 when there is none.
    since: AtomicU32,
}

/// In milliseconds. A look takes less than a microsecond, unless its thread has to wait for a processor: that must not
/// pass for a disk that died.
const PATIENCE: u32 = 10;

impl Inline {
    /// `None` where a look might get stuck: another is, or the path is a link, which may lead anywhere.
    pub(super) fn look(&self, path: &Path, now: Instant) -> Option<Sighting> {
        let epoch = *self.epoch.get_or_init(|| now);
        // Counts on from the start after 49 days; never 0.
        let now = (now.saturating_duration_since(epoch).as_millis() as u32).max(1);
        let since = self.since.load(Ordering::Relaxed);
        if since != 0 && now.wrapping_sub(since) > PATIENCE {
            return None;
        }
        let (relaxed, since) = (Ordering::Relaxed, &self.since);
        let is_watched = since.compare_exchange(0, now, relaxed, relaxed).is_ok();
        let stat = fs::symlink_metadata(path);
        if is_watched {
            since.store(0, relaxed);
        }
        match stat {
            Ok(metadata) if metadata.is_symlink() => None,
            stat => Some(Sighting::from_stat(stat)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::atomic::Ordering;
    use std::time::{Duration, Instant};

    use super::{Inline, Sighting};

    #[test]
    fn while_one_look_is_stuck_nobody_else_looks() {
        let inline = Inline::default();
        let start = Instant::now();
        let look = |now| inline.look(Path::new("Cargo.toml"), now);
        assert!(matches!(look(start), Some(Sighting::Present)));
        assert!(matches!(look(start), Some(Sighting::Present)));

        // As a look that began now and does not return would leave it.
        inline.since.store(1, Ordering::Relaxed);
        assert!(look(start + Duration::from_millis(11)).is_some());
        assert!(look(start + Duration::from_millis(12)).is_none());
        assert!(look(start + Duration::from_secs(3600)).is_none());
        inline.since.store(0, Ordering::Relaxed);
        assert!(look(start + Duration::from_secs(3600)).is_some());
    }

    #[cfg(unix)]
    #[test]
    fn a_link_is_not_followed() {
        let directory = tempfile::tempdir().unwrap();
        let link = directory.path().join("link");
        std::os::unix::fs::symlink("/nowhere", &link).unwrap();
        assert!(Inline::default().look(&link, Instant::now()).is_none());
    }
}

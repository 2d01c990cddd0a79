//! Reads the mounts of this process: whether a stat in a directory is safe on a thread that serves requests, and whether
//! other processes see the directory.

#[cfg(target_os = "linux")]
mod table;

use std::path::Path;

/// Whether a stat of `path` reads only local disks or memory, and so returns immediately. Every directory of the path
/// counts, because each is looked up.
///
/// `false` on systems other than Linux, where it is unknown. It resolves links, so do not call it on a thread that must not
/// block.
#[cfg(target_os = "linux")]
pub(super) fn is_local(path: &Path) -> bool {
    let Ok(mounts) = std::fs::read_to_string("/proc/self/mountinfo") else {
        return false;
    };
    let here = Path::new(".");
    let mut directories = path
        .ancestors()
        .skip(1)
        .map(|directory| if directory.as_os_str().is_empty() { here } else { directory })
        // A missing directory would be created on the file system of its nearest existing parent.
        .filter_map(|directory| directory.canonicalize().ok())
        .peekable();
    directories.peek().is_some()
        && directories.all(|directory| table::is_on_local_mounts(&directory, &mounts))
}

#[cfg(not(target_os = "linux"))]
pub(super) fn is_local(_path: &Path) -> bool {
    false
}

/// Why other processes see another directory at the same path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(not(any(test, target_os = "linux")), expect(dead_code, reason = "known on Linux alone"))]
pub(crate) enum Private {
    /// It is private to a service: `PrivateTmp=` of systemd.
    Service,
    /// It is private to a container.
    Container,
}

/// Whether `directory` is private to this service or container. This is known only on Linux, and only for directories for
/// temporary files.
#[cfg(target_os = "linux")]
pub(super) fn private(directory: &Path) -> Option<Private> {
    let mounts = std::fs::read_to_string("/proc/self/mountinfo").ok()?;
    table::private(&directory.canonicalize().ok()?, &mounts)
}

#[cfg(not(target_os = "linux"))]
pub(super) fn private(_directory: &Path) -> Option<Private> {
    None
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::path::Path;

    use super::is_local;

    #[test]
    fn the_way_to_a_directory_is_judged_before_its_links_are_followed() {
        let directory = tempfile::tempdir().unwrap();
        assert!(is_local(&directory.path().join("not-yet/maintenance")));
        // The kernel generates /proc when it is read, so it does not show how a disk behaves.
        assert!(!is_local(Path::new("/proc/self/root/tmp/maintenance")));
    }
}

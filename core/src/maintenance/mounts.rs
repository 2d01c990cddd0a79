//! What the mounts of this process say of a directory: whether a stat there is safe to make on a thread that serves requests,
//! and whether others see it.

#[cfg(target_os = "linux")]
mod table;

use std::path::Path;

/// Whether a stat of `path` asks a local disk, or memory, and so returns at once: on the whole way there, because
/// each directory of it is looked up.
///
/// Not known, and so `false`, on other systems than Linux. Never call it on a thread that must not wait: it
/// resolves links.
#[cfg(target_os = "linux")]
pub(super) fn is_local(path: &Path) -> bool {
    let Ok(mounts) = std::fs::read_to_string("/proc/self/mountinfo") else {
        return false;
    };
    let here = Path::new(".");
    let directories = path.ancestors().skip(1);
    let mut directories = directories
        .map(|directory| match directory.as_os_str().is_empty() {
            true => here,
            false => directory,
        })
        // One that is missing will be made on the file system of the nearest that is there.
        .filter_map(|directory| directory.canonicalize().ok())
        .peekable();
    directories.peek().is_some()
        && directories.all(|directory| table::is_on_local_mounts(&directory, &mounts))
}

#[cfg(not(target_os = "linux"))]
pub(super) fn is_local(_path: &Path) -> bool {
    false
}

/// Why a directory is not the one that others see at its path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(not(any(test, target_os = "linux")), expect(dead_code, reason = "known on Linux alone"))]
pub(crate) enum Private {
    /// To a service: `PrivateTmp=` of systemd.
    Service,
    /// To a container.
    Container,
}

/// Whether no process outside of this service or container sees `directory`, as far as that can be told: on Linux, of the
/// directories for temporary files.
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
        // What /proc says is made up at the moment of asking: no file system to rely on.
        assert!(!is_local(Path::new("/proc/self/root/tmp/maintenance")));
    }
}

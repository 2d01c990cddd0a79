//! Which stats are safe to make on a thread that serves requests.

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

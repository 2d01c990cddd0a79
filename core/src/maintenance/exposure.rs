//! Who else can put this host into maintenance (H11)?

use std::path::Path;

/// Whether any local user could create the disablefile (H11).
pub(super) fn is_exposed(disablefile: &Path) -> bool {
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
    std::fs::metadata(directory).is_ok_and(|stat| stat.permissions().mode() & WRITE_BY_OTHERS != 0)
}

#[cfg(not(unix))]
fn is_world_writable(_directory: &Path) -> bool {
    false
}

#[cfg(all(test, unix))]
mod tests {
    use std::path::Path;

    use super::is_exposed;

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

//! Likely mistakes in the location of the disablefile, found before the first request (H11).

use std::fmt;
use std::fs::{self, Metadata};
use std::io;
use std::path::{Path, PathBuf};

use super::mounts::{self, Private};

/// Why the disablefile at its place may not work as intended. [`Display`](fmt::Display) shows a clause about "it".
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum OddPlace {
    /// Any local user could create it.
    WorldWritable,
    /// Its directory does not exist.
    NoDirectory(PathBuf),
    /// It is a directory.
    Directory,
    /// It is a device.
    Device,
    /// Other processes see another directory at this path.
    Private(Private),
}

/// Examines the file system, which may block.
pub(super) fn survey(path: &Path) -> Vec<OddPlace> {
    let directory = match path.parent() {
        Some(parent) if parent.as_os_str().is_empty() => Path::new("."),
        Some(parent) => parent,
        None => path,
    };
    let of_path = fs::metadata(path).ok().and_then(|stat| odd_file(&stat));
    let private = mounts::private(directory).map(OddPlace::Private);
    let of_directory = match fs::metadata(directory) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            Some(OddPlace::NoDirectory(directory.to_owned()))
        }
        // Other local users cannot reach a private directory.
        Ok(stat) if private.is_none() && is_world_writable(&stat) => Some(OddPlace::WorldWritable),
        _ => None,
    };
    of_path.into_iter().chain(of_directory).chain(private).collect()
}

/// Whether any local user could create the file, which may block.
pub(crate) fn is_exposed(path: &Path) -> bool {
    survey(path).contains(&OddPlace::WorldWritable)
}

/// A likely mistake if the path exists already and is not a file that `touch` creates.
fn odd_file(stat: &Metadata) -> Option<OddPlace> {
    if stat.is_dir() {
        return Some(OddPlace::Directory);
    }
    is_device(stat).then_some(OddPlace::Device)
}

#[cfg(unix)]
fn is_device(stat: &Metadata) -> bool {
    use std::os::unix::fs::FileTypeExt as _;

    let kind = stat.file_type();
    kind.is_char_device() || kind.is_block_device()
}

#[cfg(not(unix))]
fn is_device(_stat: &Metadata) -> bool {
    false
}

#[cfg(unix)]
fn is_world_writable(directory: &Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt as _;

    const WRITE_BY_OTHERS: u32 = 0o002;
    directory.permissions().mode() & WRITE_BY_OTHERS != 0
}

#[cfg(not(unix))]
fn is_world_writable(_directory: &Metadata) -> bool {
    false
}

impl fmt::Display for OddPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::WorldWritable => f.write_str(
                "it is in a world-writable directory, so any local user can put this host into maintenance",
            ),
            Self::NoDirectory(directory) => write!(f, "the directory {directory:?} does not exist"),
            Self::Directory => f.write_str(
                "it is a directory, which counts as maintenance like any file (a container runtime creates one when \
                 the source of a bind mount does not exist: mount the directory of the disablefile instead)",
            ),
            Self::Device => f.write_str(
                "it is a device, so this host is always in maintenance (an empty value turns maintenance off)",
            ),
            Self::Private(Private::Service) => f.write_str(
                "its directory is private to this service (PrivateTmp= of systemd), so the service does not see files \
                 that are created outside",
            ),
            Self::Private(Private::Container) => f.write_str(
                "its directory is private to this container, which does not see files that are created outside: create \
                 it with `docker exec`, `kubectl exec` or the like, or choose a path on a volume",
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{OddPlace, survey};

    #[test]
    fn a_directory_that_does_not_exist_is_odd() {
        let directory = tempfile::tempdir().unwrap();
        let missing = directory.path().join("missing");
        assert_eq!(survey(&missing.join("maintenance")), [OddPlace::NoDirectory(missing)]);
        assert_eq!(survey(&directory.path().join("maintenance")), []);
        assert_eq!(survey(Path::new("no-such-file")), []);
    }

    #[test]
    fn what_exists_already_is_odd_unless_a_touch_could_have_made_it() {
        let directory = tempfile::tempdir().unwrap();
        assert_eq!(survey(directory.path())[0], OddPlace::Directory);
        let path = directory.path().join("maintenance");
        std::fs::write(&path, "").unwrap();
        assert_eq!(survey(&path), []);
        #[cfg(unix)]
        assert!(survey(Path::new("/dev/null")).contains(&OddPlace::Device));
        assert!(survey(Path::new("/")).contains(&OddPlace::Directory));
    }

    #[cfg(unix)]
    #[test]
    fn only_a_world_writable_directory_is_odd_for_its_permissions() {
        use std::os::unix::fs::PermissionsExt as _;

        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("maintenance");
        let chmod = |mode| {
            let permissions = std::fs::Permissions::from_mode(mode);
            std::fs::set_permissions(directory.path(), permissions).unwrap();
        };
        chmod(0o775);
        assert_eq!(survey(&path), []);
        chmod(0o1777);
        assert_eq!(survey(&path), [OddPlace::WorldWritable]);
    }

    /// A link to nothing may become one to a file: `touch` creates that.
    #[cfg(unix)]
    #[test]
    fn a_dangling_link_is_not_odd() {
        let directory = tempfile::tempdir().unwrap();
        let link = directory.path().join("maintenance");
        std::os::unix::fs::symlink(directory.path().join("nowhere"), &link).unwrap();
        assert_eq!(survey(&link), []);
    }

    #[test]
    fn every_oddity_is_a_clause_about_the_disablefile() {
        use super::Private;

        for (odd, said) in [
            (OddPlace::WorldWritable, "any local user"),
            (OddPlace::NoDirectory("/run/shop".into()), "\"/run/shop\" does not exist"),
            (OddPlace::Directory, "bind mount"),
            (OddPlace::Device, "an empty value turns maintenance off"),
            (OddPlace::Private(Private::Service), "PrivateTmp"),
            (OddPlace::Private(Private::Container), "kubectl exec"),
        ] {
            let clause = odd.to_string();
            assert!(clause.contains(said), "{clause} lacks {said}");
        }
    }
}

//! Files at the path of the disablefile.

use std::fmt;
use std::fs;
use std::io;
use std::path::Path;
use std::process::Command;

use serde::Deserialize;

/// What a step puts at the path of the disablefile before its request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Marker {
    /// Nothing; what is there is removed.
    None,
    /// An empty regular file, as `touch` makes.
    File,
    /// An empty directory.
    Directory,
    /// A named pipe.
    Fifo,
    /// A symbolic link to a device.
    Device,
    /// A symbolic link to a regular file.
    Link,
    /// A symbolic link to nothing.
    DanglingLink,
    /// A symbolic link to itself.
    LinkLoop,
    /// A regular file where the path needs a directory.
    FileAsParent,
    /// A regular file in a directory without search permission.
    LockedParent,
}

/// Why a marker is not in place.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MarkerError {
    /// This machine or user cannot show it: the scenario observes nothing.
    #[error("{0}")]
    Unobservable(&'static str),
    #[error("cannot create the marker: {0}")]
    Io(#[from] io::Error),
}

impl fmt::Display for Marker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "nothing",
            Self::File => "a file",
            Self::Directory => "a directory",
            Self::Fifo => "a named pipe",
            Self::Device => "a link to a device",
            Self::Link => "a link to a file",
            Self::DanglingLink => "a dangling link",
            Self::LinkLoop => "a link to itself",
            Self::FileAsParent => "a file where its directory should be",
            Self::LockedParent => "a file in a directory without search permission",
        })
    }
}

impl Marker {
    /// How many names of the disablefile's path have to be the suite's own to play with.
    pub(crate) fn depth(self) -> usize {
        match self {
            Self::FileAsParent | Self::LockedParent => 2,
            _ => 1,
        }
    }

    /// Clears the path and puts this there.
    pub(crate) fn place(self, path: &Path) -> Result<(), MarkerError> {
        clear(path)?;
        match self {
            Self::None => {}
            Self::File => fs::write(path, "")?,
            Self::Directory => fs::create_dir(path)?,
            Self::Fifo => make_fifo(path)?,
            Self::Device => link(Path::new("/dev/null"), path)?,
            // To a file that is there and that everybody may see: none has to be put anywhere.
            Self::Link => link(Path::new("/etc/passwd"), path)?,
            Self::DanglingLink => link(Path::new("/etc/no such file"), path)?,
            Self::LinkLoop => link(path, path)?,
            Self::FileAsParent => fs::write(parent(path)?, "")?,
            Self::LockedParent => {
                fs::create_dir_all(parent(path)?)?;
                fs::write(path, "")?;
                lock(parent(path)?)?;
                if fs::metadata(path).is_ok() {
                    return Err(MarkerError::Unobservable(
                        "this user can search every directory, like root",
                    ));
                }
            }
        }
        Ok(())
    }
}

/// Removes whatever a marker left at `path` or in place of its directory.
fn clear(path: &Path) -> io::Result<()> {
    let parent = parent(path)?;
    if fs::symlink_metadata(parent).is_ok_and(|stat| stat.is_file()) {
        return fs::remove_file(parent);
    }
    let stat = fs::symlink_metadata(path).or_else(|error| match error.kind() {
        io::ErrorKind::PermissionDenied => unlock(parent).and_then(|()| fs::symlink_metadata(path)),
        _ => Err(error),
    });
    match stat {
        Ok(stat) if stat.is_dir() => fs::remove_dir(path),
        Ok(_) => fs::remove_file(path),
        Err(_) => Ok(()),
    }
}

fn parent(path: &Path) -> io::Result<&Path> {
    path.parent().ok_or_else(|| io::Error::other("the disablefile has no directory"))
}

fn make_fifo(path: &Path) -> Result<(), MarkerError> {
    let made = Command::new("mkfifo").arg(path).status();
    match made {
        Ok(status) if status.success() => Ok(()),
        _ => Err(MarkerError::Unobservable("this machine has no working `mkfifo`")),
    }
}

#[cfg(unix)]
fn link(target: &Path, path: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(target, path)
}

#[cfg(unix)]
fn lock(directory: &Path) -> io::Result<()> {
    set_mode(directory, 0o000)
}

#[cfg(unix)]
fn unlock(directory: &Path) -> io::Result<()> {
    set_mode(directory, 0o700)
}

#[cfg(unix)]
fn set_mode(directory: &Path, mode: u32) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;

    fs::set_permissions(directory, fs::Permissions::from_mode(mode))
}

#[cfg(not(unix))]
fn link(_target: &Path, _path: &Path) -> Result<(), MarkerError> {
    Err(MarkerError::Unobservable("links need a privilege on this platform"))
}

#[cfg(not(unix))]
fn lock(_directory: &Path) -> Result<(), MarkerError> {
    Err(MarkerError::Unobservable("this platform has no permission bits"))
}

#[cfg(not(unix))]
fn unlock(_directory: &Path) -> io::Result<()> {
    Ok(())
}

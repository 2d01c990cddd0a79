//! What a file system has, and what has to be free.

use std::io;
use std::path::Path;

use crate::limits::{Contradiction, Limits};

/// What a file system has for a process without privileges.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct FileSystem {
    pub(super) device: u64,
    /// Bytes.
    pub(super) size: f64,
    pub(super) free: f64,
    /// How many there are, and how many of them are free. None if the file system makes them as needed.
    pub(super) inodes: Option<(f64, f64)>,
    pub(super) is_read_only: bool,
}

/// What has to be free.
#[derive(Debug, Clone, Copy)]
pub(super) enum Least {
    /// The ratio or the number, whichever is less.
    Default {
        ratio: f64,
        number: f64,
    },
    Number(f64),
    Ratio(f64),
}

impl Least {
    fn of(self, all: f64) -> Result<f64, Contradiction> {
        match self {
            Self::Default { ratio, number } => Ok(number.min(ratio * all)),
            Self::Number(number) if number > all => {
                Err(Contradiction("a limit is above the size of the file system"))
            }
            Self::Number(number) => Ok(number),
            Self::Ratio(ratio) if (0.0..=1.0).contains(&ratio) => Ok(ratio * all),
            Self::Ratio(_) => Err(Contradiction("a limit is not between 0 and 1")),
        }
    }

    fn is_default(self) -> bool {
        matches!(self, Self::Default { .. })
    }
}

/// What has to be free for a result that is not degraded, and for one that is no error.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limit {
    pub(super) degraded: Least,
    pub(super) failing: Least,
}

impl Limit {
    /// The limits of a number of which there are `all`.
    pub(super) fn below(self, all: f64) -> Result<Limits, Contradiction> {
        if all <= 0.0 {
            return Err(Contradiction("the file system has no size"));
        }
        let (mut degraded, mut failing) = (self.degraded.of(all)?, self.failing.of(all)?);
        // A default gives way to what the program sets.
        if self.degraded.is_default() {
            degraded = degraded.max(failing);
        } else if self.failing.is_default() {
            failing = failing.min(degraded);
        }
        let limits = Limits {
            degraded_below: Some(degraded),
            failing_below: Some(failing),
            ..Limits::default()
        };
        limits.validate()?;
        Ok(limits)
    }
}

/// Looks at the file system of `path`.
#[cfg(unix)]
pub(super) fn look(path: &Path) -> io::Result<FileSystem> {
    use std::os::unix::fs::MetadataExt as _;

    let device = std::fs::metadata(path)?.dev();
    Ok(FileSystem::of(device, &rustix::fs::statvfs(path)?))
}

#[cfg(unix)]
impl FileSystem {
    pub(super) fn of(device: u64, found: &rustix::fs::StatVfs) -> Self {
        // What root alone may use counts neither as free nor as a part of the whole, as df counts.
        let whole = found.f_blocks.saturating_sub(found.f_bfree).saturating_add(found.f_bavail);
        let bytes = |blocks: u64| blocks as f64 * found.f_frsize as f64;
        let inodes = (found.f_files as f64, found.f_favail.min(found.f_files) as f64);
        Self {
            device,
            size: bytes(whole),
            free: bytes(found.f_bavail),
            inodes: (found.f_files > 0).then_some(inodes),
            is_read_only: found.f_flag.contains(rustix::fs::StatVfsMountFlags::RDONLY),
        }
    }
}

#[cfg(not(unix))]
pub(super) fn look(_: &Path) -> io::Result<FileSystem> {
    Err(io::Error::new(io::ErrorKind::Unsupported, "this system does not tell the space of a disk"))
}

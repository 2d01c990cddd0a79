//! Space and inodes of file systems.

use std::io;
use std::path::{Path, PathBuf};

use health_core::{Check, CheckResult, Unit};

use crate::failure::{failure, misconfigured};
use crate::{Class, reason};

mod space;

use self::space::{FileSystem, Least, Limit};

/// The space and inodes that are left for this process on the file system of `path`, such as of the directory that it writes
/// to, and whether it can be written.
///
/// What is reserved for root does not count as free. Of several [paths](Disk::path), the worst counts; paths on the same
/// device count once.
///
/// ```
/// use health_indicators::disk;
///
/// let check = disk("/var/lib/shop").path("/var/log").failing_below_bytes(500_000_000).check("disk");
/// ```
///
/// | | |
/// |---|---|
/// | class | local |
/// | timeout | that of the check; a look at a network file system can hang |
/// | default | degraded below 10 % or 10 GB, whichever is less, and below 5 % of the inodes; an error below 2 % or 1 GB, whichever is less, and below 1 % of the inodes |
/// | reasons | `below_limit`; `read_only`, for example because the kernel found errors; `missing`, `unauthorized`; `misconfigured`, such as a limit above the size; `unsupported` on Windows, which is degraded |
/// | values | `free` in bytes and as a ratio, `free_inodes` as a ratio unless the file system has no limit, of the path that counts |
/// | does not prove | that the process may write to the directory, or that its user has no lower quota |
pub fn disk(path: impl Into<PathBuf>) -> Disk {
    Disk { paths: vec![path.into()], limits: Limits::default(), class: Class::Local }
}

/// See [`disk`].
#[derive(Debug)]
#[must_use = "an indicator does nothing until its check is registered"]
pub struct Disk {
    paths: Vec<PathBuf>,
    limits: Limits,
    class: Class,
}

#[derive(Debug)]
struct Limits {
    space: Limit,
    inodes: Limit,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            space: Limit {
                degraded: Least::Default { ratio: 0.1, number: 10e9 },
                failing: Least::Default { ratio: 0.02, number: 1e9 },
            },
            inodes: Limit {
                degraded: Least::Default { ratio: 0.05, number: f64::INFINITY },
                failing: Least::Default { ratio: 0.01, number: f64::INFINITY },
            },
        }
    }
}

impl Disk {
    /// Another path, with the same limits.
    pub fn path(mut self, path: impl Into<PathBuf>) -> Self {
        self.paths.push(path.into());
        self
    }

    /// Fewer free bytes are degraded.
    pub fn degraded_below_bytes(mut self, bytes: u64) -> Self {
        self.limits.space.degraded = Least::Number(bytes as f64);
        self
    }

    /// A lower ratio of free bytes is degraded, from 0 to 1.
    pub fn degraded_below(mut self, ratio: f64) -> Self {
        self.limits.space.degraded = Least::Ratio(ratio);
        self
    }

    /// Fewer free bytes are an error.
    pub fn failing_below_bytes(mut self, bytes: u64) -> Self {
        self.limits.space.failing = Least::Number(bytes as f64);
        self
    }

    /// A lower ratio of free bytes is an error, from 0 to 1.
    pub fn failing_below(mut self, ratio: f64) -> Self {
        self.limits.space.failing = Least::Ratio(ratio);
        self
    }

    /// A lower ratio of free inodes is degraded, from 0 to 1.
    pub fn degraded_below_inodes(mut self, ratio: f64) -> Self {
        self.limits.inodes.degraded = Least::Ratio(ratio);
        self
    }

    /// A lower ratio of free inodes is an error, from 0 to 1.
    pub fn failing_below_inodes(mut self, ratio: f64) -> Self {
        self.limits.inodes.failing = Least::Ratio(ratio);
        self
    }

    /// What a failure means. Default: [`Class::Local`].
    pub fn class(mut self, class: Class) -> Self {
        self.class = class;
        self
    }

    /// The check of this name. It runs on the threads for blocking code.
    pub fn check(self, name: impl Into<String>) -> Check {
        let class = self.class;
        class.apply(Check::blocking(name, move || self.result(space::look)))
    }

    fn result(&self, look: impl Fn(&Path) -> io::Result<FileSystem>) -> CheckResult {
        let mut seen = Vec::new();
        let mut worst: Option<(Badness, CheckResult)> = None;
        for path in &self.paths {
            let (badness, result) = match look(path) {
                // The same device can be mounted for writing and for reading.
                Ok(found) if seen.contains(&found.device) && !found.is_read_only => continue,
                Ok(found) => {
                    seen.push(found.device);
                    self.limits.judge(path, &found)
                }
                Err(error) if error.kind() == io::ErrorKind::Unsupported => {
                    (UNKNOWN, CheckResult::degraded(error).reason(reason::UNSUPPORTED))
                }
                Err(error) => {
                    let text = format!("{}: {error}", path.display());
                    let error = io::Error::new(error.kind(), text);
                    (FAILED, failure(&error, |_| None))
                }
            };
            if worst.as_ref().is_none_or(|(worst, _)| badness > *worst) {
                worst = Some((badness, result));
            }
        }
        worst.map_or_else(CheckResult::ok, |(_, result)| result)
    }
}

/// How bad a result is: by its status, and then by what is free.
#[derive(PartialEq, PartialOrd)]
struct Badness {
    severity: u8,
    used: f64,
}

const UNKNOWN: Badness = Badness { severity: 1, used: 1.0 };
const FAILED: Badness = Badness { severity: 2, used: 1.0 };

impl Limits {
    fn judge(&self, path: &Path, found: &FileSystem) -> (Badness, CheckResult) {
        let FileSystem { size, free, inodes, .. } = *found;
        let path = path.display();
        let space = match self.space.below(size) {
            Ok(limits) => limits.exceeded("free", free, Unit::Bytes),
            Err(contradiction) => {
                return (FAILED, misconfigured(format_args!("{path}: {contradiction}")));
            }
        };
        let free_inodes = inodes.map(|(all, free)| free / all);
        let inodes = match self.inodes.below(1.0) {
            Ok(limits) => {
                free_inodes.and_then(|free| limits.exceeded("free_inodes", free, Unit::Ratio))
            }
            Err(contradiction) => {
                return (FAILED, misconfigured(format_args!("inodes: {contradiction}")));
            }
        };
        let exceeded = [space, inodes].into_iter().flatten().max_by_key(|found| found.is_failing);
        let text = |what: &str| format!("{path}: {what}");
        let (severity, result) = match exceeded {
            _ if found.is_read_only => {
                let text = text("the file system is read-only");
                (2, CheckResult::error(text).reason(reason::READ_ONLY))
            }
            Some(found) if found.is_failing => {
                (2, CheckResult::error(text(&found.text)).reason(found.reason))
            }
            Some(found) => (1, CheckResult::degraded(text(&found.text)).reason(found.reason)),
            None => (0, CheckResult::ok()),
        };
        let ratio = free / size;
        let result = result.value("free", free, Unit::Bytes).value("free", ratio, Unit::Ratio);
        let result = match free_inodes {
            Some(free) => result.value("free_inodes", free, Unit::Ratio),
            None => result,
        };
        (Badness { severity, used: 1.0 - ratio }, result)
    }
}

#[cfg(test)]
mod tests;

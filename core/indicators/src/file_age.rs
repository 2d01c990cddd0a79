//! The age of a file that something else writes.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};
use std::{fs, io};

use health_core::{Check, CheckResult, Unit};

use crate::Class;
use crate::failure::{failure, misconfigured};
use crate::limits::Limits;

/// The time since the file was modified: of a backup, an export, a certificate that should be renewed.
///
/// | | |
/// |---|---|
/// | class | local |
/// | timeout | that of the check; a look at a file on a network file system can hang |
/// | reasons | `above_limit`, `missing`, `unauthorized` (the directory must be searchable), `misconfigured` |
/// | values | `age` in seconds; 0 if the file is of the future |
/// | does not prove | that the file is complete |
pub fn file_age(path: impl Into<PathBuf>) -> FileAge {
    FileAge { path: path.into(), limits: Limits::default(), class: Class::Local }
}

/// See [`file_age`].
#[derive(Debug)]
#[must_use = "an indicator does nothing until its check is registered"]
pub struct FileAge {
    path: PathBuf,
    limits: Limits,
    class: Class,
}

impl FileAge {
    /// A file that is older is degraded. Default: none.
    pub fn degraded_above(mut self, age: Duration) -> Self {
        self.limits.degraded_above = Some(age.as_secs_f64());
        self
    }

    /// A file that is older is an error. Default: none. A file that is missing is an error in any case.
    pub fn failing_above(mut self, age: Duration) -> Self {
        self.limits.failing_above = Some(age.as_secs_f64());
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
        class.apply(Check::blocking(name, move || self.result(SystemTime::now())))
    }

    fn result(&self, now: SystemTime) -> CheckResult {
        if let Err(contradiction) = self.limits.validate() {
            return misconfigured(contradiction);
        }
        match modified(&self.path) {
            Ok(modified) => {
                let age = now.duration_since(modified).unwrap_or_default();
                self.limits.result("age", age.as_secs_f64(), Unit::Seconds)
            }
            Err(error) => failure(&error, |_| None),
        }
    }
}

/// When the file was modified. An error says which file it is about.
fn modified(path: &Path) -> io::Result<SystemTime> {
    let modified = fs::metadata(path).and_then(|metadata| metadata.modified());
    modified.map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", path.display())))
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use health_core::Report;

    use super::file_age;

    const MINUTE: Duration = Duration::from_secs(60);

    #[test]
    fn a_file_is_as_old_as_its_last_change() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let now = SystemTime::now();
        file.as_file().set_modified(now - 3 * MINUTE).unwrap();
        let status = |degraded: u32, failing: u32| {
            let age = file_age(file.path()).degraded_above(degraded * MINUTE);
            let result = age.failing_above(failing * MINUTE).result(now);
            Report::of("file", result).status().as_str()
        };
        assert_eq!(status(4, 5), "OK");
        assert_eq!(status(2, 4), "DEGRADED");
        assert_eq!(status(1, 2), "ERROR");
        assert_eq!(status(2, 1), "ERROR", "the limits contradict each other");
    }

    #[test]
    fn a_file_of_the_future_is_new_and_one_that_disappears_is_missing() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let age = file_age(file.path()).failing_above(MINUTE);
        let report = |now| Report::of("file", age.result(now));
        assert_eq!(report(SystemTime::UNIX_EPOCH).status().as_str(), "OK");
        file.close().unwrap();
        assert_eq!(report(SystemTime::now()).reason(), Some("missing"));
    }
}

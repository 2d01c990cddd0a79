//! What Linux tells in its files.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read as _};
use std::path::PathBuf;

use health_core::CheckResult;

use crate::reason;

/// More than any of the files has.
const MAX_LEN: u64 = 64 * 1024;

/// The files of the kernel below `/`, or below a directory of a test.
#[derive(Debug, Clone)]
pub(crate) struct Kernel {
    root: PathBuf,
}

impl Default for Kernel {
    fn default() -> Self {
        Self { root: PathBuf::from("/") }
    }
}

impl Kernel {
    #[cfg(test)]
    pub(crate) fn at(root: &std::path::Path) -> Self {
        Self { root: root.to_owned() }
    }

    /// The text of a file; `None` if there is none.
    pub(crate) fn find(&self, path: &str) -> Result<Option<String>, Unknown> {
        let mut text = String::new();
        let file = File::open(self.root.join(path));
        match file.and_then(|file| file.take(MAX_LEN).read_to_string(&mut text)) {
            Ok(_) => Ok(Some(text)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Unknown::of(path, &error)),
        }
    }

    /// The text of a file.
    pub(crate) fn read(&self, path: &str) -> Result<String, Unknown> {
        self.find(path)?.ok_or_else(|| Unknown::of(path, &ErrorKind::NotFound.into()))
    }

    /// How many entries a directory has.
    pub(crate) fn count(&self, path: &str) -> Result<usize, Unknown> {
        let entries = fs::read_dir(self.root.join(path));
        entries.map(Iterator::count).map_err(|error| Unknown::of(path, &error))
    }
}

/// The process may open no more files, as Linux numbers this error.
const EMFILE: i32 = 24;

/// Why something is not known. The result is degraded: it is no proof that something is wrong.
#[derive(Debug)]
pub(crate) struct Unknown {
    text: String,
    reason: &'static str,
}

impl Unknown {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), reason: reason::UNSUPPORTED }
    }

    pub(crate) fn of(path: &str, error: &io::Error) -> Self {
        let reason = match error.kind() {
            ErrorKind::PermissionDenied => reason::UNAUTHORIZED,
            _ if error.raw_os_error() == Some(EMFILE) => reason::SATURATED,
            _ => reason::UNSUPPORTED,
        };
        Self { text: format!("/{path}: {error}"), reason }
    }

    /// A file has another format than expected.
    pub(crate) fn format(path: &str) -> Self {
        Self::new(format!("/{path} has an unknown format"))
    }

    /// Whether nothing could be read because the process may open no more files.
    pub(crate) fn is_without_files(&self) -> bool {
        self.reason == reason::SATURATED
    }

    pub(crate) fn result(self) -> CheckResult {
        CheckResult::degraded(self.text).reason(self.reason)
    }
}

/// The first word after `key`, of the line that begins with it: of `key 1 2`, and of `key: 1 kB`.
pub(crate) fn word_after<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    text.lines().find_map(|line| {
        let rest = line.strip_prefix(key)?;
        let rest = rest.strip_prefix(':').unwrap_or(rest);
        rest.starts_with([' ', '\t']).then(|| rest.split_ascii_whitespace().next())?
    })
}

/// The same as a number.
pub(crate) fn number_after(text: &str, key: &str) -> Option<u64> {
    word_after(text, key)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use health_core::Report;

    use super::{Kernel, number_after, word_after};

    #[test]
    fn a_key_is_the_whole_key_and_its_number_a_number() {
        let text = "Threads:\t17\nanon 1\ninactive_file 4096\ninactive_file_2 1\nMax open files  10 20 files\n\
                    negative -1\nlarge 18446744073709551616\nnothing\nempty: \n";
        assert_eq!(number_after(text, "Threads"), Some(17));
        assert_eq!(number_after(text, "inactive_file"), Some(4096));
        assert_eq!(word_after(text, "Max open files"), Some("10"));
        for key in ["inactive", "file", "negative", "large", "nothing", "empty", "missing"] {
            assert_eq!(number_after(text, key), None, "{key}");
        }
        assert_eq!(word_after(text, "inactive"), None);
    }

    #[test]
    fn what_cannot_be_read_is_degraded() {
        let root = tempfile::tempdir().unwrap();
        let kernel = Kernel::at(root.path());
        assert!(kernel.find("proc/meminfo").unwrap().is_none());
        std::fs::write(root.path().join("binary"), [0xff; 10]).unwrap();
        for path in ["missing", "binary"] {
            let report = Report::of("memory", kernel.read(path).unwrap_err().result());
            assert_eq!(
                (report.status().as_str(), report.reason()),
                ("DEGRADED", Some("unsupported"))
            );
        }
        assert!(kernel.count("missing").is_err());
    }

    #[test]
    fn a_file_without_end_is_cut() {
        let root = tempfile::tempdir().unwrap();
        std::fs::write(root.path().join("long"), "a".repeat(100_000)).unwrap();
        assert_eq!(Kernel::at(root.path()).read("long").unwrap().len(), 65_536);
    }
}
